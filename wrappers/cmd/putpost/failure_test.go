package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

// jsonPath returns the path in a line of --json.
func jsonPath(t *testing.T, line string) string {
	t.Helper()
	var r struct {
		Path    string
		RawPath []byte
	}
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	if r.RawPath != nil {
		return string(r.RawPath)
	}
	return r.Path
}

func TestAFailedFileHasAnObjectOfItsOwn(t *testing.T) {
	s := newService(t)
	dir := files(t, "a.txt", "a", "refused.txt", "b")
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.ContentLength > 0 && strings.HasPrefix(r.URL.Path, "/v1/fileUpload") {
			var body map[string]any
			if json.NewDecoder(r.Body).Decode(&body); strings.Contains(fmt.Sprint(body), "refused") {
				w.Header().Set("x-trace-id", "trace-of-b")
				w.WriteHeader(http.StatusForbidden)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
	missing := filepath.Join(dir, "missing\x01\u202e")
	got := s.send("twentyfourseven", "--json", filepath.Join(dir, "refused.txt"), missing).is(t, 1, 2)
	if strings.ContainsAny(got.stdout, "\x01\u202e") {
		t.Errorf("got %+v", got)
	}
	byPath := map[string]failure{}
	for line := range strings.Lines(got.stdout) {
		var f failure
		must(t, json.Unmarshal([]byte(line), &f))
		byPath[f.Path] = f
	}
	if f := byPath[missing]; f.Kind != "invalid" || f.Message != "no such file or directory" || f.Op != "" ||
		f.Attempts != 0 {
		t.Errorf("the missing file: %+v", f)
	}
	f := byPath[filepath.Join(dir, "refused.txt")]
	if f.Kind == "" || f.Op != "fileUpload" || f.Status == 0 || f.Message == "" || f.Attempts != 1 ||
		f.Provider != "twentyfourseven" {
		t.Errorf("the refused file: %+v", f)
	}
	if strings.Count(got.stderr, "\n") != 3 {
		t.Errorf("standard error has not two failures and a summary:\n%s", got.stderr)
	}
}

func TestEachErrorHasAKind(t *testing.T) {
	for err, want := range map[error]string{
		upload.ErrInvalid: "invalid", upload.ErrUnauthorized: "unauthorized", upload.ErrForbidden: "forbidden",
		upload.ErrNotFound: "notFound", upload.ErrTooLarge: "tooLarge", upload.ErrRateLimited: "rateLimited",
		upload.ErrUnavailable: "unavailable", upload.ErrExpired: "expired", upload.ErrNotReplayable: "notReplayable",
		stalled(1): "stalled", tooLong(1, "--timeout"): "timeout", errInterrupted: "interrupted",
		context.Canceled: "interrupted", journal.ErrUnwritable: "journal", errOutput: "output",
		fs.ErrNotExist: "invalid",
	} {
		if got := kindOf(fmt.Errorf("a: %w: %w", err, errors.New("b"))); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
}

func TestAFailureThatAllFilesShareStopsTheRun(t *testing.T) {
	s := newService(t)
	n := s.sends()
	dir := small(t, 200)
	key := with(s.env, ncpSecretKey, "s3cret-and-wrong")
	token := with(with(with(s.env, tfsToken, ""), tfsClientID, "s3cret"), tfsClientSecret, "s3cret")
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	const unknown = "unknown..invalid" // no name server is asked for it
	for name, tc := range map[string]struct {
		provider string
		env      map[string]string
		want     string
	}{
		"a wrong key":     {"ncloudmailer", key, "credentials refused"},
		"a wrong token":   {"twentyfourseven", with(s.env, tfsToken, "s3cret-and-wrong"), "credentials refused"},
		"no token":        {"twentyfourseven", token, "token: credentials refused"},
		"an unknown host": {"ncloudmailer", with(s.env, ncpBaseURL, "https://"+unknown+"/api/v1"), unknown},
		"an unknown token": {"twentyfourseven", with(with(token, tfsTokenURL, "https://"+unknown+"/oauth/token"),
			tfsClientID, "x"), unknown},
		"a certificate": {"ncloudmailer", with(s.env, ncpBaseURL, untrusted.URL+"/api/v1"), "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			before := n.Load()
			got := invoke(tc.env, nil, "send", "--to", tc.provider, "-c", "4", "-r", dir)
			lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
			if got.code != 1 || got.stdout != "" || len(lines) != 3 || !strings.Contains(lines[0], tc.want) ||
				strings.Contains(got.stderr, "s3cret") ||
				!strings.Contains(lines[1], "no more are sent; --keep-going") {
				t.Fatalf("got %+v", got)
			}
			var sent, failed, unsent int
			if _, err := fmt.Sscanf(lines[2], "putpost: %d sent; %d failed", &sent, &failed); err != nil {
				t.Fatal(err, lines[2])
			}
			_, after, _ := strings.Cut(lines[2], "; ")
			_, after, _ = strings.Cut(after, "; ")
			fmt.Sscanf(after, "%d not sent", &unsent)
			if sent != 0 || failed < 1 || failed > 8 || failed+unsent != 200 {
				t.Errorf("%d sent, %d failed, %d not sent in %s", sent, failed, unsent, lines[2])
			}
			if requests := n.Load() - before; requests > 8 {
				t.Errorf("%d requests were made", requests)
			}
		})
	}
	few := small(t, 7)
	got := invoke(key, nil, "send", "--to", "ncloudmailer", "--keep-going", "-r", few).is(t, 1, 0, "0 sent; 7 failed")
	if strings.Contains(got.stderr, "not sent") {
		t.Errorf("--keep-going: got %+v", got)
	}
	invoke(key, strings.NewReader(strings.Repeat(filepath.Join(few, "2")+"\n", 50)),
		"send", "--to", "ncloudmailer", "--files-from", "-").is(t, 1, 0, "the rest of the list was not read")
}

func TestATokenThatStallsStopsTheRun(t *testing.T) {
	var asked atomic.Int32
	silent := peer(t, func(net.Conn) { asked.Add(1) })
	env := map[string]string{tfsClientID: "x", tfsClientSecret: "y", tfsOrganization: "1",
		tfsTokenURL: silent, tfsBaseURL: silent}
	got := invoke(env, nil, "send", "--to", "twentyfourseven", "-c", "8", "--stall", "200ms", "--json",
		"-r", small(t, 20)).is(t, 1, 8, "token: stalled", "no more are sent")
	if strings.Count(got.stdout, `"kind":"stalled"`) != 8 {
		t.Errorf("got %+v", got)
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the files under way asked %d times", n)
	}
}

func TestARunThatSentNothingSaysSo(t *testing.T) {
	s := newService(t)
	dir := files(t, "list", "", "newlines", "\n\n\n")
	for want, args := range map[string][]string{
		"there is no file to send in " + dir + "/x": {"-r", filepath.Join(dir, "x")},
		"names no file": {"--files-from", filepath.Join(dir, "list")},
	} {
		must(t, os.MkdirAll(filepath.Join(dir, "x", "y"), 0o755))
		for _, more := range [][]string{nil, {"--quiet"}, {"--dry-run"}, {"--json"},
			{"--journal", filepath.Join(t.TempDir(), "j")}} {
			s.send("ncloudmailer", slices.Concat(args, more)...).refused(t, 1, want)
		}
	}
	for _, stdin := range []string{"", "\n", "\ufeff"} {
		invoke(s.env, strings.NewReader(stdin), "send", "--to", "ncloudmailer", "--files-from", "-").
			is(t, 1, 0, "names no file")
	}
}

// peer accepts connections and calls serve with each.
func peer(t *testing.T, serve func(net.Conn)) (base string) {
	t.Helper()
	ln := listen(t)
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); close(done) })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
				<-done
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// drip writes text a byte at a time for much longer than any limit.
func drip(w io.Writer, text string) {
	for i := range len(text) {
		if _, err := io.WriteString(w, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestAFileThatStallsIsGivenUpAndTheOthersGoOn(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nContent-Type: application/json\r\n\r\n"
	dir := files(t, "small", "small")
	big, small := filepath.Join(dir, "big"), filepath.Join(dir, "small")
	if f, err := os.Create(big); err != nil || f.Truncate(64<<20) != nil || f.Close() != nil {
		t.Fatal(err)
	}
	read := func(c net.Conn) { c.Read(make([]byte, 1<<20)) }
	for name, tc := range map[string]struct {
		path  string
		serve func(net.Conn)
	}{
		"never reads":    {big, func(net.Conn) {}},
		"never answers":  {big, func(c net.Conn) { io.Copy(io.Discard, c) }},
		"drips a header": {small, func(c net.Conn) { read(c); drip(c, head+strings.Repeat(" ", 5000)) }},
		"drips a body": {small, func(c net.Conn) {
			read(c)
			io.WriteString(c, head)
			drip(c, strings.Repeat(" ", 5000))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := peer(t, tc.serve)
			env := map[string]string{
				tfsToken: "x", tfsBaseURL: base + "/v1",
				ncpAccessKey: "x", ncpSecretKey: "x", ncpBaseURL: base + "/api/v1",
			}
			for provider := range providers {
				got := invoke(env, nil, "send", "--to", provider, "-c", "1", "--stall", "200ms", "--json",
					tc.path, "missing").is(t, 1, 2, "stalled for 200ms (--stall)", "missing: no such file")
				if strings.Count(got.stdout, `"kind":"stalled"`) != 1 {
					t.Errorf("%s: got %+v", provider, got)
				}
				invoke(env, nil, "send", "--to", provider, "--timeout", "100ms", tc.path).refused(t, 1,
					"not done after 100ms (--timeout)")
			}
		})
	}
}

// pending makes the stand-in of 24SevenOffice answer Pending for ever, and
// sends to asked at each request.
func (s *service) pending() (asked chan struct{}) {
	asked = make(chan struct{}, 1000)
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/v1/fileUpload/"); ok {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"fileId":"`+id+`","status":"Pending"}`)
			asked <- struct{}{}
			return
		}
		next.ServeHTTP(w, r)
	})
	return asked
}

func TestTheWaitForADocumentEnds(t *testing.T) {
	s := newService(t)
	s.pending()
	path := filepath.Join(files(t, "a", "a"), "a")
	journal := filepath.Join(t.TempDir(), "j")
	got := s.send("twentyfourseven", "--wait", "--wait-timeout", "100ms", "--json", "--journal", journal, path).
		is(t, 1, 1, "not done after 100ms (--wait-timeout)")
	if !strings.Contains(got.stdout, `"kind":"timeout"`) || !strings.Contains(got.stdout, `"id":"`) {
		t.Errorf("got %+v", got)
	}
	n := s.sends()
	s.send("twentyfourseven", "--wait", "--journal", journal, path).is(t, 0, 1)
	if n.Load() != 0 {
		t.Errorf("the next run sent %d", n.Load())
	}
}
