//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/upload"
)

// ask sends a GET to the server in env.
func ask(t *testing.T, env map[string]string, path string) (status int, body string) {
	t.Helper()
	url := strings.TrimSuffix(env[ncpBaseURL], "/api/v1") + path
	resp, body := standintest.Send(t, http.DefaultClient, standintest.Request(t, http.MethodGet, url, nil))
	return resp.StatusCode, body
}

func TestTheConsoleShowsUploads(t *testing.T) {
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
		p, env, stderr := serving(t, args...)
		status, text := ask(t, env, "/_putpost/health")
		if status != http.StatusForbidden || !strings.Contains(text, consoleToken) {
			t.Errorf("%v: %d %s", args, status, text)
		}
		p.signal(t, syscall.SIGTERM) // after its end the log is complete
		p.code(t)
		if !strings.Contains(stderr.String(), "the console is off") {
			t.Errorf("%v: nobody is told:\n%s", args, stderr.String())
		}
	}
}

// serving starts serve. It returns the environment of a client and the log.
func serving(t *testing.T, args ...string) (*process, map[string]string, *standintest.Log) {
	t.Helper()
	p := command(t, nil, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	p.Stdout = nil
	stderr := &standintest.Log{}
	p.Stderr = stderr
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no first line: %v\n%s", err, stderr.String())
	}
	env := map[string]string{}
	for _, to := range providers {
		for _, v := range append(to.reach(strings.TrimSpace(line)), to.fallback...) {
			env[v.name] = v.value
		}
	}
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	return p, env, stderr
}

func TestALogInJSONHoldsNothingElse(t *testing.T) {
	p, _, stderr := serving(t, "--log-format", "json")
	p.signal(t, syscall.SIGTERM)
	if code := p.code(t); code != 0 || !strings.Contains(stderr.String(), "finishing the requests under way") {
		t.Errorf("exit code %d\n%s", code, stderr.String())
	}
	for line := range strings.Lines(stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

func TestAnErrorOfServeIsInTheFormatOfTheLog(t *testing.T) {
	for wrong, code := range map[string]int{
		"--addr=nonsense": 2, "--env-file=/missing": 2, "--max-header=0": 2, "--addr=192.0.2.1:80": 2,
		"--store=" + os.Args[0]: 1,
	} {
		got := invoke(nil, nil, "serve", "--log-format=json", wrong)
		var line struct{ Level, Msg string }
		err := json.Unmarshal([]byte(got.stderr), &line)
		if got.code != code || err != nil || line.Level != "ERROR" || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d after %s", wrong, got.code, got.stderr)
		}
	}
}

// The clients have the environment that serve prints.
func TestServeStoresUploadsOfSendAndEndsWithASignal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "folder")
	p, _, stderr := serving(t, "--store", dir, "--max-size", "1kB")
	until(t, "the last export", func() bool {
		return strings.Contains(stderr.String(), "export "+tfsOrganization+"=1\n")
	})
	env := map[string]string{}
	for line := range strings.Lines(stderr.String()) {
		if pair, ok := strings.CutPrefix(line, "export "); ok {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			env[name] = value
		}
	}
	folder := files(t, "small", "small", "large", strings.Repeat("x", 1001))
	for _, env := range []map[string]string{env, with(env, tfsToken, "")} { // by the token, and as a client
		for provider := range providers {
			if got := invoke(env, nil, "send", "--to", provider, filepath.Join(folder, "small")); got.code != 0 {
				t.Fatalf("%s: %+v", provider, got)
			}
			if got := invoke(env, nil, "send", "--to", provider, filepath.Join(folder, "large")); got.code != 1 ||
				!strings.Contains(got.stderr, "too large") {
				t.Errorf("%s took a file that is too large: %+v", provider, got)
			}
		}
	}
	plain := 0
	filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		if content, _ := os.ReadFile(path); string(content) == "small" {
			plain++
		}
		return nil
	})
	if plain != 2*len(providers) {
		t.Errorf("%d plain files hold what was sent, want %d", plain, 2*len(providers))
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.code(t); code != 0 {
		t.Errorf("exit code %d, want 0\n%s", code, stderr.String())
	}
}

// slow starts an upload that stops in the middle until letGo is called.
func slow(t *testing.T, env map[string]string) (inTheMiddle <-chan struct{}, letGo func(), done <-chan error) {
	t.Helper()
	client, err := providers["ncloudmailer"].client(environ(env),
		upload.Config{Retry: upload.Retry{Attempts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	middle, end, finished := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	r, w := io.Pipe()
	go func() {
		w.Write(bytes.Repeat([]byte("x"), 512<<10))
		close(middle)
		<-end
		w.Write(bytes.Repeat([]byte("x"), 512<<10))
		w.Close()
	}()
	ctx, cancel := context.WithCancel(context.Background())
	var once atomic.Bool
	release := func() {
		if !once.Swap(true) {
			close(end)
		}
	}
	t.Cleanup(func() { cancel(); release(); r.Close() })
	go func() {
		_, err := client.Upload(ctx, upload.Reader("slow", r, 1<<20))
		finished <- err
	}()
	return middle, release, finished
}

func TestServeDrainsOnTheFirstSignalAndEndsAtOnceOnTheSecond(t *testing.T) {
	t.Run("first", func(t *testing.T) {
		p, env, stderr := serving(t)
		middle, letGo, done := slow(t, env)
		await(t, "the middle of the upload", middle, 1)
		p.signal(t, syscall.SIGTERM)
		until(t, "the answer to the signal", func() bool { return strings.Contains(stderr.String(), "finishing") })
		letGo()
		if err := <-done; err != nil {
			t.Errorf("the upload that was in flight failed: %v", err)
		}
		if code := p.code(t); code != 0 {
			t.Errorf("exit code %d, want 0\n%s", code, stderr.String())
		}
	})
	t.Run("second", func(t *testing.T) {
		p, env, stderr := serving(t)
		middle, letGo, done := slow(t, env)
		await(t, "the middle of the upload", middle, 1)
		p.signal(t, os.Interrupt)
		until(t, "the answer to the signal", func() bool { return strings.Contains(stderr.String(), "finishing") })
		p.signal(t, os.Interrupt)
		if code := p.code(t); code != 1 || !strings.Contains(stderr.String(),
			"putpost: interrupted: the requests under way are cut off\n") {
			t.Errorf("exit code %d, want 1\n%s", code, stderr.String())
		}
		letGo()
		if err := <-done; err == nil {
			t.Error("the upload that was cut off is said to have arrived")
		}
	})
}

func TestAPortInUseIsOneLineAndExitOne(t *testing.T) {
	ln := listen(t)
	defer ln.Close()
	invoke(nil, nil, "serve", "--addr", ln.Addr().String()).refused(t, 1,
		"in use; choose another address with --addr, or port 0 for a free port\n")
}
