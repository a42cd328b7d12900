package wire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
)

// smallBody is the largest body, in bytes, that is read before it is sent: a
// file of 64 KiB with a form around it. The transport then writes header and
// body at once, and a fault of the source shows before anything is sent.
const smallBody = 68 << 10

var buffers = sync.Pool{New: func() any { return new([smallBody]byte) }}

// attemptBody is the request of one attempt, with the body that a transport
// reads. The transport may ask for the body again if a kept connection turns
// out to be dead. It may read on after it has answered. Method finish ends
// both.
type attemptBody struct {
	req     *http.Request
	limits  *limits // nil where there are none
	guard   *guard  // nil where the transport adds no headers
	trace   httptrace.ClientTrace
	buf     atomic.Pointer[[smallBody]byte] // of a small body; nil once it is back in the pool
	content bytes.Reader                    // reads buf

	mu    sync.Mutex
	body  *stream     // the latest one handed out; nil if the body is not a *stream
	stop  func() bool // keeps ctx's end from closing the body; nil if ctx cannot end
	ended bool
	panic *sourcePanic // of an Open, or of a body before the latest one
}

// newAttemptBody copies req for a transport. The transport may use the copy
// until finish is called or a limit ends it. A Read that hangs is ended by
// closing its source. A body that is no *stream is left to the transport.
func (d *Doer) newAttemptBody(req *http.Request, body io.ReadCloser) *attemptBody {
	a := &attemptBody{}
	stream, ours := body.(*stream)
	large := ours && stream.body.Length > smallBody // the transport reads it, on a goroutine of its own
	var ctx context.Context
	a.limits, ctx = newLimits(req.Context(), d.timeout, d.answerTimeout, large)
	if d.guarded {
		a.guard = &guard{own: req.Header, url: req.URL, proxied: req.URL.Scheme == "http" && d.proxy(req) != nil}
		a.guard.watch(&a.trace)
	}
	if d.answerTimeout > 0 || ours && !large {
		a.trace.WroteRequest = a.onWroteRequest
	}
	if d.answerTimeout > 0 {
		a.trace.GetConn = a.limits.onGetConn
	}
	if d.guarded || a.trace.WroteRequest != nil {
		ctx = httptrace.WithClientTrace(ctx, &a.trace)
	}
	a.req = req.WithContext(ctx)
	if d.guarded {
		a.req = req.Clone(ctx) // a RoundTripper that changes it must not change the next attempt's
	}
	a.req.Body = body
	if !ours {
		return a
	}
	stream.limits = a.limits
	a.body = stream
	if ctx.Done() != nil {
		a.stop = context.AfterFunc(ctx, a.end)
	}
	if req.GetBody != nil {
		a.req.GetBody = a.reopen(req.GetBody)
	}
	return a
}

// reopen returns a GetBody for the copied request, made of get.
func (a *attemptBody) reopen(get func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (rc io.ReadCloser, err error) {
		defer func() {
			if v := recover(); v != nil { // an Open panicked, perhaps on a goroutine of the transport's
				a.mu.Lock()
				defer a.mu.Unlock()
				a.panic = &sourcePanic{value: v}
				rc, err = nil, a.panic
			}
		}()
		rc, err = get()
		if s, ours := rc.(*stream); ours && err == nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			if p := a.body.panicked.Load(); p != nil {
				a.panic = p
			}
			s.limits = a.limits
			a.body = s
			if a.ended {
				s.Close()
			}
		}
		return rc, err
	}
}

// preload replaces the stream of a small body by its bytes. Their buffer goes
// back to the pool when the transport has written them. After an error, nothing
// may be sent, and an error of finish takes precedence.
func (a *attemptBody) preload() error {
	if a.body == nil || a.body.body.Length > smallBody {
		return nil
	}
	if err := a.req.Context().Err(); err != nil {
		return err // the source is being closed
	}
	buf := buffers.Get().(*[smallBody]byte)
	content := buf[:a.body.body.Length]
	if _, err := io.ReadFull(a.body, content); err != nil {
		buffers.Put(buf)
		return err
	}
	a.buf.Store(buf)
	a.body.Close()
	a.content.Reset(content)
	a.req.Body = io.NopCloser(&a.content)
	return nil
}

// onWroteRequest gives the buffer of a small body back, and starts the wait for
// an answer. After a failed write, the transport may send the same reader once
// more, so the buffer is kept. After a good one, the transport may still learn
// that the connection is dead, but then it asks for another body.
func (a *attemptBody) onWroteRequest(info httptrace.WroteRequestInfo) {
	if info.Err != nil {
		return
	}
	if buf := a.buf.Swap(nil); buf != nil {
		buffers.Put(buf)
	}
	a.limits.startWait()
}

// end closes the latest body, and any body that is asked for later.
func (a *attemptBody) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = true
	a.body.Close()
}

// finish ends the transport's use of the body. It returns the first fault of a
// source, a *sourcePanic before any other, and whether the body was read to its
// end.
func (a *attemptBody) finish() (fault error, whole bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.body == nil {
		return nil, true
	}
	if a.stop != nil {
		a.stop()
	}
	a.ended = true
	if fault, whole = a.body.finish(); a.panic != nil {
		return a.panic, false
	}
	return fault, whole
}
