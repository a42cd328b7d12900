package main

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// giveUp is the key of a context's func that ends the file under way.
type giveUp struct{}

// stallGuard is a transport that gives up a file over whose request no byte
// moves: none of the body for so long, then no whole answer for so long. An
// answer that drips does not count as moving, since every answer is short.
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

// oneWrite is what a body may have to go out at once, with the header, as long
// as net/http sees that it is in memory.
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
