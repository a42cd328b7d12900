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

// smallBody is the length in bytes up to which a body is read before it is
// sent. The transport then writes header and body at once, and what is wrong
// with the source is known before a byte is out.
const smallBody = 48 << 10

var buffers = sync.Pool{New: func() any { return new([smallBody]byte) }}

// loan is one attempt's request in the hands of a transport. The transport may
// ask for the body anew, when a kept connection turned out to be dead, and may
// go on reading it when it has answered; the loan ends both.
type loan struct {
	req      *http.Request
	trace    httptrace.ClientTrace
	buf      *[smallBody]byte // of a small body
	content  bytes.Reader     // and what is read of it
	returned atomic.Bool      // buf is in the pool again

	mu    sync.Mutex
	body  *stream     // the latest one handed out; nil where the body is not ours
	stop  func() bool // undoes the loan's end with the context
	ended bool
}

// lend makes a copy of req that a transport may have until finish is called or
// ctx ends: closing the source is what ends a Read that hangs. A body that is no
// stream is the transport's alone.
func lend(ctx context.Context, req *http.Request, body io.ReadCloser) *loan {
	l := &loan{}
	stream, ours := body.(*stream)
	if ours && stream.body.Length <= smallBody {
		l.trace.WroteRequest = l.wrote
		ctx = httptrace.WithClientTrace(ctx, &l.trace)
	}
	l.req = req.WithContext(ctx)
	l.req.Body = body
	if !ours {
		return l
	}
	l.body = stream
	l.stop = context.AfterFunc(ctx, l.end)
	if req.GetBody != nil {
		l.req.GetBody = l.again(req.GetBody)
	}
	return l
}

// again is the GetBody of the request on loan.
func (l *loan) again(get func() (io.ReadCloser, error)) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		rc, err := get()
		if s, ours := rc.(*stream); ours && err == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.body = s
			if l.ended {
				s.Close()
			}
		}
		return rc, err
	}
}

// preload replaces the stream of a small body by its bytes, in a buffer that
// goes back to the pool when the transport has written them. An error means that
// nothing is to be sent; what finish says comes first.
func (l *loan) preload() error {
	if l.body == nil || l.body.body.Length > smallBody {
		return nil
	}
	if err := l.req.Context().Err(); err != nil {
		return err // the source is being closed
	}
	l.buf = buffers.Get().(*[smallBody]byte)
	content := l.buf[:l.body.body.Length]
	if _, err := io.ReadFull(l.body, content); err != nil {
		buffers.Put(l.buf)
		return err
	}
	l.body.Close()
	l.content.Reset(content)
	l.req.Body = io.NopCloser(&l.content)
	return nil
}

// wrote gives the buffer of a small body back. After a write that failed, the
// transport may send the same reader once more. After one that did not, it may
// have to write again all the same (it is told of a dead connection later), but
// gets another body for it.
func (l *loan) wrote(info httptrace.WroteRequestInfo) {
	if info.Err == nil && !l.returned.Swap(true) {
		buffers.Put(l.buf)
	}
}

// end closes the latest body, and any that is still asked for.
func (l *loan) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.body.Close()
}

// finish ends the loan. It says what a source did wrong, if anything, and
// whether the body was read to its end.
func (l *loan) finish() (fault error, whole bool) {
	if l.stop == nil {
		return nil, true
	}
	l.stop()
	l.end()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.body.finish()
}
