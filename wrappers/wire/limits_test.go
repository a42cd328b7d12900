package wire_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// slow answers after a time, whatever is sent.
func slow(after time.Duration) answers {
	return func(req *http.Request) (*http.Response, error) {
		select {
		case <-time.After(after):
			return respond(201, nil), nil
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
}

func TestAnswerIsWaitedForAsLongAsConfigured(t *testing.T) {
	for _, tt := range []struct {
		name    string
		timeout time.Duration
		answer  time.Duration
		want    time.Duration // of one attempt; 0 where it succeeds
	}{
		{"a minute where nothing is said", 0, 61 * time.Second, 60 * time.Second},
		{"within that", 0, 59 * time.Second, 0},
		{"an API that takes its time", 2 * time.Minute, 63 * time.Second, 0},
		{"for ever", -1, 24 * time.Hour, 0},
		{"less", time.Second, 2 * time.Second, time.Second},
	} {
		for _, size := range []int{0, 100, 100_000} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					d := newDoer(t, wire.API{Repeatable: true}, upload.Config{
						AnswerTimeout: tt.timeout, Retry: upload.Retry{Attempts: 1},
						HTTPClient: &http.Client{Transport: slow(tt.answer)},
					})
					began := time.Now()
					err := post(t.Context(), d, upload.Bytes("a.txt", make([]byte, size)))
					took := time.Since(began)
					if tt.want == 0 {
						if err != nil || took != tt.answer {
							t.Errorf("%d bytes: %v after %s, want success after %s", size, err, took, tt.answer)
						}
						return
					}
					if !errors.Is(err, upload.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) ||
						errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "AnswerTimeout") ||
						took != tt.want {
						t.Errorf("%d bytes: %v after %s, want ErrUnavailable that names the setting, after %s", size,
							err, took, tt.want)
					}
				})
			})
		}
	}
}

// The body takes long here, and has no limit.
func TestWaitForTheAnswerBeginsWithTheLastByte(t *testing.T) {
	for _, size := range []int64{1000, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			d := newDoer(t, wire.API{}, upload.Config{
				AnswerTimeout: time.Second,
				HTTPClient:    &http.Client{Transport: slow(0)},
			})
			r, w := io.Pipe()
			go func() {
				for range 4 {
					time.Sleep(time.Hour)
					_, _ = w.Write(make([]byte, size/4))
				}
				w.Close()
			}()
			if err := post(t.Context(), d, upload.Reader("a", r, size)); err != nil {
				t.Errorf("%d bytes: %v", size, err)
			}
		})
	}
}

// The status says more than the body. The client waits no longer than 5 s for
// the body.
func TestErrorWhoseBodyDoesNotEndKeepsItsStatus(t *testing.T) {
	for name, pause := range map[string]time.Duration{"it never comes": time.Hour,
		"a byte at a time": time.Second / 10} {
		synctest.Test(t, func(t *testing.T) {
			status := 503
			var servers sync.WaitGroup
			defer servers.Wait()
			d := newDoer(t, wire.API{Repeatable: true}, upload.Config{
				Retry: upload.Retry{MaxWait: time.Millisecond},
				HTTPClient: &http.Client{Transport: answers(func(*http.Request) (*http.Response, error) {
					resp := respond(status, nil)
					r, w := io.Pipe()
					servers.Go(func() {
						for err := error(nil); err == nil; time.Sleep(pause) {
							_, err = w.Write([]byte(" "))
						}
					})
					resp.Body, status = r, 404
					return resp, nil
				})},
			})
			began := time.Now()
			err := post(t.Context(), d, upload.Bytes("a", []byte("x")))
			if f := failed(err); f.Status != 404 || f.Attempts != 2 ||
				time.Since(began).Round(time.Second) != 10*time.Second {
				t.Errorf("%s: %v after %s, want the second status after two times 5 s", name, err, time.Since(began))
			}
		})
	}
}

func TestAnswerTimeoutHoldsOverASocket(t *testing.T) {
	hold := make(chan struct{})
	defer close(hold)
	own := upload.NewTransport()
	own.ResponseHeaderTimeout = 50 * time.Millisecond
	for name, cfg := range map[string]upload.Config{
		"the shared transport": {AnswerTimeout: 50 * time.Millisecond},
		"one of the caller's": {AnswerTimeout: 50 * time.Millisecond,
			HTTPClient: &http.Client{Transport: upload.NewTransport()}},
		"one around another": {AnswerTimeout: 50 * time.Millisecond,
			HTTPClient: &http.Client{Transport: rawTransport(upload.NewTransport().RoundTrip)}},
		"a limit of the transport's": {HTTPClient: &http.Client{Transport: own}},
	} {
		for _, size := range []int{0, 100, 100_000} {
			_, d := serve(t, wire.API{}, cfg, func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-hold:
				case <-r.Context().Done():
				}
			})
			err := post(t.Context(), d, upload.Bytes("a", make([]byte, size)))
			if f, _ := errors.AsType[*upload.Error](err); !errors.Is(err, upload.ErrUnavailable) ||
				errors.Is(err, context.DeadlineExceeded) || f.Attempts != 1 {
				t.Errorf("%s, %d bytes: %v, want ErrUnavailable after one attempt", name, size, err)
			}
		}
	}
}
