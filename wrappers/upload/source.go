package upload

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
)

// Source is one file to send. Make one with [File], [FS], [Bytes], [ReaderAt]
// or [Reader], or fill in the fields.
type Source struct {
	Name        string                        // the file's name; of a path, [BaseName] is sent
	ContentType string                        // media type; empty means application/octet-stream
	Size        int64                         // exact number of bytes; one more or less is an error, not a shorter file
	Open        func() (io.ReadCloser, error) // a new reader at the first byte, each time; the caller of Open closes it
}

// MarshalJSON returns an error: a file is sent as it is, or in a form.
// Generated code calls it where a document has a file inside JSON, or in a
// union.
func (Source) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("%w: a file cannot stand in JSON, nor in a union: "+
		"send it in a form, or leave only the file in the document's schema", ErrInvalid)
}

// BaseName returns the part of a name after the last slash or backslash, on
// every platform alike. That part is what a provider keeps of a file name.
func BaseName(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// Bytes describes b. Do not change b until it is sent.
func Bytes(name string, b []byte) Source {
	return Source{
		Name:        BaseName(name),
		ContentType: mediaType(name, func() []byte { return b[:min(len(b), sniffLen)] }),
		Size:        int64(len(b)),
		Open:        func() (io.ReadCloser, error) { return unclosed{bytes.NewReader(b)}, nil },
	}
}

// unclosed is a reader that needs no Close, and that [Section] can seek in.
type unclosed struct{ io.ReadSeeker }

func (unclosed) Close() error { return nil }

// ReaderAt describes the first size bytes of r. Each attempt reads r from the
// start, and nothing closes r. r must allow concurrent ReadAt calls, as
// io.ReaderAt demands.
func ReaderAt(name string, r io.ReaderAt, size int64) Source {
	return Source{
		Name: BaseName(name),
		ContentType: mediaType(name, func() []byte {
			head := make([]byte, max(0, min(size, sniffLen)))
			n, _ := r.ReadAt(head, 0) // an error of r shows when it is sent
			return head[:max(0, min(n, len(head)))]
		}),
		Size: size,
		Open: func() (io.ReadCloser, error) { return unclosed{io.NewSectionReader(r, 0, size)}, nil },
	}
}

// Reader describes a stream that can be read only once and must end after size
// bytes; put an io.LimitReader around one that goes on. Nothing of it is
// buffered, so it makes one attempt: a second Open returns [ErrNotReplayable].
// If r is an io.Closer, it is closed when the attempt ends. The media type goes
// by the name alone.
func Reader(name string, r io.Reader, size int64) Source {
	var opened atomic.Bool
	return Source{
		Name:        BaseName(name),
		ContentType: mediaType(name, func() []byte { return nil }),
		Size:        size,
		Open: func() (io.ReadCloser, error) {
			if opened.Swap(true) {
				return nil, ErrNotReplayable
			}
			if rc, ok := r.(io.ReadCloser); ok {
				return rc, nil
			}
			return io.NopCloser(r), nil
		},
	}
}
