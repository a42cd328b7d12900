package s3_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/putpost/putpost/wrappers/store/s3"
)

// wantClean checks that an error shows neither a secret nor the query of a URL.
func wantClean(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{cred.SecretAccessKey, "uploadId", "X-Amz-", "?", "\n"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows %q: %v", secret, err)
		}
	}
}

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	tests := []struct {
		url, want string // part of the error
	}{
		{"", "not of the form"},
		{"bucket", "not of the form"},
		{"http://bucket", "not of the form"},
		{"s3://", "not of the form"},
		{"s3:///prefix", "not of the form"},
		{"s3://user:secret-of-the-test@bucket", "not of the form"},
		{"s3://bucket#secret-of-the-test", "not of the form"},
		{"s3://bucket/%zz", "not of the form"},
		{"s3://BUCKET", "not the name of a bucket"},
		{"s3://b", "not the name of a bucket"},
		{"s3://ab", "not the name of a bucket"},
		{"s3://" + strings.Repeat("b", 64), "not the name of a bucket"},
		{"s3://bucket:9000", "not the name of a bucket"},
		{"s3://bucket/a/../b", "prefix"},
		{"s3://bucket/.hidden", "prefix"},
		{"s3://bucket?endpoint=127.0.0.1:9000", "endpoint"},
		{"s3://bucket?endpoint=ftp://127.0.0.1", "endpoint"},
		{"s3://bucket?endpoint=http://host%3Fa", "endpoint"},
		{"s3://bucket?endpoint=http://", "endpoint"},
		{"s3://bucket?endpoint=http://host/a%20b", "endpoint"},
		{"s3://bucket?endpoint=http://host/a/../b", "endpoint"},
		{"s3://bucket?public=files.example.com", "public"},
		{"s3://bucket?public=https://files.example.com/s3", "another path than the endpoint"},
		{"s3://bucket?endpoint=http://host/s3&public=https://files.example.com", "another path than the endpoint"},
		{"s3://bucket?region=a/b", "region"},
		{"s3://192.168.0.1", "not the name of a bucket"},
		{"s3://bucket?endpoint=http://user:secret-of-the-test@host", "endpoint"},
		{"s3://bucket?region=", "region"},
		{"s3://bucket?region=a&region=b", "region"},
		{"s3://bucket?Region=a", `"Region" is not a setting`},
		{"s3://bucket?%zz", "query"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			_, err := s3.Open(tt.url, cred)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one about %q", err, tt.want)
			} else if strings.Contains(err.Error(), cred.SecretAccessKey) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestCredentialsAreNeeded(t *testing.T) {
	for _, cred := range []s3.Credentials{{}, {AccessKeyID: "a"}, {SecretAccessKey: "b"}} {
		if _, err := s3.Open("s3://bucket", cred); err == nil || !strings.Contains(err.Error(), "secret access key") {
			t.Errorf("%v: error %v, want one that says what is needed", cred, err)
		}
	}
}

func TestNothingPrintsASecret(t *testing.T) {
	cred := cred
	cred.SessionToken = "session-of-the-test"
	st := opened(t, "s3://bucket?endpoint=http://127.0.0.1:1")
	var out bytes.Buffer
	for _, v := range []any{cred, &cred, st, *st, struct{ Cred s3.Credentials }{cred}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("test", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("test", "v", v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
	}
	for _, secret := range []string{cred.SecretAccessKey, cred.SessionToken, fmt.Sprintf("%x", cred.SecretAccessKey)} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q was printed", secret)
		}
	}
	if !strings.Contains(out.String(), cred.AccessKeyID) {
		t.Error("the access key id, which is no secret, was not printed")
	}
}

func TestLifecycleRules(t *testing.T) {
	got, err := s3.Lifecycle("/in/box/", 1)
	must(t, err)
	const want = `{
  "Rules": [
    {
      "AbortIncompleteMultipartUpload": {
        "DaysAfterInitiation": 1
      },
      "Expiration": {
        "Days": 1
      },
      "Filter": {
        "Prefix": "in/box/"
      },
      "ID": "putpost-expire-in-box",
      "Status": "Enabled"
    }
  ]
}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rules differ (-want +got):\n%s", diff)
	}
	if got, err := s3.Lifecycle("", 30); err != nil || !strings.Contains(got, `"Prefix": ""`) ||
		!strings.Contains(got, `"ID": "putpost-expire"`) {
		t.Errorf("for a whole bucket: %s, %v", got, err)
	}
	if _, err := s3.Lifecycle("in", 0); err == nil {
		t.Error("no days at all were taken")
	}
	if _, err := s3.Lifecycle("in//box", 1); err == nil {
		t.Error("a prefix that is no key was taken")
	}
}
