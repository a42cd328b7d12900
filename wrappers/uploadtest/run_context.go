package uploadtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The properties of contexts: an upload ends when its context does.

func cancelBefore(t *trial) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.about("a context that is canceled already").storesNothing(ctx, file(1000), context.Canceled)
}

func cancelInBody(t *trial) {
	if t.plain() {
		return
	}
	t = t.about("cancel while the body is sent")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	content := payload.Noise(256 << 10)
	src := newSource("canceled.bin", upload.OctetStream, content, func(closed <-chan struct{}) io.Reader {
		return io.MultiReader(bytes.NewReader(content[:128<<10]), faulty.ReaderFunc(func([]byte) (int, error) {
			cancel()
			select {
			case <-closed:
			case <-time.After(prompt):
			}
			return 0, io.ErrClosedPipe
		}))
	})
	begun := time.Now()
	if t.storesNothing(ctx, src, context.Canceled); t.ended.Sub(begun) > prompt {
		t.broke("readers: %v after the cancel the client still waits for a Read: close the reader to end it", prompt)
	}
}

// busy lets a client send the first request of an operation again.
func (t *trial) busy(op string) {
	t.Helper()
	t.Server.Inject(op, 1, afterBody(Answer(http.StatusTooManyRequests, "", "Retry-After", "0"), 0))
}

func cancelInAnswer(t *trial) {
	for _, op := range t.operations() {
		for _, c := range []struct {
			end   error
			again string // the first request is answered
		}{
			{context.Canceled, ""}, {context.DeadlineExceeded, ""}, {context.Canceled, "the second attempt of "},
		} {
			t.about("%v while %s%s is not answered", c.end, c.again, op).fresh(func(t *trial) {
				ctx, cancel := context.WithCancel(t.Context())
				if c.end == context.DeadlineExceeded {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				if c.again != "" {
					t.busy(op)
				}
				var stands atomic.Bool
				t.Server.Inject(op, forEver, instead(func(w http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
					if c.end == context.Canceled {
						cancel()
					}
					if !gone(r, prompt) {
						stands.Store(true)
					}
				}))
				if c.again == "" {
					t.storesNothing(ctx, file(1000), c.end)
				} else if _, err := t.send(ctx, file(1000)); len(t.of(op)) > 1 { // else another property tells
					t.fails(err, c.end)
				}
				if stands.Load() {
					t.broke("request: the client has not ended it %v after its context ended", prompt)
				}
			})
		}
	}
}

// waitEnds checks that a wait between two requests ends with its context.
func waitEnds(t *trial) {
	ops := t.operations()
	t.each(ops, "cancel during the wait after %s", waitEndsAfter(false))
	t.each(ops, "cancel during the second wait after %s", waitEndsAfter(true))
}

func waitEndsAfter(another bool) func(*trial, string) {
	return func(t *trial, op string) {
		if t.Patient != nil {
			t.Uploader = t.Patient // the others wait too little
		}
		if another {
			t.busy(op)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var canceled atomic.Pointer[time.Time]
		t.Server.Inject(op, forEver, instead(func(w http.ResponseWriter, r *http.Request) {
			time.AfterFunc(50*time.Millisecond, func() {
				now := time.Now()
				canceled.CompareAndSwap(nil, &now)
				cancel()
			})
			Answer(http.StatusTooManyRequests, "", "Retry-After", "2")(nil).ServeHTTP(w, r)
		}))
		_, err := t.send(ctx, file(1000))
		at := canceled.Load()
		if at == nil || t.ended.Before(*at) {
			return // the client did not wait; another property checks that
		}
		if t.seen.Note(aWait); t.ended.Sub(*at) > closing {
			t.broke("upload: the client still waits %v after its context ended", closing)
		}
		if errors.Is(err, context.Canceled) || errors.Is(err, upload.ErrRateLimited) {
			return // of the second kind where it had given up before
		}
		n := len(t.of(op)) // it did not wait, but was slow, if it does not send again
		if _, _ = t.send(t.Context(), file(1000)); len(t.of(op)) > n+1 {
			t.fails(err, context.Canceled)
		}
	}
}

// gone reports whether the caller of a request has left. It waits for that
// until the limit.
func gone(r *http.Request, limit time.Duration) bool {
	select {
	case <-r.Context().Done():
		return true
	case <-time.After(limit):
		return false
	}
}
