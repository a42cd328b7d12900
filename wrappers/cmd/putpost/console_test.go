//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ask gets a path of the server that env leads to.
func ask(t *testing.T, env map[string]string, path string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(strings.TrimSuffix(env[ncpBaseURL], "/api/v1") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestServeShowsWhatItTook(t *testing.T) {
	_, env, stderr := serving(t, "--exchanges", "3")
	path := files(t, "a.txt", "hello") + "/a.txt"
	for provider := range providers {
		if got := invoke(env, nil, "send", "--to", provider, path); got.code != 0 {
			t.Fatalf("%s: %+v", provider, got)
		}
		invoke(with(env, ncpSecretKey, "wrong"), nil, "send", "--to", "ncloudmailer", path)
	}
	status, text := ask(t, env, "/_putpost/exchanges")
	var list struct {
		Exchanges []struct{ Refusal string }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || status != http.StatusOK || len(list.Exchanges) != 3 {
		t.Errorf("%d %s: %v", status, text, err)
	}
	if !strings.Contains(list.Exchanges[0].Refusal, "signature") {
		t.Errorf("the last exchange, a refusal, is %+v", list.Exchanges[0])
	}
	if !strings.Contains(stderr.String(), "/_putpost/\n") {
		t.Errorf("nobody is told of the console:\n%s", stderr.String())
	}
	const title = "<title>putpost console"
	for path, want := range map[string]string{"/": `href="/_putpost/"`, "/_putpost": title, "/_putpost/": title} {
		if status, text := ask(t, env, path); status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %.200s", path, status, text)
		}
	}
	for _, provider := range providerNames() {
		_, text := ask(t, env, "/_putpost/providers")
		p := providers[provider]
		if !strings.Contains(text, `"`+provider+`"`) || p.firstUpload == "" || p.credentialsInShell == nil {
			t.Errorf("the console does not say how to upload to %s", provider)
		}
	}
}

func TestAListenerDoesNotKeepServeFromEnding(t *testing.T) {
	p, env, stderr := serving(t)
	resp, err := http.Get(strings.TrimSuffix(env[ncpBaseURL], "/api/v1") + "/_putpost/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	p.signal(t, syscall.SIGTERM)
	if code := p.code(t); code != 0 || time.Since(begun) > drainTime/2 {
		t.Errorf("exit code %d after %s\n%s", code, time.Since(begun), stderr.String())
	}
}

func TestTheConsoleIsOffOnOtherAddressesAndBehindAProxy(t *testing.T) {
	for _, args := range [][]string{{"--behind-proxy"}, {"--public-url", "https://files.example"}} {
		_, env, stderr := serving(t, args...)
		status, text := ask(t, env, "/_putpost/health")
		if status != http.StatusForbidden || !strings.Contains(text, consoleToken) {
			t.Errorf("%v: %d %s", args, status, text)
		}
		if !strings.Contains(stderr.String(), "the console is off") {
			t.Errorf("%v: nobody is told:\n%s", args, stderr.String())
		}
	}
}

func TestWrongSettingsOfTheConsoleAreUsageErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		args []string
	}{
		"no exchanges":        {nil, []string{"--exchanges", "0"}},
		"no memory":           {nil, []string{"--exchanges-memory", "0"}},
		"a token with blanks": {map[string]string{consoleToken: "two words"}, nil},
	} {
		args := append([]string{"serve", "--addr", "127.0.0.1:0"}, tc.args...)
		if got := invoke(tc.env, nil, args...); got.code != exitUsage {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
