package contract

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"sync"
)

// splitter takes a multipart body apart as it is written to. Package
// mime/multipart would have to read the body, from a second goroutine. The two
// find the same parts, and a body that one refuses the other refuses.
type splitter struct {
	delimiter []byte // with the end of a line before it
	parts     parts

	step  step
	rest  []byte // was written, and more has to come before it can be understood
	seen  int    // in the first bytes of rest no header ends
	begun bool   // a part has begun
	fresh bool   // the part is still empty
	next  bool   // a part or the end of all must follow
	err   error
}

// parts is told what a splitter finds.
type parts interface {
	begin(textproto.MIMEHeader)
	content([]byte) // of the part that began last
}

// step is what a splitter expects.
type step int

const (
	boundaryLine step = iota
	partHeader
	partContent
	nothing // what follows does not count
)

// Bounds that mime/multipart has, too.
const (
	longestLine   = 4096
	longestHeader = 10 << 20
	mostHeaders   = 10_000
)

func (s *splitter) write(p []byte) { s.split(p, false) }

// finish says that nothing more comes.
func (s *splitter) finish() {
	s.split(nil, true)
	s.end(io.ErrUnexpectedEOF)
}

// end notes why the body ends here, unless it has ended.
func (s *splitter) end(err error) {
	if s.step != nothing {
		s.step, s.err, s.rest = nothing, err, nil
	}
}

func (s *splitter) split(p []byte, last bool) {
	if len(s.rest) > 0 {
		s.rest = append(s.rest, p...)
		p = s.rest
	}
	for more := true; more && s.step != nothing; {
		var n int
		switch s.step {
		case boundaryLine:
			n, more = s.readLine(p, last)
		case partHeader:
			n, more = s.readHeader(p, last)
		case partContent:
			n, more = s.readContent(p, last)
		}
		p = p[n:]
	}
	if s.step != nothing && len(p) != len(s.rest) { // else it is the same
		s.rest = append(s.rest[:0], p...)
	}
}

// readLine reads a line before the first part, or one that ends a part. It
// returns how many bytes were understood, and whether to go on.
func (s *splitter) readLine(p []byte, last bool) (n int, more bool) {
	nl, dashes := s.delimiter[:bytes.IndexByte(s.delimiter, '\n')+1], s.delimiter[bytes.IndexByte(s.delimiter, '\n')+1:]
	n = bytes.IndexByte(p, '\n') + 1
	if n > longestLine || n == 0 && len(p) >= longestLine {
		s.end(fmt.Errorf("multipart: NextPart: %w", bufio.ErrBufferFull))
		return n, false
	}
	line := p[:n]
	if n == 0 {
		if !last {
			return 0, false
		}
		line = p
	}
	after, found := bytes.CutPrefix(line, dashes)
	final, isFinal := bytes.CutPrefix(after, []byte("--"))
	after, final = bytes.TrimLeft(after, " \t"), bytes.TrimLeft(final, " \t")
	if !s.begun && found && string(after) == "\n" && len(nl) == 2 {
		s.delimiter, nl = s.delimiter[1:], nl[1:] // lines end so throughout
	}
	switch {
	case found && n > 0 && bytes.Equal(after, nl):
		s.step, s.seen, s.next, s.begun = partHeader, 0, false, true
	case found && isFinal && (len(final) == 0 || bytes.Equal(final, nl)):
		s.end(nil)
	case n == 0:
		s.end(io.ErrUnexpectedEOF)
	case s.next:
		s.end(fmt.Errorf("multipart: expecting a new Part; got line %q", line))
	case !s.begun: // what stands before the first part
	case bytes.Equal(line, nl):
		s.next = true
	default:
		s.end(fmt.Errorf("multipart: unexpected line in Next(): %q", line))
	}
	return n, true
}

// readHeader reads the header of a part, up to the empty line.
func (s *splitter) readHeader(p []byte, last bool) (n int, more bool) {
	if n = headerEnd(p, s.seen); n == 0 {
		s.seen = max(0, len(p)-2)
		if !last && len(p) <= longestHeader {
			return 0, false
		}
		n = len(p)
	}
	header, err := parseHeader(p[:n])
	lines := 0
	for _, values := range header {
		lines += len(values)
	}
	switch {
	case n > longestHeader || lines > mostHeaders:
		s.end(errors.New("multipart: message too large"))
	case err == io.EOF:
		s.end(io.ErrUnexpectedEOF)
	case err != nil:
		s.end(err)
	default:
		s.step, s.fresh = partContent, true
		s.parts.begin(header)
	}
	return n, true
}

// headerEnd returns the length of a header with the empty line after it, or 0.
func headerEnd(p []byte, from int) int {
	for i := from; ; i++ {
		at := bytes.IndexByte(p[i:], '\n')
		if at < 0 {
			return 0
		}
		i += at
		if line := p[bytes.LastIndexByte(p[:i], '\n')+1 : i]; len(line) == 0 || string(line) == "\r" {
			return i + 1
		}
	}
}

// headerReader reads the header of a part.
type headerReader struct {
	bytes bytes.Reader
	text  textproto.Reader
}

var headerReaders = sync.Pool{New: func() any {
	r := &headerReader{}
	r.text.R = bufio.NewReader(&r.bytes)
	return r
}}

func parseHeader(p []byte) (textproto.MIMEHeader, error) {
	r := headerReaders.Get().(*headerReader)
	defer headerReaders.Put(r)
	r.bytes.Reset(p)
	r.text.R.Reset(&r.bytes)
	return r.text.ReadMIMEHeader()
}

// readContent hands on what surely belongs to the part.
func (s *splitter) readContent(p []byte, last bool) (n int, more bool) {
	n, found := s.scan(p, last)
	if n > 0 {
		s.fresh = false
		s.parts.content(p[:n])
	}
	if found {
		s.step = boundaryLine
	}
	return n, n > 0 || found
}

// scan returns how many bytes are content, and whether a delimiter follows them.
func (s *splitter) scan(p []byte, last bool) (n int, found bool) {
	if s.fresh { // a delimiter may come without the end of a line before it
		dashes := s.delimiter[bytes.IndexByte(s.delimiter, '\n')+1:]
		if bytes.HasPrefix(p, dashes) {
			switch afterDelimiter(p[len(dashes):], last) {
			case -1:
				return len(dashes), false
			case 0:
				return 0, false
			}
			return 0, true
		}
		if bytes.HasPrefix(dashes, p) {
			return 0, false
		}
	}
	if i := bytes.Index(p, s.delimiter); i >= 0 {
		switch afterDelimiter(p[i+len(s.delimiter):], last) {
		case -1:
			return i + len(s.delimiter), false
		case 0:
			return i, false
		}
		return i, true
	}
	// Unless a delimiter may have begun, all of it is content.
	if i := bytes.LastIndexByte(p, s.delimiter[0]); i >= 0 && bytes.HasPrefix(s.delimiter, p[i:]) {
		return i, false
	}
	return len(p), false
}

// afterDelimiter tells by what follows whether a delimiter is one: it returns 1
// if so, -1 if not, and 0 if more has to come.
func afterDelimiter(p []byte, last bool) int {
	switch {
	case len(p) > 0 && bytes.IndexByte([]byte(" \t\r\n"), p[0]) >= 0, len(p) > 1 && p[0] == '-' && p[1] == '-':
		return 1
	case len(p) == 0 && last:
		return 1
	case !last && (len(p) == 0 || len(p) == 1 && p[0] == '-'):
		return 0
	}
	return -1
}
