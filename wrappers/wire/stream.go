package wire

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/putpost/putpost/wrappers/upload"
)

// stream reads one attempt's body: head, file, head, file, tail. It hands out
// the last bytes of a file only after the file has ended at its size. So if a
// file grew or shrank, the server never holds a body that looks whole.
type stream struct {
	body *Body

	opened atomic.Bool // or about to be
	limits *limits     // told when the last byte was handed out; nil where there are none

	mu    sync.Mutex // held by Read
	files []io.ReadCloser
	left  int64 // bytes of the body that were not read yet; valid once opened
	next  int   // the part being read
	at    int64 // offset in that part, its head included
	err   error // the first thing that a source did wrong, or io.EOF

	closing sync.Mutex // held for files' closing; never waits for a Read
	closed  bool

	panicked atomic.Pointer[sourcePanic] // the first of Read or Close
}

// sourcePanic is a panic of the caller's code in a source, or a runtime.Goexit
// in it, as t.FailNow calls it. A transport reads and closes on its own
// goroutines, where nobody could recover a panic. So the panic is kept, and
// comes out of the call that sends the source.
type sourcePanic struct {
	value  any
	exited bool
}

func (p *sourcePanic) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// rethrow panics or exits like the source.
func (p *sourcePanic) rethrow() {
	if p.exited {
		runtime.Goexit()
	}
	panic(p.value)
}

// keepPanic is deferred. It keeps a panic for rethrow.
func (s *stream) keepPanic() {
	if v := recover(); v != nil {
		s.panicked.CompareAndSwap(nil, &sourcePanic{value: v})
	}
}

var errClosed = errors.New("request body is closed")

// fullRecord is the largest content of a TLS record in bytes. A connection of
// [upload.NewTransport] holds back full ones for a moment, to send several at
// once. It sees only their encrypted length, so some bytes less look full too.
// No large body ends with such a record: its last bytes are read apart. So the
// connection never waits for more when there is none.
const (
	fullRecord = 16 << 10
	apart      = 64 // the frames of two ciphers differ by less
)

// openAll opens every source. If it fails, Close closes the opened ones.
func (s *stream) openAll() error {
	s.opened.Store(true)
	s.left = s.body.Length
	for _, p := range s.body.parts {
		rc, err := p.src.Open()
		if err == nil && rc == nil {
			err = errors.New("its Open gave no reader")
		}
		if err != nil {
			s.err = inField(p.field, openError(p.src.Name, err))
			return s.err
		}
		s.closing.Lock()
		if s.files = append(s.files, rc); s.closed {
			s.closeFile(rc)
			s.err = errClosed
		}
		s.closing.Unlock()
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

// Read returns the body's bytes, and io.EOF at its end. Any other error is kept
// for finish.
func (s *stream) Read(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	returned := false
	defer func() {
		if v := recover(); !returned {
			s.panicked.CompareAndSwap(nil, &sourcePanic{value: v, exited: v == nil})
			s.limits.abandon() // the transport does not notice that its goroutine exits
		}
		if p := s.panicked.Load(); p != nil {
			s.err = errClosed
			n, err = 0, p
		}
	}()
	n, err = s.fill(p)
	returned = true
	return n, err
}

func (s *stream) fill(p []byte) (n int, err error) {
	if !s.opened.Load() {
		if err := s.openAll(); err != nil {
			return 0, err
		}
	}
	if s.body.Length > smallBody && s.left <= int64(len(p)) && (s.left+apart-1)%fullRecord < apart && s.left > apart {
		p = p[:s.left-apart]
	}
	for n < len(p) && s.err == nil {
		var m int
		m, s.err = s.read(p[n:])
		if s.err == io.EOF {
			s.limits.startWait()
		}
		n, s.left = n+m, s.left-int64(m)
		if n > 0 && (m == 0 || s.inFile()) {
			break // hand out what is there: the next read may wait
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.err
}

// inFile reports whether the file being read was begun and has not ended.
func (s *stream) inFile() bool {
	return s.next < len(s.body.parts) && s.at > int64(len(s.body.parts[s.next].head))
}

func (s *stream) read(p []byte) (int, error) {
	if s.next == len(s.body.parts) {
		n := copy(p, s.body.tail[s.at:])
		s.at += int64(n)
		if s.at == int64(len(s.body.tail)) {
			return n, io.EOF
		}
		return n, nil
	}
	part := &s.body.parts[s.next]
	head := int64(len(part.head))
	if s.at < head {
		n := copy(p, part.head[s.at:])
		s.at += int64(n)
		return n, nil
	}
	file, left := s.files[s.next], part.src.Size-(s.at-head)
	if s.isClosed() {
		return 0, errClosed // some sources can be read after Close
	}
	n := 0
	var err error
	if left > 0 {
		n, err = readSome(file, p[:min(int64(len(p)), left)])
		s.at, left = s.at+int64(n), left-int64(n)
	}
	if err != nil && err != io.EOF {
		return n, s.readError(part, err)
	}
	if left > 0 {
		if err == io.EOF {
			return n, part.fault(fmt.Errorf("ended %d bytes before its size of %d bytes: %w", left, part.src.Size,
				io.ErrUnexpectedEOF))
		}
		return n, nil
	}
	if err == nil {
		if err := s.checkEnd(file, part); err != nil {
			return 0, err // the bytes just read stay here
		}
	}
	s.next, s.at = s.next+1, 0
	if s.next == len(s.body.parts) && len(s.body.tail) == 0 {
		return n, io.EOF
	}
	return n, nil
}

// checkEnd asks a file for one byte more than its size.
func (s *stream) checkEnd(file io.Reader, p *part) error {
	var one [1]byte
	switch n, err := readSome(file, one[:]); {
	case n > 0:
		return p.fault(fmt.Errorf("holds more than its size of %d bytes", p.src.Size))
	case err != io.EOF:
		return s.readError(p, err)
	}
	return nil
}

// readSome reads until there is a byte or an error. It gives up after as many
// empty reads as bufio.
func readSome(r io.Reader, p []byte) (n int, err error) {
	for range 100 {
		n, err = r.Read(p)
		if n < 0 || n > len(p) {
			return 0, fmt.Errorf("its reader says that it read %d of %d bytes", n, len(p))
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// Close closes every source, once. It does not wait for a Read, since closing
// its source may be the only way to end it.
func (s *stream) Close() error {
	s.closing.Lock()
	defer s.closing.Unlock()
	if !s.closed {
		s.closed = true
		for _, f := range s.files {
			s.closeFile(f)
		}
	}
	return nil
}

func (s *stream) closeFile(f io.Closer) {
	defer s.keepPanic() // the others are closed all the same
	f.Close()           // it was only read: nothing can be lost
}

// openError returns the failure of an Open. ErrNotReplayable is no fault of the
// source, but the reason why a request is not repeated.
func openError(name string, err error) error {
	if errors.Is(err, upload.ErrNotReplayable) {
		return fmt.Errorf("%q: %w", name, err)
	}
	return invalid(name, fmt.Errorf("cannot be opened: %w", withoutURL(err, nil)))
}

// readError returns the failure of a Read: errClosed if the stream was closed
// meanwhile, and otherwise a fault of the source.
func (s *stream) readError(p *part, err error) error {
	if s.isClosed() {
		return errClosed
	}
	return p.fault(fmt.Errorf("cannot be read: %w", withoutURL(err, nil)))
}

// fault returns err with the names of the source and of its field.
func (p *part) fault(err error) error { return inField(p.field, invalid(p.src.Name, err)) }

func (s *stream) isClosed() bool {
	s.closing.Lock()
	defer s.closing.Unlock()
	return s.closed
}

// finish closes the stream and waits for a Read in progress. It returns the
// first fault of a source, a *sourcePanic before any other, and whether the
// body was handed out whole.
func (s *stream) finish() (fault error, whole bool) {
	s.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.panicked.Load(); p != nil {
		return p, false
	}
	if s.err == io.EOF {
		return nil, true
	}
	if s.err == nil {
		s.err = errClosed // later Reads fail
	}
	if s.err == errClosed {
		return nil, false
	}
	return s.err, false
}
