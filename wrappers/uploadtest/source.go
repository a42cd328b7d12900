package uploadtest

import (
	"bytes"
	"fmt"
	"io"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
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
func file(size int) *source {
	return newSource("file.bin", upload.OctetStream, payload.Noise(size), nil)
}

// newSource is a source of the given content. Reader, if it is set, makes what
// is read instead; closed is closed with the reader.
func newSource(name, contentType string, content []byte, reader func(closed <-chan struct{}) io.Reader) *source {
	s := &source{content: content, hash: sync.OnceValue(func() string { return payload.Sum(content) })}
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

// check sees that the progress ended at the end of src. Nobody knows which of
// several parts was read last.
func (p *progress) check(t *trial, src *source) {
	t.Helper()
	if src.inParts(accepted(t.requests())) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t.seen.Note(aProgress)
	switch {
	case !p.begun:
		t.broke("progress: the source was never opened")
	case p.sent != src.Size || p.total != src.Size:
		t.broke("progress: it ended at %d of %d", p.sent, p.total)
	}
}
