package wrappers_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	ncloudmailer "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	twentyfourseven "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

// blocks are the README's pieces of code in one language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	if len(found) == 0 {
		t.Fatalf("the README has no %s code", language)
	}
	return found
}

func TestReadmeCompilesAsItStands(t *testing.T) {
	for _, code := range blocks(t, "go") {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "main.go")
			if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "out"), file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s\n%s", err, out, code)
			}
		})
	}
}

func TestReadmeCurlLinesAreAccepted(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	var mu sync.Mutex
	var seen []string
	mux := http.NewServeMux()
	handle := func(h http.Handler, err error, paths ...string) {
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				seen = append(seen, r.Method+" "+path)
				mu.Unlock()
				h.ServeHTTP(w, r)
			})
		}
	}
	office, err := twentyfourseven.New(twentyfourseven.Config{Token: "test-token"})
	handle(office, err, "/v1/", "/upload/")
	mailer, err := ncloudmailer.New(ncloudmailer.Config{AccessKey: "test-access-key", SecretKey: "test-secret-key"})
	handle(mailer, err, "/api/")
	srv := httptest.NewServer(mux)
	defer srv.Close()

	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "invoice.pdf"), []byte("%PDF-1.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, script := range blocks(t, "sh") {
		_, script, found := strings.Cut(script, "putpost serve &\n")
		if !found {
			continue
		}
		script = "set -eu\ncurl() { command curl --silent --show-error --fail-with-body \"$@\"; }\n" +
			strings.ReplaceAll(script, "http://127.0.0.1:8080", srv.URL)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if got, want := strings.Join(seen, ", "), "POST /v1/, PUT /upload/, POST /api/"; got != want {
		t.Errorf("the server got %s, want %s", got, want)
	}
}
