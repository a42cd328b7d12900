//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/upload"
)

// ask sends a GET to the server in env.
func ask(t *testing.T, env map[string]string, path string) standintest.Answer {
	t.Helper()
	url := strings.TrimSuffix(env[ncpBaseURL], "/api/v1") + path
	return standintest.Send(t, http.DefaultClient, standintest.Request(t, http.MethodGet, url, nil))
}

func TestTheConsoleShowsUploads(t *testing.T) {
	p, env := serving(t, "--exchanges", "3")
	path := files(t, "a.txt", "hello") + "/a.txt"
	for provider := range providers {
		invoke(env, nil, "send", "--to", provider, path).is(t, 0, 1)
		invoke(with(env, ncpSecretKey, "wrong"), nil, "send", "--to", "ncloudmailer", path)
	}
	var list struct {
		Exchanges []struct{ Refusal string }
	}
	ask(t, env, "/_putpost/exchanges").Is(http.StatusOK).Decode(&list)
	if len(list.Exchanges) != 3 || !strings.Contains(list.Exchanges[0].Refusal, "signature") {
		t.Errorf("got %+v, want three, the last of them a refusal", list)
	}
	p.says(t, "/_putpost/\n")
	const title = "<title>putpost console"
	for path, want := range map[string]string{"/": `href="/_putpost/"`, "/_putpost": title, "/_putpost/": title} {
		ask(t, env, path).Is(http.StatusOK, want)
	}
	for _, provider := range providerNames() {
		ask(t, env, "/_putpost/providers").Is(http.StatusOK, `"`+provider+`"`)
		if p := providers[provider]; p.firstUpload == "" || p.credentialsInShell == nil {
			t.Errorf("the console does not say how to upload to %s", provider)
		}
	}
}

func TestAListenerDoesNotKeepServeFromEnding(t *testing.T) {
	p, env := serving(t)
	resp, err := http.Get(strings.TrimSuffix(env[ncpBaseURL], "/api/v1") + "/_putpost/events")
	must(t, err)
	defer resp.Body.Close()
	if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	p.signal(t, syscall.SIGTERM)
	if p.end().is(t, 0, 0); time.Since(begun) > drainTime/2 {
		t.Errorf("it ended after %s", time.Since(begun))
	}
}

func TestTheConsoleIsOffOnOtherAddressesAndBehindAProxy(t *testing.T) {
	for _, args := range [][]string{{"--behind-proxy"}, {"--public-url", "https://files.example"}} {
		p, env := serving(t, args...)
		ask(t, env, "/_putpost/health").Is(http.StatusForbidden, consoleToken)
		p.says(t, "the console is off")
	}
}

// serving starts serve. It returns the environment of a client, too.
func serving(t *testing.T, args ...string) (*process, map[string]string) {
	t.Helper()
	p := command(t, nil, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	p.Stdout = nil
	stdout, err := p.StdoutPipe()
	must(t, err)
	p.start(t)
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no first line: %v\n%s", err, p.stderr.String())
	}
	return p, clientOf(strings.TrimSpace(line))
}

func TestALogInJSONHoldsNothingElse(t *testing.T) {
	p, _ := serving(t, "--log-format", "json")
	p.signal(t, syscall.SIGTERM)
	for line := range strings.Lines(p.end().is(t, 0, 0, "finishing the requests under way").stderr) {
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
	p, _ := serving(t, "--store", dir, "--max-size", "1kB")
	p.says(t, "export "+tfsOrganization+"=1\n") // the last one
	env := map[string]string{}
	for line := range strings.Lines(p.stderr.String()) {
		if pair, ok := strings.CutPrefix(line, "export "); ok {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			env[name] = value
		}
	}
	folder := files(t, "small", "small", "large", strings.Repeat("x", 1001))
	for _, env := range []map[string]string{env, with(env, tfsToken, "")} { // by the token, and as a client
		for provider := range providers {
			invoke(env, nil, "send", "--to", provider, filepath.Join(folder, "small")).is(t, 0, 1)
			invoke(env, nil, "send", "--to", provider, filepath.Join(folder, "large")).is(t, 1, 0, "too large")
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
	p.end().is(t, 0, 0)
}

// The signals come in the middle of an upload.
func TestServeDrainsOnTheFirstSignalAndEndsAtOnceOnTheSecond(t *testing.T) {
	half := make([]byte, 512<<10)
	for _, signals := range [][]os.Signal{{syscall.SIGTERM}, {os.Interrupt, os.Interrupt}} {
		p, env := serving(t)
		client, err := providers["ncloudmailer"].client(environ(env), upload.Config{Retry: upload.Retry{Attempts: 1}})
		must(t, err)
		r, w := io.Pipe()
		t.Cleanup(func() { r.Close() })
		done := make(chan error, 1)
		go func() {
			_, err := client.Upload(t.Context(), upload.Reader("slow", r, 1<<20))
			done <- err
		}()
		w.Write(half)
		for _, signal := range signals {
			p.signal(t, signal)
			p.says(t, "finishing")
		}
		if len(signals) == 2 {
			p.end().is(t, 1, 0, "putpost: interrupted: the requests under way are cut off\n")
		}
		go func() { w.Write(half); w.Close() }()
		if err := <-done; (err == nil) != (len(signals) == 1) {
			t.Errorf("after %d signals the upload ended with %v", len(signals), err)
		}
		if len(signals) == 1 {
			p.end().is(t, 0, 0)
		}
	}
}

func TestAPortInUseIsOneLineAndExitOne(t *testing.T) {
	ln := listen(t)
	invoke(nil, nil, "serve", "--addr", ln.Addr().String()).refused(t, 1,
		"in use; choose another address with --addr, or port 0 for a free port\n")
}
