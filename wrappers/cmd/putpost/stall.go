package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// giveUp is the key of a func in a context. The func ends the file under way.
type giveUp struct{}

// stallGuard is a transport that gives up a file whose request stalls. It
// stalls if no byte of the body has moved for the time stall, or if the whole
// answer takes longer than that. A byte moves when it is read from the file, and
// when the system has sent it: on a slow line this is minutes later. An answer
// that drips is given up, too: every answer is short.
type stallGuard struct {
	base  http.RoundTripper
	stall time.Duration
}

func (g *stallGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	end, ofFile := ctx.Value(giveUp{}).(context.CancelCauseFunc)
	if !ofFile {
		ctx, end = context.WithCancelCause(ctx)
	}
	w := newWatch(g.stall, func() { end(stalled(g.stall)) })
	done := func() {
		w.end()
		if !ofFile {
			end(nil)
		}
	}
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: w.got}))
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

// looks is how often a watch looks, in vain, before the time is over.
const looks = 4

type watch struct {
	every time.Duration
	timer *time.Timer

	mu     sync.Mutex
	over   bool
	conn   net.Conn
	queued int // bytes that the system has not sent yet
	quiet  int // looks since something moved
}

// newWatch returns a watch that calls over once, when the time stall has passed
// and nothing moved.
func newWatch(stall time.Duration, over func()) *watch {
	w := &watch{every: stall / looks}
	w.mu.Lock() // the timer may go off before it is noted
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.every, func() {
		if w.look() {
			over()
		}
	})
	return w
}

func (w *watch) got(info httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = info.Conn
}

func (w *watch) moved() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.quiet = 0
		w.timer.Reset(w.every)
	}
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	w.timer.Stop()
}

// look reports whether nothing has moved for too long.
func (w *watch) look() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return false
	}
	before := w.queued
	w.queued = queued(w.conn)
	if w.quiet++; w.queued != before {
		w.quiet = 0
	}
	if w.quiet >= looks {
		return true
	}
	w.timer.Reset(w.every)
	return false
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
