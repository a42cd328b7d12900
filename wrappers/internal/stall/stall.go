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

// Transport gives up a request that stalls. It stalls if no byte of its body
// has moved for the time After, or if the whole answer takes longer than that.
// A byte moves when it is read from the file, and when the system has sent it:
// on a slow line this is minutes later. An answer that drips is given up, too:
// every answer is short.
type Transport struct {
	Base   http.RoundTripper
	After  time.Duration
	Reason error // the cause of the context that ends
}

// cancelKey is the key of a func in a context.
type cancelKey struct{}

// WithCancel returns ctx for requests that end more than themselves when they
// stall: all that end ends.
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

// oneWrite is the largest body that goes out with its header at once. Net/http
// does so only if it sees that the body is in memory.
const oneWrite = 64 << 10

// checks is how often a watch checks, in vain, before the time is over.
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

// newWatch returns a watch that calls over once, when the time stall has passed
// and nothing moved.
func newWatch(stall time.Duration, over func()) *watch {
	w := &watch{every: stall / checks}
	w.mu.Lock() // the timer may go off before it is noted
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

// look reports whether nothing has moved for too long.
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
