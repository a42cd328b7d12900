package upload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
)

// Source is one file to send. Make one with [File], [FS], [Bytes], [ReaderAt]
// or [Reader], or fill in the fields.
type Source struct {
	Name        string                        // the file's name; a path counts from its last slash or backslash
	ContentType string                        // media type; empty means application/octet-stream
	Size        int64                         // exact number of bytes; one more or less is an error, not a shorter file
	Open        func() (io.ReadCloser, error) // a fresh reader at the first byte, each time; whoever opens it closes it
}

// BaseName is what stands in a name after the last slash or backslash, on
// every platform alike: what a provider keeps of a file name.
func BaseName(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// File describes the file at path. Each attempt opens path anew, so the file
// must stay as it is until it is sent. Directories and other things that are no
// regular file are refused; an empty file is a file. The media type goes by the
// extension and, where that is unknown, by the first 512 bytes; only for these
// the file is read before it is sent.
func File(path string) (Source, error) {
	return describe(path, os.Stat, openFile)
}

// FS is [File] for the file called name in fsys.
func FS(fsys fs.FS, name string) (Source, error) {
	return describe(name, func(n string) (fs.FileInfo, error) { return fs.Stat(fsys, n) }, fsys.Open)
}

// openFile opens without waiting, as for the writer of a named pipe that took
// the file's place. It also spares the calls by which os.Open finds out that a
// regular file cannot be waited for.
func openFile(path string) (fs.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func describe(name string, stat func(string) (fs.FileInfo, error), open func(string) (fs.File, error)) (Source, error) {
	info, err := stat(name)
	switch {
	case err != nil:
		return Source{}, refuse(name, err)
	case info.IsDir():
		return Source{}, refuse(name, errors.New("is a directory, not a file"))
	case !info.Mode().IsRegular():
		return Source{}, refuse(name, errors.New("is not a regular file"))
	}
	src := Source{
		Name: BaseName(name),
		Size: info.Size(),
		Open: func() (io.ReadCloser, error) { return open(name) },
	}
	src.ContentType = mediaType(name, func() []byte {
		var head []byte
		head, err = readHead(open, name)
		return head
	})
	if err != nil {
		return Source{}, refuse(name, err)
	}
	return src, nil
}

// readHead reads what http.DetectContentType looks at.
func readHead(open func(string) (fs.File, error), name string) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniffLen)
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // a shorter file
		err = nil
	}
	return head[:n], err
}

// refuse says whose fault it is and keeps the cause; the name stands in front
// once, also where the cause is a *fs.PathError that brings it along.
func refuse(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
}

// Bytes describes b, which must not change until it is sent.
func Bytes(name string, b []byte) Source {
	return Source{
		Name:        BaseName(name),
		ContentType: mediaType(name, func() []byte { return b[:min(len(b), sniffLen)] }),
		Size:        int64(len(b)),
		Open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil },
	}
}

// ReaderAt describes the first size bytes of r, which is read from the start
// on each attempt and never closed. It must allow concurrent ReadAt calls, as
// io.ReaderAt demands.
func ReaderAt(name string, r io.ReaderAt, size int64) Source {
	return Source{
		Name: BaseName(name),
		ContentType: mediaType(name, func() []byte {
			head := make([]byte, max(0, min(size, sniffLen)))
			n, _ := r.ReadAt(head, 0) // what is wrong with r shows when it is sent
			return head[:n]
		}),
		Size: size,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(r, 0, size)), nil },
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
