package uploadtest

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/putpost/putpost/wrappers/upload"
)

// source is a file to send that notes what is done to its readers.
type source struct {
	upload.Source
	content []byte
	hash    func() string // of the content; it is made once

	mu             sync.Mutex
	opened, closed int
	twice          bool
}

// file is a source of so many bytes. No other source has the same bytes.
func file(size int) *source { return newSource("file.bin", upload.OctetStream, noise(size), nil) }

// newSource is a source of the given content. Reader, if it is set, makes what
// is read instead; closed is closed with the reader.
func newSource(name, contentType string, content []byte, reader func(closed <-chan struct{}) io.Reader) *source {
	s := &source{content: content, hash: sync.OnceValue(func() string { return sum(content) })}
	if reader == nil {
		reader = func(<-chan struct{}) io.Reader { return bytes.NewReader(content) }
	}
	s.Source = upload.Source{Name: name, ContentType: contentType, Size: int64(len(content)),
		Open: func() (io.ReadCloser, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.opened++
			closed := make(chan struct{})
			return &sourceReader{Reader: reader(closed), source: s, closed: closed}, nil
		}}
	return s
}

// open returns how many readers are open.
func (s *source) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened - s.closed
}

// fault describes a misuse of the readers. It is called when nobody uses them
// any more. Net/http closes the reader of a plain client, who may do so, too.
func (s *source) fault(plain bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.twice && !plain:
		return "a reader was closed twice"
	case s.closed < s.opened:
		return fmt.Sprintf("%d of %d that were opened are not closed %v after Upload returned",
			s.opened-s.closed, s.opened, closing)
	}
	return ""
}

type sourceReader struct {
	io.Reader
	source *source
	closed chan struct{}
	over   bool
}

func (r *sourceReader) Close() error {
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	if r.over {
		r.source.twice = true
		return nil
	}
	r.over = true
	r.source.closed++
	close(r.closed)
	return nil
}

// once lets src be read once, as a stream can be.
func (s *source) once() *source {
	reader, _ := s.Open()
	s.Source = upload.Reader(s.Name, reader, s.Size)
	return s
}

// progress remembers what upload.Track said last.
type progress struct {
	mu          sync.Mutex
	begun       bool
	sent, total int64
}

// tracked has the progress of s noted.
func (s *source) tracked() *progress {
	p := &progress{}
	s.Source = upload.Track(s.Source, func(sent, total int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.begun, p.sent, p.total = true, sent, total
	})
	return p
}

func (p *progress) check(t *trial, size int64) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	t.seen.note(aProgress)
	switch {
	case !p.begun:
		t.broke("progress: the source was never opened")
	case p.sent != size || p.total != size:
		t.broke("progress: it ended at %d of %d", p.sent, p.total)
	}
}

// sum returns the SHA-256 of content in lower-case hex.
func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// noises counts what noise has made.
var noises atomic.Uint64

// noise returns n bytes in which no stretch looks like another. Another noise
// has other bytes at each place. Long ones lie in one memory, and must not be
// written to.
func noise(n int) []byte {
	const long, spread = 64 << 10, 1 << 20
	nth := noises.Add(1)
	if n < long || n+spread > longest {
		return newNoise(nth, n)
	}
	from := nth * 4099 % spread
	return longNoise()[from:][:n:n]
}

const longest = 18 << 20 // enough for every large file of the kit

var longNoise = sync.OnceValue(func() []byte { return newNoise(0, longest) })

func newNoise(nth uint64, n int) []byte {
	var key, start [aes.BlockSize]byte
	block, _ := aes.NewCipher(key[:]) // a key of this size never fails
	binary.BigEndian.PutUint64(start[:], nth)
	b := make([]byte, n)
	cipher.NewCTR(block, start[:]).XORKeyStream(b, b)
	return b
}
