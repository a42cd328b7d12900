package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// peer accepts connections and does with each what it is told.
func peer(t *testing.T, serve func(net.Conn)) (base string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
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
		"drips a body":   {small, func(c net.Conn) { read(c); io.WriteString(c, head); drip(c, strings.Repeat(" ", 5000)) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base := peer(t, tc.serve)
			env := map[string]string{
				tfsToken: "x", tfsBaseURL: base + "/v1",
				ncpAccessKey: "x", ncpSecretKey: "x", ncpBaseURL: base + "/api/v1",
			}
			for provider := range providers {
				got := invoke(env, nil, "send", "--to", provider, "-c", "1", "--stall", "200ms", "--json", tc.path, "missing")
				if got.code != 1 || strings.Count(got.stdout, `"kind":"stalled"`) != 1 ||
					!strings.Contains(got.stderr, "stalled for 200ms (--stall)") ||
					!strings.Contains(got.stderr, "missing: no such file") {
					t.Errorf("%s: got %+v", provider, got)
				}
				got = invoke(env, nil, "send", "--to", provider, "--timeout", "100ms", tc.path)
				if got.code != 1 || !strings.Contains(got.stderr, "not done after 100ms (--timeout)") ||
					strings.Count(got.stderr, "\n") != 1 {
					t.Errorf("%s with --timeout: got %+v", provider, got)
				}
			}
		})
	}
}

// pending makes the stand-in of 24SevenOffice say Pending for ever, and tells of
// each question.
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
	got := invoke(s.env, nil, "send", "--to", "twentyfourseven", "--wait", "--wait-timeout", "100ms", "--json",
		"--journal", journal, path)
	if got.code != 1 || !strings.Contains(got.stdout, `"kind":"timeout"`) || !strings.Contains(got.stdout, `"id":"`) ||
		!strings.Contains(got.stderr, "not done after 100ms (--wait-timeout)") {
		t.Errorf("got %+v", got)
	}
	s.intercept(nil)
	n := s.sends()
	if got := invoke(s.env, nil, "send", "--to", "twentyfourseven", "--wait", "--journal", journal,
		path); got.code != 0 || len(rows(got.stdout)) != 1 || n.Load() != 0 {
		t.Errorf("the next run sent %d: %+v", n.Load(), got)
	}
}

func TestADurationThatIsNoneIsAUsageError(t *testing.T) {
	for _, flag := range []string{"--timeout", "--stall", "--wait-timeout"} {
		for _, value := range []string{"0", "0s", "-1s", "10", "soon", "", "1y", "NaN", "9999999h"} {
			got := invoke(map[string]string{tfsToken: "x"}, nil, "send", "--to", "twentyfourseven", flag+"="+value, "x")
			if got.code != exitUsage || strings.Count(got.stderr, "\n") != 1 ||
				!strings.Contains(got.stderr, "is no time like 90s, 5m or 2h") {
				t.Errorf("%s %q: got %+v", flag, value, got)
			}
		}
	}
}
