package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestLifecycleIsPrintedForNAVERsFilesAlone(t *testing.T) {
	r := invoke(nil, nil, "serve", "--store", "s3://bucket/pre/fix?endpoint=http://127.0.0.1:1", "--print-lifecycle")
	var rule struct {
		Rules []struct {
			Filter     struct{ Prefix string }
			Expiration struct{ Days int }
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &rule); err != nil || r.code != 0 {
		t.Fatalf("exit %d, %v\n%s%s", r.code, err, r.stdout, r.stderr)
	}
	if len(rule.Rules) != 1 || rule.Rules[0].Filter.Prefix != "pre/fix/ncloudmailer/" ||
		rule.Rules[0].Expiration.Days != 1 {
		t.Errorf("rule %+v, want one of a day for pre/fix/ncloudmailer/", rule)
	}
	for _, store := range []string{"memory", "folder", "s3://bucket/..%2f"} {
		if r := invoke(nil, nil, "serve", "--store", store, "--print-lifecycle"); r.code != 2 || r.stdout != "" ||
			strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, %q, %q: want exit 2 and one line on standard error", store, r.code, r.stdout, r.stderr)
		}
	}
}
