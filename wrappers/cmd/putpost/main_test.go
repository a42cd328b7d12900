package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store"
)

// TestMain lets the test binary be the program, for tests that need another
// process: signals, a killed run, a closed pipe.
func TestMain(m *testing.M) {
	if os.Getenv("PUTPOST_TEST_IS_PROGRAM") != "" {
		main()
	}
	os.Exit(m.Run())
}

// result is the outcome of a run of the program.
type result struct {
	args           []string
	code           int
	stdout, stderr string
}

// invoke runs the program in this process.
func invoke(env map[string]string, stdin io.Reader, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(args, environ(env), stdin, &stdout, &stderr)
	return result{args, code, stdout.String(), stderr.String()}
}

// is checks the exit code, the number of lines on standard output, and that
// standard error has each of the texts.
func (r result) is(t *testing.T, code, lines int, stderr ...string) result {
	t.Helper()
	if n := strings.Count(r.stdout, "\n"); r.code != code || n != lines {
		t.Errorf("%d lines of %+v, want %d and the exit code %d", n, r, lines, code)
	}
	for _, text := range stderr {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("standard error has no %q: %+v", text, r)
		}
	}
	return r
}

// prints checks that the run succeeded with this text on standard output.
func (r result) prints(t *testing.T, want string) {
	t.Helper()
	if r.code != 0 || r.stdout != want {
		t.Errorf("got %+v, want %q", r, want)
	}
}

// refused checks that nothing is on standard output, and on standard error one
// line that has want and no secret.
func (r result) refused(t *testing.T, code int, want string) {
	t.Helper()
	if r.code != code || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 ||
		!strings.HasPrefix(r.stderr, "putpost: ") || !strings.Contains(r.stderr, want) ||
		strings.Contains(r.stderr, "s3cret") {
		t.Errorf("got %+v, want exit code %d and one line with %q", r, code, want)
	}
}

var must = standintest.Must

// patience is long, because a machine with other work may take long.
const patience = time.Minute

func await(t *testing.T, what string, ch <-chan struct{}, n int) {
	t.Helper()
	for range n {
		select {
		case <-ch:
		case <-time.After(patience):
			t.Fatal("waited in vain for", what)
		}
	}
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for", what)
		}
	}
}

func environ(env map[string]string) environment { return func(name string) string { return env[name] } }

// loopbackStandins returns the stand-ins for test credentials.
func loopbackStandins(t *testing.T, cfg standinConfig) standins {
	t.Helper()
	env, _, err := serveCredentials(environ(nil), true)
	must(t, err)
	all, err := newStandins(env, cfg)
	must(t, err)
	return all
}

// service is the stand-ins on a socket, with the environment of a client.
type service struct {
	all     standins
	handler http.Handler // of all
	env     map[string]string
	// around, if it is set, is called instead of the stand-ins.
	mu     sync.Mutex
	around func(w http.ResponseWriter, r *http.Request, next http.Handler)
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	around := s.around
	s.mu.Unlock()
	if around != nil {
		around(w, r, s.handler)
		return
	}
	s.handler.ServeHTTP(w, r)
}

func (s *service) intercept(around func(w http.ResponseWriter, r *http.Request, next http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.around = around
}

func newService(t *testing.T) *service {
	t.Helper()
	all := loopbackStandins(t, standinConfig{store: store.Memory(0), logger: silent})
	s := &service{all: all, handler: all.handler(silent)}
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.CloseClientConnections() // Close would wait for a request that a failed test still holds
		srv.Close()
	})
	s.env = clientOf(srv.URL)
	return s
}

// clientOf returns the environment of a client of the stand-ins at base.
func clientOf(base string) map[string]string {
	env := map[string]string{}
	for _, p := range providers {
		for _, v := range append(p.reach(base), p.fallback...) {
			env[v.name] = v.value
		}
	}
	return env
}

// send sends to a provider's stand-in.
func (s *service) send(provider string, args ...string) result {
	return invoke(s.env, nil, append([]string{"send", "--to", provider}, args...)...)
}

// stored returns the file that the provider's stand-in holds under id, and its
// media type.
func (s *service) stored(t *testing.T, provider, id string) (content, contentType string) {
	t.Helper()
	return standintest.Stored(t, s.all[provider], id)
}

// files writes name and content pairs into a folder of their own.
func files(t *testing.T, pairs ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for i := 0; i < len(pairs); i += 2 {
		path := filepath.Join(dir, pairs[i])
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(pairs[i+1]), 0o644))
	}
	return dir
}

// rows returns the lines of standard output, split at tabs.
func rows(stdout string) (rows [][]string) {
	for line := range strings.Lines(stdout) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return rows
}

func TestAUsageErrorIsOneLineAndExitTwo(t *testing.T) {
	t.Chdir(files(t, "a", "a"))
	good := map[string]string{tfsToken: "s3cret-token", ncpAccessKey: "s3cret-key", ncpSecretKey: "s3cret-secret"}
	client := map[string]string{tfsClientID: "s3cret", tfsClientSecret: "s3cret", tfsOrganization: "1"}
	for name, tc := range map[string]struct {
		env        map[string]string
		args, want string
	}{
		"no command":           {good, "", "expected one of"},
		"unknown command":      {good, "sned", "sned"},
		"unknown flag":         {good, "send --bogus", "--bogus"},
		"no provider":          {good, "send a", "--to"},
		"unknown provider":     {good, "send --to dropbox a", `"` + strings.Join(providerNames(), `","`) + `"`},
		"nothing to send":      {good, "send --to ncloudmailer", "nothing to send"},
		"no concurrency":       {good, "send --to ncloudmailer --concurrency 0 a", "--concurrency"},
		"a name for two files": {good, "send --to ncloudmailer --name x a a", "--name"},
		"a name for a list":    {good, "send --to ncloudmailer --name x --files-from - a", "--name"},
		"a name that is none":  {good, "send --to ncloudmailer --name x/ a", "--name"},
		"stdin twice":          {good, "send --to ncloudmailer - -", "only once"},
		"stdin and list":       {good, "send --to ncloudmailer --files-from - -", "both"},
		"stdin and journal":    {good, "send --to ncloudmailer --journal j -", "--journal"},
		"nothing to wait for":  {good, "send --to ncloudmailer --wait a", "--wait"},
		"no credentials": {nil, "send --to twentyfourseven a",
			"TWENTYFOURSEVEN_TOKEN, or TWENTYFOURSEVEN_CLIENT_ID, "},
		"no secret": {with(client, tfsClientSecret, ""), "send --to twentyfourseven a",
			"TWENTYFOURSEVEN_CLIENT_SECRET is not set, but TWENTYFOURSEVEN_CLIENT_ID and " +
				"TWENTYFOURSEVEN_ORGANIZATION are; set all of them, or only TWENTYFOURSEVEN_TOKEN"},
		"no keys":       {nil, "send --to ncloudmailer a", "NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY are not set"},
		"no key":        {with(good, ncpAccessKey, ""), "getFile x", "NCLOUD_ACCESS_KEY is not set"},
		"no base":       {with(good, ncpBaseURL, "nonsense"), "send --to ncloudmailer a", "NCLOUD_MAILER_BASE_URL"},
		"no token base": {with(client, tfsTokenURL, "https://s3cret@x/"), "send --to twentyfourseven a", tfsTokenURL},
		"no id":         {good, "getFileUploadStatus", "ID"},
		"no address":    {nil, "serve --addr 8080", "--addr"},
		"no size":       {nil, "serve --max-size 10M", "10MB or 10MiB"},
		"no store":      {nil, "serve --store=", "--store"},
		"other store":   {nil, "serve --store gs://x?key=s3cret", "--store"},
		"no bucket key": {nil, "serve --store s3://bucket/x", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		"no exchanges":  {nil, "serve --addr 127.0.0.1:0 --exchanges 0", "--exchanges"},
		"no memory":     {nil, "serve --addr 127.0.0.1:0 --exchanges-memory 0", "--exchanges-memory"},
		"open to all":   {nil, "serve --addr 0.0.0.0:0", "NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY are not set"},
		"a token with blanks": {map[string]string{consoleToken: "s3cret words"}, "serve --addr 127.0.0.1:0",
			consoleToken},
	} {
		t.Run(name, func(t *testing.T) {
			invoke(tc.env, strings.NewReader(""), strings.Fields(tc.args)...).refused(t, 2, tc.want)
		})
	}
}

func TestACredentialWithABlankIsOneLineThatNamesIt(t *testing.T) {
	good := map[string]string{awsKeyID: "s3cret", awsSecret: "s3cret", awsSession: "s3cret"}
	bucket := []string{"serve", "--addr", "127.0.0.1:0", "--store", "s3://bucket/x?endpoint=http://127.0.0.1:1"}
	runs := map[string][][]string{awsKeyID: {bucket}, awsSecret: {bucket}, awsSession: {bucket}}
	for provider, p := range providers {
		for _, name := range p.credentials {
			good[name] = "s3cret"
			runs[name] = [][]string{{"send", "--to", provider, "x"}, {"serve", "--addr", "127.0.0.1:0", "--store", ""},
				{"serve", "--addr", "192.0.2.1:0", "--store", ""}}
		}
		for _, v := range p.fallback {
			if !slices.Contains(p.credentials, v.name) {
				t.Errorf("%s: %s is no credential of the client", provider, v.name)
			}
		}
	}
	for name, runs := range runs {
		for _, value := range []string{"s3cret\n", " s3cret", "s3\tcret", "s3cret\r\n", "\n"} {
			for _, args := range runs {
				invoke(with(good, name, value), nil, args...).refused(t, exitUsage,
					"putpost: "+name+" has a blank or a line break in it")
			}
		}
	}
}

func with(env map[string]string, name, value string) map[string]string {
	more := maps.Clone(env)
	more[name] = value
	return more
}

func TestHelpIsDataAsWideAsTheTerminalUpToAHundredColumns(t *testing.T) {
	commands := [][]string{nil, {"journal", "check"}, {"journal", "repair"}}
	for _, c := range subcommands() {
		commands = append(commands, []string{c.name})
	}
	for terminal, widest := range map[string]int{"80": 80, "200": 100} {
		t.Setenv("COLUMNS", terminal)
		for _, command := range commands {
			got := invoke(nil, nil, append(command, "--help")...)
			if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "Usage: putpost") {
				t.Errorf("%v: exit code %d, standard error %q, standard output %.40q", command, got.code,
					got.stderr, got.stdout)
			}
			for line := range strings.Lines(got.stdout) {
				if len(strings.TrimSuffix(line, "\n")) > widest {
					t.Errorf("%v: a line has more than %d columns: %q", command, widest, line)
				}
			}
		}
	}
}

func TestEverySpecHasItsProvider(t *testing.T) {
	specs, err := filepath.Glob("../../../specs/*.yaml")
	if err != nil || len(specs) == 0 {
		t.Fatal("found no specs:", err)
	}
	for _, spec := range specs {
		if name := strings.TrimSuffix(filepath.Base(spec), ".yaml"); name != "console" &&
			providers[name].connect == nil {
			t.Errorf("%s has no entry in the map providers", name)
		}
	}
}

func TestPathsNeedNotBeUTF8(t *testing.T) {
	s := newService(t)
	t.Chdir(files(t, "bad\xff.txt", "content"))
	for name, args := range map[string][]string{
		"FILE":       {"bad\xff.txt"},
		"--journal":  {"--journal", "journal\xff", "bad\xff.txt"},
		"--journal=": {"--journal=journal\xfe", "bad\xff.txt"},
	} {
		sent := s.send("twentyfourseven", args...).is(t, 0, 1).stdout
		if content, _ := s.stored(t, "twentyfourseven", strings.Split(sent, "\t")[0]); content != "content" {
			t.Errorf("%s: stored is %q", name, content)
		}
	}
	for _, journal := range []string{"journal\xff", "journal\xfe"} {
		if _, err := os.Stat(journal); err != nil {
			t.Error(err)
		}
	}
}

func small(t *testing.T, n int) (dir string) {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprint(i), fmt.Sprint("content of ", i))
	}
	return files(t, pairs...)
}
