package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/putpost/putpost/wrappers/store"
)

// Lifecycle returns rules that delete a bucket's objects below prefix after a
// number of days, and unfinished multipart uploads after one day. An empty
// prefix means the whole bucket. The rules are JSON for this command:
//
//	aws s3api put-bucket-lifecycle-configuration --bucket BUCKET --lifecycle-configuration file://rules.json
//
// The command replaces all rules of the bucket: merge these with the rules that
// the bucket has. S3 deletes at midnight UTC after the last day has passed. So
// days must be at least one, and one day means up to two.
func Lifecycle(prefix string, days int) (string, error) {
	if days < 1 {
		return "", errors.New("s3: objects expire after one day at the earliest")
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		if err := store.CheckKey(prefix); err != nil {
			return "", fmt.Errorf("s3: prefix: %w", err)
		}
		prefix += "/"
	}
	id := strings.TrimRight("putpost-expire-"+strings.ReplaceAll(prefix, "/", "-"), "-")
	type object = map[string]any
	rules := object{"Rules": []object{{
		"ID":                             id[:min(len(id), 255)], // each rule of a bucket has its own
		"Status":                         "Enabled",
		"Filter":                         object{"Prefix": prefix},
		"Expiration":                     object{"Days": days},
		"AbortIncompleteMultipartUpload": object{"DaysAfterInitiation": 1},
	}}}
	b, err := json.MarshalIndent(rules, "", "  ")
	return string(b) + "\n", err
}
