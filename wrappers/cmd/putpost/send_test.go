package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestWhatIsSentIsStoredUnderThePrintedID(t *testing.T) {
	s := newService(t)
	want := map[string]string{
		"empty": "", strings.Repeat("보", 85): "255 bytes",
		"a,b.txt": "comma", "보고서 \"최종\".pdf": "%PDF", "-dash": "dash",
		"big.bin": strings.Repeat("\x00\xff", 1<<20),
	}
	var pairs []string
	for name, content := range want {
		pairs = append(pairs, name, content)
	}
	dir := files(t, pairs...)
	for provider := range providers {
		t.Run(provider, func(t *testing.T) {
			args := []string{"send", "--to", provider, "--"}
			for name := range want {
				args = append(args, filepath.Join(dir, name))
			}
			got := invoke(s.env, nil, args...).is(t, 0, len(want))
			if got.stderr != "" {
				t.Errorf("standard error %q", got.stderr)
			}
			for _, row := range rows(got.stdout) {
				if len(row) != 2 {
					t.Fatalf("the line %q has not two columns", row)
				}
				if content, _ := s.stored(t, provider, row[0]); content != want[row[1]] {
					t.Errorf("%q is stored as %.40q", row[1], content)
				}
			}
		})
	}
}

func TestJSONLinesHaveWhatTheProviderSaid(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "R&D.txt", "hello"), "R&D.txt")
	for provider, own := range map[string][]string{
		"twentyfourseven": {"documentId"},
		"ncloudmailer":    {"tempRequestId", "expires"},
	} {
		args := []string{"send", "--to", provider, "--json", path}
		if provider == "twentyfourseven" {
			args = append(args, "--wait")
		}
		got := invoke(s.env, nil, args...)
		var line map[string]any
		if err := json.Unmarshal([]byte(got.stdout), &line); err != nil || got.code != 0 {
			t.Fatalf("%s: %v in %+v", provider, err, got)
		}
		for key, want := range map[string]any{"provider": provider, "path": path, "name": "R&D.txt", "size": 5.0} {
			if line[key] != want {
				t.Errorf("%s: %s is %v, want %v", provider, key, line[key], want)
			}
		}
		for _, key := range append([]string{"id", "traceId"}, own...) {
			if line[key] == nil {
				t.Errorf("%s: there is no %s in %s", provider, key, got.stdout)
			}
		}
		if !strings.Contains(got.stdout, "R&D") {
			t.Errorf("%s: %s is escaped as for HTML", provider, got.stdout)
		}
	}
}

func TestColumnsSurviveTabsAndNewlines(t *testing.T) {
	if got, want := (record{about: about{ID: "1"}, Name: "a\tb\nc\\d"}).line(false), "1\ta\\tb\\nc\\d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestABatchIsListedAndDeleted(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "a.txt", "a"), "a.txt")
	sent := s.send("ncloudmailer", "--json", path)
	var line struct{ ID, TempRequestID string }
	must(t, json.Unmarshal([]byte(sent.stdout), &line))
	for _, verb := range []string{"getFile", "deleteFile"} {
		invoke(s.env, nil, verb, line.TempRequestID).prints(t, line.ID+"\ta.txt\n")
	}
	for _, verb := range []string{"getFile", "deleteFile"} {
		got := invoke(s.env, nil, verb, line.TempRequestID, "../files").is(t, 1, 0)
		if strings.Count(got.stderr, ": not found: ") != 2 {
			t.Errorf("%s of what is gone: got %+v", verb, got)
		}
		got = invoke(s.env, nil, verb, "--json", line.TempRequestID)
		var f failure
		if err := json.Unmarshal([]byte(got.stdout), &f); err != nil || f.Kind != "notFound" ||
			f.ID != line.TempRequestID || f.Op != verb || f.Code == "" {
			t.Errorf("%s --json of what is gone: got %+v", verb, got)
		}
		// A user may take the fileId for the tempRequestId.
		invoke(s.env, nil, verb, line.ID).is(t, 1, 0,
			" (the ID must be a tempRequestId, as send --json prints it)\n")
	}
}

func TestOneBadFileAmongOthersIsNamedAndTheRestGoOn(t *testing.T) {
	s := newService(t)
	dir := files(t, "a.txt", "a", "b.txt", "b", "folder/c.txt", "c")
	at := func(name string) string { return filepath.Join(dir, name) }
	got := s.send("ncloudmailer", at("missing.txt"), at("a.txt"), at("folder"), at("b.txt"), "").is(t, 1, 2)
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	for i, want := range []string{
		"putpost: " + at("missing.txt") + ": no such file or directory",
		"putpost: " + at("folder") + ": is a directory; --recursive sends the files in it",
		`putpost: "": no such file or directory`,
		fmt.Sprintf(`putpost: 2 sent; 3 failed: %s, %s, ""; 2 bytes in `, at("missing.txt"), at("folder")),
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("standard error has no line %d that begins with %q:\n%s", i, want, got.stderr)
		}
	}
}

func TestManyFailuresDoNotFloodTheSummary(t *testing.T) {
	var names []string
	for i := range 25 {
		names = append(names, fmt.Sprint("missing", i))
	}
	newService(t).send("ncloudmailer", names...).is(t, 1, 0,
		"0 sent; 25 failed: "+strings.Join(names[:10], ", ")+" and 15 more")
}

func TestTheNameBringsItsMediaType(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "a.txt", "hello"), "a.txt")
	for name, want := range map[string]string{"dir/보고서.pdf": "application/pdf", "unknown": "text/plain"} {
		id, sent, _ := strings.Cut(s.send("ncloudmailer", "--name", name, path).is(t, 0, 1).stdout, "\t")
		if _, contentType := s.stored(t, "ncloudmailer", id); contentType != want || sent != filepath.Base(name)+"\n" {
			t.Errorf("%s is of type %q, want %q", name, contentType, want)
		}
	}
}

func TestStandardInputIsSentWholeOrFromWhereItStands(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "in", "hello world"), "in")
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	open := func(offset int64) *os.File {
		f, err := os.Open(path)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		f.Seek(offset, io.SeekStart)
		return f
	}
	piped, w, err := os.Pipe()
	must(t, err)
	go func() {
		io.WriteString(w, strings.Repeat("through a pipe ", 100_000))
		w.Close()
	}()
	for name, tc := range map[string]struct {
		stdin io.Reader
		args  []string
		want  string
		named string
	}{
		"a file":           {open(0), nil, "hello world", "stdin"},
		"the rest of one":  {open(6), nil, "world", "stdin"},
		"behind the end":   {open(99), nil, "", "stdin"},
		"a pipe":           {piped, []string{"--name", "a.csv"}, strings.Repeat("through a pipe ", 100_000), "a.csv"},
		"nothing":          {strings.NewReader(""), nil, "", "stdin"},
		"something in Go":  {strings.NewReader("go"), nil, "go", "stdin"},
		"beside a file":    {strings.NewReader("go"), []string{path}, "go", "stdin"},
		"a file of a list": {strings.NewReader(path + "\n"), []string{"--files-from", "-"}, "hello world", "in"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"send", "--to", "ncloudmailer"}, tc.args...)
			if !strings.Contains(name, "list") {
				args = append(args, "-")
			}
			got := invoke(s.env, tc.stdin, args...)
			sent := rows(got.stdout)
			i := slices.IndexFunc(sent, func(row []string) bool { return row[1] == tc.named })
			if got.code != 0 || got.stderr != "" || i < 0 {
				t.Fatalf("got %+v", got)
			}
			if content, _ := s.stored(t, "ncloudmailer", sent[i][0]); content != tc.want {
				t.Errorf("stored is %.40q, want %.40q", content, tc.want)
			}
		})
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("the temporary folder still has %v", left)
	}
}

func TestAFileThatGrowsOnStandardInputIsAnError(t *testing.T) {
	s := newService(t)
	f, err := os.OpenFile(filepath.Join(files(t, "in", "hello"), "in"), os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.HasPrefix(r.URL.Path, "/v1/fileUpload") {
			f.WriteAt([]byte("hello world"), 0)
		}
		next.ServeHTTP(w, r)
	})
	invoke(s.env, f, "send", "--to", "twentyfourseven", "-").is(t, 1, 0, "invalid")
}

func TestFoldersAreSentWithAllThatIsInThem(t *testing.T) {
	s := newService(t)
	pairs := []string{"top.txt", "top", "a/b/c/deep.txt", "deep", "a/.hidden", "hidden", "other/file", "linked"}
	for i := range 600 { // more than one ReadDir returns
		pairs = append(pairs, fmt.Sprintf("a/many/%d", i), "x")
	}
	dir := files(t, pairs...)
	for link, to := range map[string]string{"a/link.txt": "../other/file", "a/loop": "..", "a/broken": "nowhere"} {
		must(t, os.Symlink(to, filepath.Join(dir, link)))
	}
	got := s.send("ncloudmailer", "-r", filepath.Join(dir, "a"), filepath.Join(dir, "top.txt")).is(t, 1, 604,
		"broken: no such file", "loop: a link to a folder is not followed", "604 sent; 1 failed")
	names := map[string]bool{}
	for _, row := range rows(got.stdout) {
		names[row[1]] = true
	}
	if len(names) != 604 || !names["top.txt"] || !names["deep.txt"] || !names[".hidden"] || !names["link.txt"] {
		t.Errorf("sent were %d files, want 604 with top.txt, deep.txt, .hidden and link.txt", len(names))
	}
}

type brokenWriter struct{ lines int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.lines--; w.lines < 0 {
		return 0, errors.New("the reader is gone")
	}
	return len(p), nil
}

func TestStandardOutputThatFailsEndsTheRunAndLosesNoID(t *testing.T) {
	s := newService(t)
	var stderr strings.Builder
	code := run([]string{"send", "--to", "ncloudmailer", "-c", "3", "-r", small(t, 200)},
		environ(s.env), nil, &brokenWriter{lines: 5}, &stderr)
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	told := strings.Count(stderr.String(), ": sent as ")
	if told == 0 || told > 10 {
		t.Errorf("%d ids were told of on standard error, want those in flight:\n%s", told, stderr.String())
	}
	const reason = "putpost: every other file would fail for this reason, so no more are sent\n"
	if !strings.Contains(stderr.String(), reason) || !strings.Contains(stderr.String(), "not sent") {
		t.Errorf("standard error does not say why it ended:\n%s", stderr.String())
	}
	for _, args := range [][]string{
		{"demo"}, {"serve", "--addr", "127.0.0.1:0"}, {"serve", "--store", "s3://bucket", "--print-lifecycle"},
		{"man"}, {"completion", "bash"}, {"--version"}, {"--help"},
	} {
		stderr.Reset()
		if code := run(args, environ(nil), nil, &brokenWriter{}, &stderr); code != 1 ||
			stderr.String() != "putpost: standard output: the reader is gone\n" {
			t.Errorf("%v: exit code %d after %s", args, code, stderr.String())
		}
	}
	stderr.Reset()
	code = run([]string{"send", "--to", "ncloudmailer", "--dry-run", "--json", "/missing", "/too"},
		environ(s.env), nil, &brokenWriter{}, &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "standard output: the reader is gone\n") {
		t.Errorf("--dry-run: exit code %d after %s", code, stderr.String())
	}
}

func TestOneConnectionForEachFileAtOnce(t *testing.T) {
	s := newService(t)
	var connections atomic.Int64
	srv := httptest.NewUnstartedServer(s)
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	var agents sync.Map
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		agents.Store(r.UserAgent(), true)
		next.ServeHTTP(w, r)
	})
	dir := small(t, 300)
	for provider, base := range map[string]map[string]string{
		"ncloudmailer":    with(s.env, ncpBaseURL, srv.URL+"/api/v1"),
		"twentyfourseven": with(s.env, tfsBaseURL, srv.URL+"/v1"),
	} {
		connections.Store(0)
		invoke(base, nil, "send", "--to", provider, "-c", "16", "-r", dir).is(t, 0, 300)
		// On a busy machine net/http drops a connection whose write takes 50 ms.
		if n := connections.Load(); n > 20 {
			t.Errorf("%s: %d connections were made for 16 files at once", provider, n)
		}
	}
	agents.Range(func(agent, _ any) bool {
		if agent != userAgent() {
			t.Errorf("the User-Agent is %q, want %q", agent, userAgent())
		}
		return true
	})
}
