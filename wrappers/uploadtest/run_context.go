package uploadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of contexts: an upload ends when its context does.

func cancelBefore(t *trial) {
	const what = "a context that is canceled already"
	t.storesNothing(what, func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := t.send(ctx, what, newSource("canceled.bin", upload.OctetStream, noise(1000, 5), nil))
		t.fails(what, err, context.Canceled)
	})
}

// prompt is how long an upload may go on after its context has ended.
const prompt = 5 * time.Second

func cancelInBody(t *trial) {
	if plain(t.Uploader) {
		return
	}
	const what = "cancel while the body is sent"
	t.storesNothing(what, func() {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		// The reader may be another goroutine's, which a client leaves behind:
		// it must not speak to a test that has ended.
		var stuck atomic.Bool
		content := noise(256<<10, 6)
		src := newSource("canceled.bin", upload.OctetStream, content, func(closed <-chan struct{}) io.Reader {
			return io.MultiReader(bytes.NewReader(content[:128<<10]), readerFunc(func([]byte) (int, error) {
				cancel()
				select {
				case <-closed:
				case <-time.After(prompt):
					stuck.Store(true)
				}
				return 0, io.ErrClosedPipe
			}))
		})
		begun := time.Now()
		_, err := t.send(ctx, what, src)
		if stuck.Load() || time.Since(begun) > prompt {
			t.Errorf("%s: readers: not closed %v after the cancel", what, prompt)
		}
		t.fails(what, err, context.Canceled)
	})
}

func cancelInAnswer(t *trial) {
	for _, op := range t.operations() {
		for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
			t.fresh(fmt.Sprintf("%s %v", op, end), func(t *trial) {
				what := fmt.Sprintf("%v while %s is not answered", end, op)
				ctx, cancel := context.WithCancel(t.Context())
				if end == context.DeadlineExceeded {
					ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
				}
				defer cancel()
				var stands atomic.Bool
				t.Server.Inject(op, -1, func(http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						_, _ = io.Copy(io.Discard, r.Body)
						if end == context.Canceled {
							cancel()
						}
						if !gone(r, prompt) {
							stands.Store(true)
						}
					})
				})
				t.storesNothing(what, func() {
					_, err := t.send(ctx, what, newSource("canceled.bin", upload.OctetStream, noise(1000, 7), nil))
					t.fails(what, err, end)
				})
				if stands.Load() {
					t.Errorf("%s: the request still stands after %v", what, prompt)
				}
			})
		}
	}
}

// waitEnds: a client that waits before it asks again waits no longer than its
// context.
func waitEnds(t *trial) {
	for _, op := range t.operations() {
		t.fresh(op, func(t *trial) {
			what := "cancel during the wait after " + op
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			t.Server.Inject(op, -1, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					time.AfterFunc(50*time.Millisecond, cancel)
					Answer(http.StatusTooManyRequests, "", "Retry-After", "20")(nil).ServeHTTP(w, r)
				})
			})
			begun := time.Now()
			_, err := t.send(ctx, what, newSource("waits.bin", upload.OctetStream, noise(1000, 20), nil))
			if took := time.Since(begun); took > prompt {
				t.Errorf("%s: the upload went on for %v", what, took.Round(time.Second))
			}
			if !errors.Is(err, upload.ErrRateLimited) { // it may have given up before
				t.fails(what, err, context.Canceled)
			} else {
				t.seen.note(aFailure)
			}
		})
	}
}

// gone waits until the caller of a request has left, at most as long as limit
// says, and tells whether it has.
func gone(r *http.Request, limit time.Duration) bool {
	select {
	case <-r.Context().Done():
		return true
	case <-time.After(limit):
		return false
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
