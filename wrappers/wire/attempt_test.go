package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// do sends a request that carries no body of this package.
func do(t *testing.T, d *wire.Doer, method string, body io.Reader) (*upload.Error, error) {
	t.Helper()
	_, err := d.Call(t.Context(), "doThing", nil, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, method, d.BaseURL+"/things", body)
		if err != nil {
			return nil, err
		}
		req.GetBody = nil
		return d.Do(req)
	})
	f, _ := errors.AsType[*upload.Error](err)
	return f, err
}

func TestMethodThatMayDoHarmTwiceIsSentOnce(t *testing.T) {
	for method, want := range map[string]int{"GET": 4, "HEAD": 4, "PUT": 4, "DELETE": 4, "POST": 1, "PATCH": 1} {
		for name, answer := range map[string]http.HandlerFunc{"an answer": status(503), "none": hangUp} {
			s, d := serve(t, wire.API{}, upload.Config{}, answer)
			if f, err := do(t, d, method, nil); f == nil || f.Attempts != want {
				t.Errorf("%s with %s: %v, want %d attempts", method, name, err, want)
			}
			if name == "an answer" && s.got() != want {
				t.Errorf("%s: %d requests, want %d", method, s.got(), want)
			}
		}
	}
}

func TestBodyThatCannotBeHadAgainIsSentOnce(t *testing.T) {
	for body, want := range map[io.Reader]int{nil: 4, http.NoBody: 4, strings.NewReader("hello"): 1} {
		s, d := serve(t, wire.API{}, upload.Config{}, status(503))
		_, err := do(t, d, http.MethodPut, body)
		if s.got() != want || !errors.Is(err, upload.ErrUnavailable) ||
			errors.Is(err, upload.ErrNotReplayable) != (want == 1) {
			t.Errorf("%T: %d requests and %v, want %d", body, s.got(), err, want)
		}
	}
}

func TestRenewalThatFailsLeavesTheRefusal(t *testing.T) {
	down := errors.New("the token server is down")
	for _, tt := range []struct {
		name  string
		retry upload.Retry
		other bool
		err   error
	}{
		{"no others", upload.Retry{}, false, nil},
		{"an error", upload.Retry{}, false, down},
		{"an error although there are others", upload.Retry{}, true, down},
		{"nothing is to be sent twice", upload.Retry{Attempts: 1}, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			renew := func(*http.Request) (bool, error) { asked++; return tt.other, tt.err }
			s, d := serve(t, wire.API{Repeatable: true, Renew: renew}, upload.Config{Retry: tt.retry},
				status(401), status(201))
			err := post(t.Context(), d, hello)
			if asked != 1 || s.got() != 1 || !errors.Is(err, upload.ErrUnauthorized) ||
				tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("asked %d times, %d requests and %v, want one of each, ErrUnauthorized and %v",
					asked, s.got(), err, tt.err)
			}
		})
	}
}

func TestCredentialsThatCannotBeHadSendNothing(t *testing.T) {
	for _, body := range []bool{true, false} {
		lost := errors.New("the key is lost")
		s, d := serve(t, wire.API{Repeatable: true, Authorize: func(*http.Request) error {
			return lost
		}}, upload.Config{},
			status(201))
		var c counted
		var err error
		if body {
			err = post(t.Context(), d, c.source("a.txt", 5,
				func() (io.Reader, error) { return strings.NewReader("hello"), nil }))
		} else {
			_, err = do(t, d, http.MethodGet, nil)
		}
		if s.got() != 0 || !errors.Is(err, lost) || c.opened != c.closed {
			t.Errorf("%d requests and %v; the source was opened %d times and closed %d times", s.got(), err,
				c.opened, c.closed)
		}
	}
}

// Pause waits like the attempts. The longest of 64 random waits is over half
// the bound, except in one run of 2^64.
func TestWaitsAreRandomUpToABoundThatDoubles(t *testing.T) {
	for _, tt := range []struct {
		maxWait, bound time.Duration
		n              int
	}{
		{0, 500 * time.Millisecond, 1},
		{0, 2 * time.Second, 3},
		{0, 30 * time.Second, 7},
		{0, 30 * time.Second, 1000},
		{time.Hour, 16 * time.Second, 6},
		{time.Hour, time.Hour, 1000},
		{700 * time.Millisecond, 700 * time.Millisecond, 2},
		{1, 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDoer(t, wire.API{}, upload.Config{Retry: upload.Retry{MaxWait: tt.maxWait}})
			var longest time.Duration
			for range 64 {
				begin := time.Now()
				must(t, d.Pause(t.Context(), tt.n))
				longest = max(longest, time.Since(begin))
			}
			if longest > tt.bound || longest <= tt.bound/2 {
				t.Errorf("wait %d with MaxWait %s: the longest of 64 took %s, want more than half of %s and no "+
					"more than that", tt.n, tt.maxWait, longest, tt.bound)
			}
		})
	}
}

func TestCancelIsSaidOnce(t *testing.T) {
	_, d := serve(t, wire.API{}, upload.Config{}, status(201))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := post(ctx, d, hello)
	if !errors.Is(err, context.Canceled) || strings.Count(err.Error(), context.Canceled.Error()) != 1 {
		t.Errorf("error %v, want context.Canceled, said once", err)
	}
}

func TestEveryAttemptAndEveryWaitIsLogged(t *testing.T) {
	var log bytes.Buffer
	s, d := serve(t, wire.API{Repeatable: true}, upload.Config{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, status(503), hangUp, status(201))
	must(t, post(t.Context(), d, hello))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	for i, want := range [][]string{
		{"level=DEBUG msg=attempt", "provider=example", "op=createThing", "attempt=1", "method=POST", "host=127.0.0.1:",
			"took=", "status=503"},
		{"level=INFO msg=repeating", "provider=example", "op=createThing", "attempt=1", "wait=", "because=", "503"},
		{"level=DEBUG msg=attempt", "attempt=2", "error="},
		{"level=INFO msg=repeating", "attempt=2", "because="},
		{"level=DEBUG msg=attempt", "attempt=3", "status=201"},
	} {
		for _, w := range want {
			if i >= len(lines) || !strings.Contains(lines[i], w) {
				t.Errorf("line %d has no %q:\n%s", i+1, w, log.String())
			}
		}
	}
	if len(lines) != 5 || s.got() != 3 || strings.Contains(lines[2], "status=") {
		t.Errorf("%d lines for %d requests:\n%s", len(lines), s.got(), log.String())
	}
}

func TestMessageIsWhatTheAnswerSays(t *testing.T) {
	says := func(code, message string) func(wire.Answer) (string, string) {
		return func(wire.Answer) (string, string) { return code, message }
	}
	hides := wire.API{Hide: func() []string { return []string{"hunter2"} }}
	for _, tt := range []struct {
		name          string
		api           wire.API
		status        int
		header        []string
		body          string
		code, message string
	}{
		{"a short text", wire.API{}, 502, nil, "Bad gateway", "", "Bad gateway"},
		{"nothing", wire.API{}, 502, nil, "", "", ""},
		{"of a long one the beginning", wire.API{}, 502, nil, strings.Repeat("x", 300), "",
			strings.Repeat("x", 255) + "…"},
		{"of a very long one too", wire.API{}, 502, nil, strings.Repeat("y ", 100_000), "",
			strings.Repeat("y ", 127) + "y…"},
		{"the provider's own words", wire.API{Read: says("7", "no")}, 400, nil, "<html>", "7", "no"},
		{"a code and no words", wire.API{Read: says("7", "")}, 400, nil, "<html>", "7", ""},
		{"words and no code", wire.API{Read: says("", "no")}, 400, nil, "<html>", "", "no"},
		{"neither", wire.API{Read: says("", "")}, 400, nil, "<html>", "", "<html>"},
		{"where a redirect leads, without its query", wire.API{}, 302,
			[]string{"Location", "https://other/x?sig=hunter2"},
			"moved", "", "redirect to https://other is not followed"},
		{"and without a secret", hides, 302, []string{"Location", "https://hunter2.other/"},
			"moved", "", "redirect to https://[redacted].other is not followed"},
		{"no part of a secret where the reading ends", hides, 400, nil, strings.Repeat(" ", 64<<10-2) +
			"hunter2", "", ""},
		{"a redirect that leads nowhere", wire.API{}, 302, nil, "moved", "", "moved"},
		{"a refusal with a Location", wire.API{}, 400, []string{"Location", "https://other/x"}, "wrong", "", "wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, d := serve(t, tt.api, upload.Config{Retry: upload.Retry{Attempts: 1}},
				func(w http.ResponseWriter, r *http.Request) {
					for i := 0; i < len(tt.header); i += 2 {
						w.Header().Set(tt.header[i], tt.header[i+1])
					}
					w.WriteHeader(tt.status)
					_, _ = io.WriteString(w, tt.body)
				})
			f, err := do(t, d, http.MethodGet, nil)
			if f == nil || f.Status != tt.status || f.Code != tt.code || f.Message != tt.message {
				t.Errorf("got %v, want status %d, code %q and message %q", err, tt.status, tt.code, tt.message)
			}
		})
	}
}

// A caller's own transport may leave out the request that it answered.
func TestAnswerNeedNotNameItsRequest(t *testing.T) {
	for _, code := range []int{200, 404} {
		d := newDoer(t, wire.API{TraceHeader: "X-Trace-Id"}, upload.Config{HTTPClient: &http.Client{
			Transport: answers(func(*http.Request) (*http.Response, error) {
				return respond(code, http.Header{"X-Trace-Id": {"trace-1"}}), nil
			}),
		}})
		_, trace, err := get(t, d)
		if trace != "trace-1" || (err == nil) != (code == 200) {
			t.Errorf("%d: trace id %q and %v", code, trace, err)
		}
	}
}

func TestTimeoutOfTheHTTPClientHoldsUntilTheAnswerIsRead(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		answer  http.HandlerFunc
		want    error
	}{
		{"an answer that takes a while", time.Hour, func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
			_, _ = io.WriteString(w, "hello")
		}, nil},
		{"one that stalls", 50 * time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, upload.ErrUnavailable},
		{"none", 50 * time.Millisecond, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			upload.ErrUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var sent []context.Context
			_, d := serve(t, wire.API{}, upload.Config{Retry: upload.Retry{Attempts: 1}, AnswerTimeout: -1,
				HTTPClient: &http.Client{Timeout: tt.timeout,
					Transport: answers(func(req *http.Request) (*http.Response, error) {
						sent = append(sent, req.Context())
						return http.DefaultTransport.RoundTrip(req)
					}),
				}}, tt.answer)
			body, _, err := get(t, d)
			if !errors.Is(err, tt.want) || tt.want == nil && body != "hello" {
				t.Errorf("error %v and %q, want %v", err, body, tt.want)
			}
			for _, ctx := range sent {
				if ctx.Err() == nil {
					t.Error("the time limit goes on after the call")
				}
			}
		})
	}
}
