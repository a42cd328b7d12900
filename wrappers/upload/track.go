package upload

import (
	"io"
	"sync"
)

// Track returns src and reports its progress to fn: fn(0, total) at each Open,
// where an attempt begins, then fn(sent, total) as bytes are read to be sent.
// Calls never overlap. Only the reader that was opened last is reported, so
// sent goes back only where an attempt begins. Fn runs on the sending
// goroutine: a slow fn slows the upload.
func Track(src Source, fn func(sent, total int64)) Source {
	open, t := src.Open, &tracker{fn: fn, total: src.Size}
	if open == nil {
		return src
	}
	src.Open = func() (io.ReadCloser, error) {
		rc, err := open()
		if err != nil || rc == nil {
			return nil, err
		}
		reported := false
		defer func() {
			if !reported { // fn panicked
				rc.Close()
			}
		}()
		turn := t.begin()
		reported = true
		return &tracked{ReadCloser: rc, tracker: t, turn: turn}, nil
	}
	return src
}

type tracker struct {
	mu    sync.Mutex
	fn    func(sent, total int64)
	total int64
	turn  int // the latest Open
	sent  int64
}

func (t *tracker) begin() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.turn, t.sent = t.turn+1, 0
	t.fn(0, t.total)
	return t.turn
}

func (t *tracker) add(turn, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn != t.turn {
		return
	}
	t.sent = min(t.sent+int64(n), t.total)
	t.fn(t.sent, t.total)
}

type tracked struct {
	io.ReadCloser
	*tracker
	turn int
}

func (r *tracked) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if n > 0 {
		r.add(r.turn, n)
	}
	return n, err
}
