package faults

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

var errStop = errors.New("the caller had enough")

// stop ends the caller's context, with a cause of its own, and then hangs.
func stop(h *hit) {
	h.lab.stopNow()
	hang(h)
}

// stopNow ends the caller's context and notes when.
func (l *lab) stopNow() {
	l.stopped.CompareAndSwap(nil, new(time.Now()))
	l.cancel(errStop)
}

// An upload ends with its context, wherever it is, and at once. A deadline
// takes the same way.
func TestCancelAtEveryStage(t *testing.T) {
	end := context.Canceled
	ended := func(tries int) want { return want{kinds: kinds(end), tries: tries} }
	unreached := want{kinds: kinds(end), tries: 1, reached: some}
	waiting := func(kind error, status int) want {
		return want{kinds: kinds(end, kind), status: status, tries: 1}
	}
	source := func(open func(l *lab) func() (io.ReadCloser, error), size int64) func(*lab) {
		return func(l *lab) {
			src := from(open(l))
			src.Size = size
			l.sendAs(src, never)
		}
	}
	hangs := func(after int64) func(*lab) func() (io.ReadCloser, error) {
		return func(l *lab) func() (io.ReadCloser, error) { return hanging(after, l.stopNow) }
	}
	rows := []row{
		{name: "in the token call, before the body is read", at: here, fault: stop, want: ended(1)},
		{name: "in the token call's answer", at: here, fault: rawThenStop("HTTP/1.1 200 OK\nContent-Length: 500\n\n{"),
			want: want{kinds: kinds(end), status: 200, tries: 1}},
		{name: "before the body is read", at: requests, fault: stop, want: ended(1)},
		{name: "in the middle of the body", at: requests, fault: afterHalf(stop), want: ended(1)},
		{name: "after it was done", at: carriers, fault: done(stop),
			want: want{kinds: kinds(end), tries: 1, stored: true}},
		{name: "in the answer", at: apiCalls, fault: rawThenStop("HTTP/1.1 200 OK\nTRACE\nContent-Length: 500\n\n{"),
			want: want{kinds: kinds(end), status: 200, tries: 1}},
		{name: "in the answer's header", at: requests, fault: rawThenStop("HTTP/1.1 200 OK\nContent-Le"),
			want: ended(1)},
		{name: "in an answer that attempts would follow", at: requests,
			fault: rawThenStop("HTTP/1.1 503 Service Unavailable\nTRACE\nContent-Length: 500\n\n{"),
			want:  waiting(upload.ErrUnavailable, 503)},

		{name: "in an answer that drips", at: apiCalls,
			fault: soon(drip("HTTP/1.1 200 OK\nTRACE\nContent-Length: 100000\n\n")),
			want:  want{kinds: kinds(end), status: 200, tries: 1}},
		{name: "in a header that drips", at: requests, fault: soon(drip("HTTP/1.1 200 OK\nX-Slow: ")), want: ended(1)},
		{name: "in an error that drips", at: requests,
			fault: soon(drip("HTTP/1.1 404 Not Found\nTRACE\nContent-Length: 100000\n\n")),
			want:  want{kinds: kinds(upload.ErrNotFound), status: 404, tries: 1}},
		{name: "in an error that drips and would be repeated", at: requests,
			fault: soon(drip("HTTP/1.1 503 Service Unavailable\nTRACE\nContent-Length: 100000\n\n")),
			want:  waiting(upload.ErrUnavailable, 503)},

		{name: "a large body, before it is read", at: carriers, fault: stop, set: sends(large), want: ended(1),
			check: unread},
		{name: "a large body, in the middle", at: carriers, fault: afterHalf(stop), set: sends(large), want: ended(1)},
		{name: "a large body that is read a byte at a time", at: carriers, set: sends(large), want: ended(1),
			fault: func(h *hit) {
				for n := 0; ; n++ {
					if _, err := io.ReadFull(h.r.Body, make([]byte, 1)); err != nil {
						return
					}
					if n == 10 {
						h.lab.stopNow()
					}
					select {
					case <-h.lab.release:
						return
					case <-tick():
					}
				}
			}},

		{name: "the source hangs at its first byte", at: carriers, set: source(hangs(0), small.Size), want: unreached},
		{name: "the source hangs in the middle of a short file", at: carriers, set: source(hangs(5000), small.Size),
			want: unreached},
		{name: "the source hangs in the middle of a long file", at: carriers, set: source(hangs(10_000), long.Size),
			want: unreached},
		{name: "the source hangs at the end of a short file", at: carriers, set: source(hangs(small.Size), small.Size),
			want: unreached},
		{name: "the source of an empty file hangs", at: []place{createFile}, set: source(hangs(0), 0), want: unreached},
		{name: "the source of an empty file hangs", at: []place{presigned}, set: source(hangs(0), 0),
			want: want{kinds: kinds(end), reached: none}},
		{name: "the source hangs and does not hear Close", at: carriers, want: unreached,
			set: source(func(l *lab) func() (io.ReadCloser, error) {
				return reading(func() io.Reader { return &stubborn{l} })
			}, long.Size)},
		{name: "while the source is opened", at: carriers, want: unreached,
			set: source(func(l *lab) func() (io.ReadCloser, error) {
				return func() (io.ReadCloser, error) { l.stopNow(); return small.Open() }
			}, small.Size)},

		{name: "while it connects", at: carriers, last: true, want: want{kinds: kinds(end), tries: 1, reached: none},
			late: func(l *lab) {
				l.transport().DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					if !strings.HasPrefix(addr, l.target()) {
						return l.dial(ctx, network, addr)
					}
					l.stopNow()
					<-ctx.Done()
					return nil, context.Cause(ctx)
				}
			}},
		{name: "in a TLS handshake", at: carriers, last: true, want: want{kinds: kinds(end), tries: 1, reached: none},
			late: func(l *lab) {
				l.aim("https://" + l.listen(func(net.Conn) { l.stopNow(); <-l.release }))
			}},
		{name: "the store's answer hangs after the bytes were taken, and nobody waits for it", at: []place{presigned},
			want: want{stored: true}, fault: done(rawThenHang("HTTP/1.1 200 OK\nContent-Length: 500\n\nok"))},
	}
	for i := range rows {
		check, caused := rows[i].check, slices.Contains(rows[i].want.kinds, end)
		rows[i].check = func(l *lab, res upload.Result, err error) {
			if began := l.stopped.Load(); began != nil && time.Since(*began) > 5*time.Second {
				l.t.Errorf("it took %s to hear the context", time.Since(*began))
			}
			if caused {
				isError(errStop)(l, res, err)
			}
			if check != nil {
				check(l, res, err)
			}
		}
	}
	runAll(t, rows)
}

// soon ends the context when the client has read the beginning of the fault's
// answer, and reads on.
func soon(f fault) fault {
	return func(h *hit) {
		h.lab.awaited.Store(true)
		f(h)
	}
}

func rawThenStop(text string) fault { return soon(rawThenHang(text)) }

// stubborn returns a byte after 100 ms, even if Close is called meanwhile.
type stubborn struct{ l *lab }

func (s *stubborn) Read(p []byte) (int, error) {
	s.l.stopNow()
	time.Sleep(100 * time.Millisecond)
	p[0] = 'x'
	return 1, nil
}

// These rows run at the same time, because each waits for a second or so.
func TestInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("-short leaves out the waits in real time: a token server that is down, and a server that " +
			"knows no Expect")
	}
	runTogether(t, append(tokenServerInTrouble(), refusedExpectations()...))
}
