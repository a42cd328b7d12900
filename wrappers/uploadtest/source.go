package uploadtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// source is a file to send that notes what is done to its readers.
type source struct {
	upload.Source
	content []byte

	mu     sync.Mutex
	opened int
	closed int
	twice  bool
}

// newSource is a source of the given content. Readers, where given, makes what
// is read instead; closed is closed with the reader.
func newSource(name, contentType string, content []byte, reader func(closed <-chan struct{}) io.Reader) *source {
	s := &source{content: content}
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

// fault says what was done wrong with the readers, once nobody uses them any
// more.
func (s *source) fault() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.twice:
		return "a reader was closed twice"
	case s.closed < s.opened:
		return fmt.Sprintf("%d of %d readers that were opened are not closed", s.opened-s.closed, s.opened)
	}
	return ""
}

type sourceReader struct {
	io.Reader
	source *source
	once   sync.Once
	closed chan struct{}
}

func (r *sourceReader) Close() error {
	r.source.mu.Lock()
	defer r.source.mu.Unlock()
	first := false
	r.once.Do(func() { first = true; close(r.closed); r.source.closed++ })
	if !first {
		r.source.twice = true
	}
	return nil
}

// sum returns the SHA-256 of content in lower-case hex.
func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}

// noise is n bytes in which no stretch looks like another.
func noise(n int, seed byte) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b) // it never fails
	return b
}
