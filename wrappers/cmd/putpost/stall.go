package main

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// giveUp is the key of a func in a context. The func ends the file under way.
type giveUp struct{}

// stallGuard is a transport that gives up a file whose request stalls. It
// stalls if no byte of the body has moved for the time stall, or if the whole
// answer takes longer than that. An answer that drips is given up, too: every
// answer is short.
type stallGuard struct {
	base  http.RoundTripper
	stall time.Duration
}

func (g *stallGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	end, ofFile := ctx.Value(giveUp{}).(context.CancelCauseFunc)
	if !ofFile {
		end = cancel
	}
	w := &watch{stall: g.stall}
	w.timer = time.AfterFunc(g.stall, func() {
		if !w.over.Load() {
			end(stalled(g.stall))
		}
	})
	done := func() {
		w.over.Store(true)
		w.timer.Stop()
		cancel(nil)
	}
	req = req.WithContext(ctx)
	if req.Body != nil && req.ContentLength > oneWrite {
		req.Body = &movingBody{req.Body, w}
	}
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		done()
		return resp, err
	}
	w.moved()
	resp.Body = &watchedAnswer{resp.Body, done}
	return resp, nil
}

// oneWrite is the largest body that goes out with its header at once. Net/http
// does so only if it sees that the body is in memory.
const oneWrite = 64 << 10

type watch struct {
	stall time.Duration
	timer *time.Timer
	over  atomic.Bool
}

func (w *watch) moved() {
	if !w.over.Load() {
		w.timer.Reset(w.stall)
	}
}

type movingBody struct {
	io.ReadCloser
	*watch
}

func (b *movingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 || err == io.EOF {
		b.moved()
	}
	return n, err
}

type watchedAnswer struct {
	io.ReadCloser
	done func()
}

func (a *watchedAnswer) Close() error {
	defer a.done()
	return a.ReadCloser.Close()
}
