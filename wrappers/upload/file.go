package upload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// File describes the file at path. Each attempt opens path anew, so the file
// must stay as it is until it is sent. A file whose size or modification time is
// another at the end is an error, before its last bytes go out. Directories and other things that are no
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

// openFile opens without waiting. A named pipe that took the file's place would
// wait for its writer. A regular file never waits, and so is opened with fewer
// system calls.
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
	size, modified := info.Size(), info.ModTime() // as they are now: the info may be a live one
	src := Source{
		Name: BaseName(name),
		Size: size,
		Open: func() (io.ReadCloser, error) {
			f, err := open(name)
			if err != nil {
				return nil, err
			}
			return &file{File: f, size: size, modified: modified}, nil
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

// file reads a file that must stay as it was described.
type file struct {
	fs.File
	size     int64
	modified time.Time
	read     int64
}

// Read ends in an error in place of io.EOF if the file has changed. A file that
// shrank or grew just ends elsewhere, and the sender sees that.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.read += int64(n)
	if err == io.EOF && f.read == f.size {
		if changed := f.changed(); changed != nil {
			return 0, changed
		}
	}
	return n, err
}

// Seek lets [Section] begin in the middle of the file, where the file can do it.
func (f *file) Seek(offset int64, whence int) (int64, error) {
	seeker, ok := f.File.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	at, err := seeker.Seek(offset, whence)
	f.read = at
	return at, err
}

// changed returns an error if the file is not as it was described.
func (f *file) changed() error {
	info, err := f.Stat()
	if err == nil && (info.Size() != f.size || !info.ModTime().Equal(f.modified)) {
		err = errors.New("the file was written to after it was described")
	}
	return err
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
