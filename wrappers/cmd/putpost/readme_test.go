//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What the README does to the program it does here, line by line.
func TestReadmeLinesForTheServerWork(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	readme, err := os.ReadFile("../../../README.md")
	must(t, err)
	server, env := serving(t)
	dir, base := files(t, "invoice.pdf", "%PDF-1.7"), strings.TrimSuffix(env[ncpBaseURL], "/api/v1")
	var seen []string
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(readme), -1) {
		script := block[1]
		if !strings.Contains(script, "http://127.0.0.1:8080") || strings.Contains(script, "putpost serve") {
			continue
		}
		script = "set -eu -o pipefail\n" +
			"curl() { command curl --silent --show-error --fail-with-body \"$@\"; }\n" +
			"putpost() { PUTPOST_TEST_IS_PROGRAM=1 " + server.Path + " \"$@\"; }\n" +
			strings.ReplaceAll(script, "http://127.0.0.1:8080", base)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", script)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, script, out)
		}
		var list struct {
			Exchanges []struct {
				Operation string
				Status    int
			}
		}
		ask(t, env, "/_putpost/exchanges").Decode(&list)
		for _, x := range slices.Backward(list.Exchanges) { // the oldest first
			seen = append(seen, fmt.Sprint(x.Operation, " ", x.Status))
		}
	}
	if got, want := strings.Join(seen, ", "),
		"fileUpload 200, presigned 200, createFile 201, createFile 503, createFile 201"; got != want {
		t.Errorf("the server saw %s, want %s", got, want)
	}
}
