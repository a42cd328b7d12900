package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
)

func TestDemoShowsThatWhatArrivedIsWhatWasSent(t *testing.T) {
	content := strings.Repeat("0123456789", 300_000)
	dir := files(t, "보고서.pdf", content, "empty", "")
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	// The demo must not use real settings.
	env := map[string]string{"TWENTYFOURSEVEN_TOKEN": "x", "NCLOUD_MAILER_BASE_URL": "http://127.0.0.1:1/",
		"NCLOUD_SECRET_KEY": "x"}
	for name, tc := range map[string]struct {
		args []string
		sum  string
	}{
		"a file":        {[]string{filepath.Join(dir, "보고서.pdf")}, sum(content)},
		"an empty file": {[]string{filepath.Join(dir, "empty")}, sum("")},
		"none":          {nil, sum(demoText)},
	} {
		t.Run(name, func(t *testing.T) {
			got := invoke(env, nil, append([]string{"demo"}, tc.args...)...)
			if got.code != 0 || got.stderr != "" {
				t.Errorf("exit code %d, standard error %q", got.code, got.stderr)
			}
			if n := strings.Count(got.stdout, tc.sum); n != 1+len(providers) {
				t.Errorf("the sum %s is there %d times:\n%s", tc.sum, n, got.stdout)
			}
			for _, line := range strings.Split(got.stdout, "\n")[2:] {
				if len(line) > 80 {
					t.Errorf("the line %q has more than 80 columns", line)
				}
			}
		})
	}
}

// corrupt returns other bytes than were stored.
type corrupt struct{ store.Store }

func (c corrupt) Open(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
	r, info, err := c.Store.Open(ctx, key)
	if err != nil || !strings.Contains(key, "twentyfourseven") {
		return r, info, err
	}
	r.Close()
	return io.NopCloser(strings.NewReader("something else")), info, nil
}

func TestDemoFailsWhereWhatArrivedIsSomethingElse(t *testing.T) {
	var stdout, stderr strings.Builder
	p := &program{env: environ(nil), stdout: &stdout, stderr: &stderr}
	code := p.exit(p.demo(t.Context(), upload.Bytes("a", []byte("a")), corrupt{store.Memory(0)}))
	if code != 1 || stderr.String() != "putpost: twentyfourseven: what arrived is not what was sent\n" ||
		strings.Contains(stdout.String(), "is what was sent") {
		t.Errorf("exit code %d after\n%s%s", code, stdout.String(), stderr.String())
	}
}

// Reading a large file takes time, and a demo that prints nothing seems to
// hang.
func TestDemoSaysWhatItDoesBeforeItReadsTheFile(t *testing.T) {
	var stdout strings.Builder
	p := &program{env: environ(nil), stdout: &stdout, stderr: io.Discard}
	src := upload.Bytes("a.bin", []byte("a"))
	src.Open = func() (io.ReadCloser, error) {
		if !strings.HasPrefix(stdout.String(), "a.bin (1 byte) goes to ") {
			t.Errorf("it is read after %q", stdout.String())
		}
		return nil, errors.New("seen")
	}
	if err := p.demo(t.Context(), src, store.Memory(0)); err == nil || !strings.Contains(err.Error(), "seen") {
		t.Errorf("got %v", err)
	}
}

func TestDemoOfNothingFails(t *testing.T) {
	invoke(nil, nil, "demo", "missing.pdf").refused(t, 1, "putpost: missing.pdf: no such file or directory\n")
}
