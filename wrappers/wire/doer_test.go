package wire_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// script answers each request with the next answer, and then always with the
// last one.
type script struct {
	mu      sync.Mutex
	answers []http.HandlerFunc
	bodies  []string
	headers []http.Header
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	n := len(s.bodies)
	s.bodies, s.headers = append(s.bodies, string(body)), append(s.headers, r.Header.Clone())
	s.mu.Unlock()
	s.answers[min(n, len(s.answers)-1)](w, r)
}

// got returns how many requests came. All their handlers have returned.
func (s *script) got() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bodies)
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, _ := w.(http.Hijacker).Hijack()
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

// serve starts the script and a Doer for it.
func serve(t *testing.T, api wire.API, cfg upload.Config, answers ...http.HandlerFunc) (*script, *wire.Doer) {
	t.Helper()
	s := &script{answers: answers}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	cfg.BaseURL = srv.URL + "/base"
	cfg.Retry.MaxWait = cmp.Or(cfg.Retry.MaxWait, time.Millisecond)
	return s, newDoer(t, api, cfg)
}

// failed returns the failure that err is, or an empty one.
func failed(err error) *upload.Error {
	f, _ := errors.AsType[*upload.Error](err)
	return cmp.Or(f, &upload.Error{})
}

// must fails the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newDoer returns a Doer of the provider example. Without a base address it is
// for a transport that needs none.
func newDoer(tb testing.TB, api wire.API, cfg upload.Config) *wire.Doer {
	tb.Helper()
	api.Provider = cmp.Or(api.Provider, "example")
	if api.BaseURL == "" {
		cfg.BaseURL = cmp.Or(cfg.BaseURL, "http://host/v1")
	}
	d, err := wire.NewDoer(api, cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// hello is a source that can be read again.
var hello = upload.Bytes("a.txt", []byte("hello"))

// post sends one form through d as a generated client would.
func post(ctx context.Context, d *wire.Doer, src upload.Source) error {
	form := wire.Form("file", src)
	_, err := d.Call(ctx, "createThing", nil, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.BaseURL+"/things", nil)
		if err != nil {
			return nil, err
		}
		if err := form.Edit(ctx, req); err != nil {
			return nil, err
		}
		return d.Do(req)
	})
	return err
}

func TestEachAttemptSendsTheSameBodyWithItsOwnCredentials(t *testing.T) {
	n := 0
	s, d := serve(t, wire.API{Repeatable: true, Authorize: func(req *http.Request) error {
		n++
		req.Header.Set("Authorization", fmt.Sprint("Bearer ", n))
		return nil
	}}, upload.Config{}, status(503), hangUp, status(429), status(201))
	must(t, post(t.Context(), d, hello))
	if s.got() != 4 {
		t.Fatalf("%d attempts, want 4", len(s.bodies))
	}
	for i := range s.bodies {
		if s.bodies[i] != s.bodies[0] || !strings.Contains(s.bodies[i], "hello") {
			t.Errorf("attempt %d sent another body: %q", i+1, s.bodies[i])
		}
		if got, want := s.headers[i].Get("Authorization"), fmt.Sprint("Bearer ", i+1); got != want {
			t.Errorf("attempt %d carried %q, want %q", i+1, got, want)
		}
	}
}

func idempotent(req *http.Request) error { req.Header.Set("Idempotency-Key", "1"); return nil }

func TestWhatIsRepeated(t *testing.T) {
	again := wire.API{Repeatable: true}
	forbidden := wire.API{Repeatable: true, Table: wire.Table{{Status: 503, Kind: upload.ErrForbidden}}}
	quota := wire.API{Table: wire.Table{{Status: 429, Code: "quota", Kind: upload.ErrRateLimited}},
		Read: func(wire.Answer) (string, string) { return "quota", "" }}
	for _, tt := range []struct {
		name      string
		answer    http.HandlerFunc
		attempts  int
		kind      error
		temporary bool
		api       wire.API
		retry     int
	}{
		{"503, to the last attempt", status(503), 4, upload.ErrUnavailable, true, again, 0},
		{"as many attempts as configured", status(503), 2, upload.ErrUnavailable, true, again, 2},
		{"1 attempt means never", status(503), 1, upload.ErrUnavailable, true, again, 1},
		{"a POST that may do harm is not", status(503), 1, upload.ErrUnavailable, true, wire.API{}, 0},
		{"one that may do harm is, where nothing was done", status(429), 4, upload.ErrRateLimited, true, wire.API{}, 0},
		{"one with a key by which it is known again is", status(503), 4, upload.ErrUnavailable, true,
			wire.API{Authorize: idempotent}, 0},
		{"reset connection", hangUp, 4, upload.ErrUnavailable, true, again, 0},
		{"408", status(408), 4, upload.ErrUnavailable, true, again, 0},
		{"429", status(429), 4, upload.ErrRateLimited, true, again, 0},
		{"429 is not if it lasts", status(429), 1, upload.ErrRateLimited, false, quota, 0},
		{"500", status(500), 4, upload.ErrUnavailable, true, again, 0},
		{"400 is not", status(400), 1, upload.ErrInvalid, false, again, 0},
		{"401 is not", status(401), 1, upload.ErrUnauthorized, false, again, 0},
		{"403 is not", status(403), 1, upload.ErrForbidden, false, again, 0},
		{"404 is not", status(404), 1, upload.ErrNotFound, false, again, 0},
		{"499 is not", status(499), 1, upload.ErrInvalid, false, again, 0},
		{"413 is not", status(413), 1, upload.ErrTooLarge, false, again, 0},
		{"a redirect is not, nor followed", status(307, "Location", "/elsewhere"), 1, upload.ErrUnavailable,
			false, again, 0},
		{"a row of the table says otherwise", status(503), 1, upload.ErrForbidden, false, forbidden, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, d := serve(t, tt.api, upload.Config{Retry: upload.Retry{Attempts: tt.retry}}, tt.answer)
			err := post(t.Context(), d, hello)
			if f := failed(err); !errors.Is(err, tt.kind) || f.Attempts != tt.attempts || s.got() != tt.attempts ||
				f.Op != "createThing" || f.Temporary() != tt.temporary {
				t.Errorf("%d requests, error %+v, want %d and %v, temporary: %t", s.got(), f, tt.attempts,
					tt.kind, tt.temporary)
			}
		})
	}
}

func TestSourceThatIsReadOnceKeepsTheFirstFailure(t *testing.T) {
	s, d := serve(t, wire.API{Repeatable: true}, upload.Config{}, status(503, "Retry-After", "7"), status(201))
	err := post(t.Context(), d, upload.Reader("a.txt", strings.NewReader("hello"), 5))
	if f := failed(err); !errors.Is(err, upload.ErrNotReplayable) || !errors.Is(err, upload.ErrUnavailable) ||
		f.Status != 503 || f.RetryAfter != 7*time.Second || s.got() != 1 {
		t.Errorf("%d requests, error %v, want one, ErrUnavailable and ErrNotReplayable, status 503", len(s.bodies), err)
	}
}

func TestRefusedCredentialsAreRenewedOnce(t *testing.T) {
	for _, tt := range []struct {
		name    string
		renewed bool
		answers []http.HandlerFunc
		want    int
		kind    error
	}{
		{"others are taken", true, []http.HandlerFunc{status(401), status(201)}, 2, nil},
		{"the same mean that 401 is the answer", false, []http.HandlerFunc{status(401), status(201)}, 1,
			upload.ErrUnauthorized},
		{"a second 401 is the answer", true, []http.HandlerFunc{status(401)}, 2, upload.ErrUnauthorized},
		{"a 401 after a repeat is the answer", true, []http.HandlerFunc{status(401), status(503),
			status(401), status(201)},
			3, upload.ErrUnauthorized},
		{"also after the last repeat", true, []http.HandlerFunc{status(503), status(503), status(503), status(401),
			status(201)}, 5, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			renew := func(*http.Request) (bool, error) { return tt.renewed, nil }
			s, d := serve(t, wire.API{Repeatable: true, Renew: renew}, upload.Config{}, tt.answers...)
			err := post(t.Context(), d, hello)
			if !errors.Is(err, tt.kind) || s.got() != tt.want {
				t.Errorf("%d requests and %v, want %d and %v", len(s.bodies), err, tt.want, tt.kind)
			}
		})
	}
}

// A signature with a time in it must not be sent a second time.
func TestRenewedCredentialsServeOneAttempt(t *testing.T) {
	n := 0
	authorize := func(req *http.Request) error { n++; req.Header.Set("Authorization", fmt.Sprint(n)); return nil }
	renew := func(req *http.Request) (bool, error) { req.Header.Set("Authorization", "renewed"); return true, nil }
	s, d := serve(t, wire.API{Repeatable: true, Authorize: authorize, Renew: renew}, upload.Config{},
		status(401), status(503), status(201))
	must(t, post(t.Context(), d, hello))
	for i, want := range []string{"1", "renewed", "2"} {
		if got := s.headers[i].Get("Authorization"); got != want {
			t.Errorf("attempt %d carries %q, want %q", i+1, got, want)
		}
	}
}

func TestServerWithoutContinueGetsTheBodyAllTheSame(t *testing.T) {
	refuse := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Expect") != "" {
			w.WriteHeader(http.StatusExpectationFailed)
		}
	}
	s, d := serve(t, wire.API{Repeatable: true}, upload.Config{Retry: upload.Retry{Attempts: 1}}, refuse)
	if err := post(t.Context(), d, upload.Bytes("a.bin", make([]byte, 2<<20))); err == nil || s.got() != 1 {
		t.Errorf("%d requests and %v, want the one that is allowed", s.got(), err)
	}
	s, d = serve(t, wire.API{Repeatable: true}, upload.Config{}, refuse)
	if err := post(t.Context(), d, upload.Bytes("a.bin", make([]byte, 2<<20))); err != nil || s.got() != 2 {
		t.Errorf("%d requests and %v, want 2 and success", len(s.bodies), err)
	}
}

// answers is a RoundTripper for tests with synctest. The clock of synctest
// stands still while a test waits for a real socket.
type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		io.Copy(io.Discard, req.Body)
		req.Body.Close()
	}
	return a(req)
}

func respond(code int, header http.Header) *http.Response {
	return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader(""))}
}

func TestWaits(t *testing.T) {
	for _, tt := range []struct {
		name     string
		after    string
		retry    upload.Retry
		min, max time.Duration // of all waits of a request that is sent four times
	}{
		{"up to half a second, one and two", "", upload.Retry{}, 0, 3500 * time.Millisecond},
		{"Retry-After in seconds", "7", upload.Retry{}, 21 * time.Second, 21 * time.Second},
		{"Retry-After with a fraction", "1.5", upload.Retry{}, 4500 * time.Millisecond, 4500 * time.Millisecond},
		{"a Retry-After that is no number", "NaN", upload.Retry{}, 0, 3500 * time.Millisecond},
		{"410 seconds of Retry-After are capped", "410", upload.Retry{}, 90 * time.Second, 90 * time.Second},
		{"no longer than MaxWait", "7", upload.Retry{MaxWait: time.Second}, 3 * time.Second, 3 * time.Second},
		{"a negative Retry-After is none", "-7", upload.Retry{}, 0, 3500 * time.Millisecond},
		{"an absurd Retry-After is capped", "99999999999999999999999", upload.Retry{}, 90 * time.Second,
			90 * time.Second},
		{"a Retry-After of words is none", "soon", upload.Retry{}, 0, 3500 * time.Millisecond},
		{"a date that is past is none", "Fri, 01 Jan 1999 00:00:00 GMT", upload.Retry{}, 0, 3500 * time.Millisecond},
		// synctest begins at midnight
		{"a date ahead", "Sat, 01 Jan 2000 00:00:10 GMT", upload.Retry{}, 10 * time.Second, 13 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				header := http.Header{}
				if tt.after != "" {
					header.Set("Retry-After", tt.after)
				}
				n := 0
				d := newDoer(t, wire.API{Repeatable: true}, upload.Config{Retry: tt.retry, HTTPClient: &http.Client{
					Transport: answers(func(req *http.Request) (*http.Response, error) {
						n++
						return respond(503, header), nil
					}),
				}})
				begin := time.Now()
				err := post(t.Context(), d, hello)
				if f := failed(err); f.RetryAfter < 0 {
					t.Errorf("RetryAfter is negative: %+v", f)
				}
				if took := time.Since(begin); took < tt.min || took > tt.max || n != 4 ||
					!errors.Is(err, upload.ErrUnavailable) {
					t.Errorf("%d attempts in %s (%v), want 4 in %s to %s", n, took, err, tt.min, tt.max)
				}
			})
		})
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := http.Header{"Retry-After": {"3600"}}
		d := newDoer(t, wire.API{Repeatable: true}, upload.Config{
			Retry: upload.Retry{MaxWait: time.Hour},
			HTTPClient: &http.Client{
				Transport: answers(func(*http.Request) (*http.Response, error) { return respond(503, busy), nil }),
			},
		})
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("the user went away")
		time.AfterFunc(time.Minute, func() { cancel(why) })
		began := time.Now()
		err := post(ctx, d, hello)
		f, _ := errors.AsType[*upload.Error](err)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || !errors.Is(err, upload.ErrUnavailable) ||
			f == nil || f.Status != 503 {
			t.Errorf("error %v, want context.Canceled, its cause, and the 503 before it", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %s, want a minute", took)
		}
	})
}

func TestCancelEndsAReadThatHangs(t *testing.T) {
	_, d := serve(t, wire.API{Repeatable: true}, upload.Config{}, status(201))
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = w.Write([]byte("x")) // until it was read
		cancel()
	}()
	if err := post(ctx, d, upload.Reader("a.txt", r, 5)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if _, err := w.Write([]byte("x")); err != io.ErrClosedPipe {
		t.Errorf("the reader was not closed: a write to it says %v", err)
	}
}

func TestSuccessBeforeTheWholeBodyIsNone(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, _ := w.(http.Hijacker).Hijack() // net/http's own server would wait for the body
		defer conn.Close()
		buf.WriteString("HTTP/1.1 200 duplicate\r\nX-Trace-Id: trace-1\r\nContent-Length: 0\r\n\r\n")
		buf.Flush()
	}))
	defer srv.Close()
	for _, allowed := range []bool{false, true} {
		d := newDoer(t, wire.API{Repeatable: true, EarlySuccess: allowed, TraceHeader: "X-Trace-Id"},
			upload.Config{BaseURL: srv.URL})
		r, w := io.Pipe()
		go func() { w.Write(make([]byte, 100)) }() // and never the rest
		err := post(t.Context(), d, upload.Reader("a.bin", r, 1<<20-1000))
		if allowed && err != nil {
			t.Errorf("error %v, although the API allows it", err)
		}
		f, _ := errors.AsType[*upload.Error](err)
		if !allowed && (f == nil || f.Status != 200 || f.TraceID != "trace-1" ||
			!errors.Is(err, upload.ErrUnavailable) || !strings.Contains(err.Error(), "before the whole body")) {
			t.Errorf("error %+v, want ErrUnavailable with status and trace id, since the server cannot have the file",
				f)
		}
	}
}

func TestAnswerIsGivenBackUnread(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	_, d := serve(t, wire.API{}, upload.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		io.WriteString(w, long)
	})
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, d.BaseURL, nil)
	resp, err := d.Do(req)
	must(t, err)
	defer resp.Body.Close()
	if got, _ := io.ReadAll(resp.Body); string(got) != long || resp.StatusCode != 400 {
		t.Errorf("status %d and %d bytes, want 400 and %d", resp.StatusCode, len(got), len(long))
	}
}

func TestSuccessThatCannotBeRead(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"broken off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			w.Write([]byte("{"))
		},
		"refused": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
	} {
		t.Run(name, func(t *testing.T) {
			s, d := serve(t, wire.API{TraceHeader: "X-Trace-Id"}, upload.Config{},
				func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("X-Trace-Id", "trace-1")
					answer(w, r)
				})
			trace, err := d.Call(t.Context(), "getThing",
				func([]byte) error { return errors.New("no JSON at https://host/x?secret=1") },
				func(ctx context.Context) (*http.Response, error) {
					req, _ := http.NewRequestWithContext(ctx, http.MethodGet, d.BaseURL, nil)
					return d.Do(req)
				})
			if f := failed(err); !errors.Is(err, upload.ErrUnavailable) || f.Status != 200 || f.TraceID != "trace-1" ||
				trace != "trace-1" || strings.Contains(err.Error(), "secret=1") || s.got() != 1 {
				t.Errorf("%d requests, trace %q, error %v, want one, ErrUnavailable with status 200 and trace id",
					len(s.bodies), trace, err)
			}
		})
	}
}

func TestDeadKeptConnectionCostsNoAttempt(t *testing.T) {
	s, d := serve(t, wire.API{Repeatable: true},
		upload.Config{Retry: upload.Retry{Attempts: 1}, HTTPClient: &http.Client{Transport: &http.Transport{}}},
		func(w http.ResponseWriter, r *http.Request) {
			conn, buf, _ := w.(http.Hijacker).Hijack()
			buf.WriteString("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n") // and no "Connection: close"
			buf.Flush()
			conn.Close()
		})
	var kept net.Conn
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) { kept = got.Conn },
	})
	for range 5 {
		must(t, post(ctx, d, hello))
		for kept.SetDeadline(time.Time{}) == nil { // until the end of the connection has arrived
			time.Sleep(time.Millisecond)
		}
	}
	if s.got() != 5 {
		t.Errorf("%d requests, want 5", len(s.bodies))
	}
}
