package upload

import (
	"errors"
	"fmt"
	"io"
)

// Section describes n bytes of src from offset off, for an API that takes a
// file in chunks. Name and ContentType are src's. If src is too short for the
// section, opening it returns [ErrInvalid].
//
// A source that can seek, such as one of [File], [Bytes] or [ReaderAt], starts
// at off. Any other source is read from its beginning. To see the progress, put
// [Track] around the section.
func Section(src Source, off, n int64) Source {
	open, size := src.Open, src.Size
	src.Size = n
	if open == nil {
		return src
	}
	src.Open = func() (io.ReadCloser, error) {
		if off < 0 || n < 0 || n > size-off {
			return nil, fmt.Errorf("%w: %d bytes from offset %d on are no section of %d bytes",
				ErrInvalid, n, off, size)
		}
		rc, err := open()
		if err != nil || rc == nil {
			return nil, err
		}
		return &section{ReadCloser: rc, skip: off, left: n, last: off+n == size}, nil
	}
	return src
}

// section reads a part of a source.
type section struct {
	io.ReadCloser
	skip int64 // bytes that come before the section
	left int64 // bytes of the section that were not read yet
	last bool  // the section ends where the source must end
}

func (s *section) Read(p []byte) (int, error) {
	if s.skip > 0 {
		if err := s.begin(); err != nil {
			return 0, err
		}
	}
	if s.left == 0 && !s.last {
		return 0, s.end()
	}
	if !s.last { // the last section reads on, to see that the source has no more
		p = p[:min(int64(len(p)), s.left)]
	}
	n, err := s.ReadCloser.Read(p)
	s.left -= int64(n)
	return n, err
}

// begin goes to the section's first byte.
func (s *section) begin() error {
	if seeker, ok := s.ReadCloser.(io.Seeker); ok {
		if _, err := seeker.Seek(s.skip, io.SeekStart); !errors.Is(err, errors.ErrUnsupported) {
			s.skip = 0
			return err
		}
	}
	n, err := io.CopyN(io.Discard, counted{s.ReadCloser}, s.skip)
	s.skip -= n
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// end returns the error at the end of a section that is not the last. The file
// is not read to its own end then, so end checks whether it changed.
func (s *section) end() error {
	if f, ok := s.ReadCloser.(*file); ok {
		if err := f.changed(); err != nil {
			return err
		}
	}
	return io.EOF
}
