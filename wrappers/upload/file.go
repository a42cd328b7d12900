package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// File describes the file at path. Each attempt opens path anew, so the file
// must not change until it is sent. If its size or modification time has
// changed by then, the upload fails before the last bytes go out. A directory,
// or anything else that is no regular file, is refused; an empty file is not.
// The media type comes from the extension. If that is unknown, File reads the
// first 512 bytes to find it. Every error is [ErrInvalid] and keeps its cause,
// such as fs.ErrNotExist.
func File(path string) (Source, error) {
	return describe(path, os.Stat, openFile)
}

// FS is [File] for the file called name in fsys.
func FS(fsys fs.FS, name string) (Source, error) {
	stat := func(n string) (fs.FileInfo, error) { return fs.Stat(fsys, n) }
	return describe(name, stat, func(n string) (handle, error) {
		f, err := fsys.Open(n)
		if err != nil {
			return nil, err
		}
		return fsHandle{f}, nil
	})
}

func describe(name string, stat func(string) (fs.FileInfo, error), open func(string) (handle, error)) (Source, error) {
	info, err := stat(name)
	switch {
	case err != nil:
		return Source{}, refuse(name, err)
	case info.IsDir():
		return Source{}, refuse(name, errors.New("is a directory, not a file"))
	case !info.Mode().IsRegular():
		return Source{}, refuse(name, errors.New("is not a regular file"))
	}
	size, modified := info.Size(), info.ModTime() // copied now, since info may change with the file
	src := Source{
		Name: BaseName(name),
		Size: size,
		Open: func() (io.ReadCloser, error) {
			h, err := open(name)
			if err != nil {
				return nil, err
			}
			return &file{handle: h, size: size, modified: modified}, nil
		},
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

// handle is an open file. Its Close does not end a Read.
type handle interface {
	io.ReadSeekCloser
	stamp() (size int64, modified time.Time, err error)
}

// fsHandle is the handle of a file that can tell its fs.FileInfo.
type fsHandle struct{ fs.File }

func (h fsHandle) Seek(offset int64, whence int) (int64, error) {
	if seeker, ok := h.File.(io.Seeker); ok {
		return seeker.Seek(offset, whence)
	}
	return 0, errors.ErrUnsupported
}

func (h fsHandle) stamp() (size int64, modified time.Time, err error) {
	info, err := h.Stat()
	if err != nil {
		return 0, time.Time{}, err
	}
	return info.Size(), info.ModTime(), nil
}

// file reads a file that must stay as it was described.
type file struct {
	handle
	size     int64
	modified time.Time
	read     int64
}

// Read returns io.EOF with the file's last bytes. That saves one more call. If
// the file has changed, it returns an error in place of these bytes. A file
// that shrank ends earlier, and the sender sees that.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.handle.Read(p)
	f.read += int64(n)
	if f.read != f.size || err != nil && err != io.EOF || len(p) == 0 {
		return n, err
	}
	if err := f.changed(); err != nil {
		return 0, err
	}
	return n, io.EOF
}

// Seek lets [Section] begin in the middle of the file, if the file can seek.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	at, err := f.handle.Seek(offset, whence)
	if err == nil {
		f.read = at
	}
	return at, err
}

// changed returns an error if the file is not as it was described.
func (f *file) changed() error {
	size, modified, err := f.stamp()
	switch {
	case err != nil:
		return err
	case size > f.size:
		return fmt.Errorf("the file holds more than its size of %d bytes: "+
			"it was written to after it was described", f.size)
	case size != f.size || !modified.Equal(f.modified):
		return errors.New("the file was written to after it was described")
	}
	return nil
}

// readHead reads the bytes for http.DetectContentType.
func readHead(open func(string) (handle, error), name string) ([]byte, error) {
	f, err := open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniffLen)
	n, err := io.ReadFull(counted{f}, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) { // a shorter file
		err = nil
	}
	return head[:n], err
}

// refuse returns ErrInvalid with the name and the cause. A *fs.PathError names
// the file too, so only its inner error is kept.
func refuse(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
}

// counted checks the count that a Read returns. The standard library slices by
// it, and would panic on a wrong one.
type counted struct{ io.Reader }

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n < 0 || n > len(p) {
		return 0, fmt.Errorf("%w: a reader says that it read %d of %d bytes", ErrInvalid, n, len(p))
	}
	return n, err
}
