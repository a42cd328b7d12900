package faults

import (
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

var (
	// Small is read before it is sent. Long is sent as it is read.
	small = upload.Bytes("report.pdf", noise(16<<10))
	long  = upload.Bytes("report.pdf", noise(96<<10))

	// Large does not fit into the buffers of a connection: a server that does
	// not read it stops the client.
	large = upload.Bytes("film.mp4", noise(8<<20))
)

// noise returns n random bytes.
func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func tick() <-chan time.Time { return time.After(5 * time.Millisecond) }

// counted watches the readers of a source.
type counted struct {
	name  string
	whole string // the bytes that must arrive, if any do

	mu       sync.Mutex
	opened   int
	closed   int
	bytes    int64 // read in all
	returned bool  // the call is over
	wrong    []string
}

// send makes src the file that the row sends, and watches its readers. The
// bytes that src yields now must arrive.
func (l *lab) send(src upload.Source) {
	rc, err := src.Open()
	if err != nil {
		panic(err)
	}
	defer rc.Close()
	whole, _ := io.ReadAll(rc)
	l.sendAs(src, string(whole))
}

// sendAs does what send does. Whole must arrive, even if src yields other
// bytes.
func (l *lab) sendAs(src upload.Source, whole string) {
	c := &counted{name: src.Name, whole: whole}
	open := src.Open
	src.Open = func() (io.ReadCloser, error) {
		rc, err := open()
		if err != nil || rc == nil {
			return rc, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.opened++
		c.note(c.returned, "a reader was opened after the call")
		return &watched{rc: rc, c: c}, nil
	}
	l.src, l.sent = src, c
}

// never is the content of a source that yields no whole file.
const never = "a file that cannot arrive"

// note keeps a mistake. Its caller holds mu.
func (c *counted) note(wrong bool, what string) {
	if wrong {
		c.wrong = append(c.wrong, what)
	}
}

// settle checks the readers after the call has returned. Any later use of a
// reader is a mistake.
func (c *counted) settle(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	c.returned = true
	if c.opened != c.closed {
		t.Errorf("%q was opened %d times and closed %d times", c.name, c.opened, c.closed)
	}
	c.mu.Unlock()
	t.Cleanup(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, w := range c.wrong {
			t.Errorf("%q: %s", c.name, w)
		}
	})
}

type watched struct {
	rc     io.ReadCloser
	c      *counted
	closed bool
	late   int // Reads that began after Close
}

func (w *watched) Read(p []byte) (int, error) {
	w.c.mu.Lock()
	if w.closed {
		w.late++ // one is allowed, because Close ends a Read that hangs
	}
	w.c.note(w.late > 1, "Reads began after Close")
	w.c.note(w.c.returned, "a Read began after the call")
	w.c.mu.Unlock()
	n, err := w.rc.Read(p)
	w.c.mu.Lock()
	w.c.bytes += int64(max(n, 0))
	w.c.note(w.c.returned, "a Read went on after the call")
	w.c.mu.Unlock()
	return n, err
}

func (w *watched) Close() error {
	w.c.mu.Lock()
	w.c.note(w.closed, "a reader was closed twice")
	w.c.note(w.c.returned, "a reader was closed after the call")
	w.closed = true
	w.c.closed++
	w.c.mu.Unlock()
	return w.rc.Close()
}

// from returns a source whose nth Open calls the nth function, and later ones
// the last. It has the size of small.
func from(open ...func() (io.ReadCloser, error)) upload.Source {
	n := 0
	return upload.Source{Name: "report.pdf", ContentType: "application/pdf", Size: small.Size,
		Open: func() (io.ReadCloser, error) {
			n++
			return open[min(n, len(open))-1]()
		}}
}

func reading(r func() io.Reader) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(r()), nil }
}

// hanging opens a reader that yields n bytes of small, then calls atHang and
// hangs until it is closed.
func hanging(n int64, atHang func()) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			if _, err := w.Write(noise(int(n))); err == nil { // each Write waits until it is read
				atHang()
			}
		}()
		return r, nil
	}
}
