// Package stall gives up requests that do not move.
package stall

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// Transport cancels a request that stalls. A request stalls if no byte of its
// body moves for the time After, or if the whole answer takes longer. A byte
// moves when it is read from the file, and again when the system has sent it.
// On a slow line that may be minutes later. A slow answer counts as stalled,
// too, because every answer is short.
type Transport struct {
	Base   http.RoundTripper
	After  time.Duration
	Reason error // the cause of the context that ends
}

// cancelKey is the context key of WithCancel.
type cancelKey struct{}

// WithCancel returns ctx with end. A request with that context calls end when
// it stalls, instead of cancelling only itself.
func WithCancel(ctx context.Context, end context.CancelCauseFunc) context.Context {
	return context.WithValue(ctx, cancelKey{}, end)
}

// RoundTrip implements [http.RoundTripper].
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	end, more := ctx.Value(cancelKey{}).(context.CancelCauseFunc)
	if !more {
		ctx, end = context.WithCancelCause(ctx)
	}
	w := newWatch(t.After, func() { end(t.Reason) })
	done := func() {
		w.end()
		if !more {
			end(nil)
		}
	}
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: w.gotConn}))
	if req.Body != nil && req.ContentLength > oneWrite {
		req.Body = &movingBody{req.Body, w}
	}
	resp, err := t.Base.RoundTrip(req)
	if err != nil {
		done()
		return resp, err
	}
	w.moved()
	resp.Body = &watchedAnswer{resp.Body, done}
	return resp, nil
}

// oneWrite is the largest body that goes out in one write with its header.
// net/http does so only for a body type that it knows to be in memory.
const oneWrite = 64 << 10

// checks is the number of checks without movement after which a request is
// stalled.
const checks = 4

type watch struct {
	every time.Duration
	timer *time.Timer

	mu     sync.Mutex
	ended  bool
	conn   net.Conn
	queued int // bytes that the system has not sent yet
	quiet  int // checks since something moved
}

// newWatch returns a watch that calls over once, when nothing has moved for the
// time stall.
func newWatch(stall time.Duration, over func()) *watch {
	w := &watch{every: stall / checks}
	w.mu.Lock() // the timer may fire before w.timer is set
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(w.every, func() {
		if w.stalled() {
			over()
		}
	})
	return w
}

func (w *watch) gotConn(info httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = info.Conn
}

func (w *watch) moved() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.quiet = 0
		w.timer.Reset(w.every)
	}
}

func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.timer.Stop()
}

// stalled reports whether nothing has moved for too long. The timer calls it.
func (w *watch) stalled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return false
	}
	before := w.queued
	w.queued = queued(w.conn)
	if w.quiet++; w.queued != before {
		w.quiet = 0
	}
	if w.quiet >= checks {
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
