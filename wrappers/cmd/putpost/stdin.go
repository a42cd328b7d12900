package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/putpost/putpost/wrappers/upload"
)

// stdinSource returns the rest of r as a source. It sends a regular file from
// its current offset. It copies anything else to a temporary file first,
// because the length must be known before the first byte is sent. Call done
// when the source is not needed any more.
func stdinSource(name string, r io.Reader, quit <-chan struct{}) (_ upload.Source, done func(), _ error) {
	f, ok := r.(*os.File)
	if ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			offset, err := f.Seek(0, io.SeekCurrent)
			if err != nil {
				return upload.Source{}, nil, cause(err)
			}
			return section(name, f, offset, max(0, info.Size()-offset)), func() {}, nil
		}
	}
	spooled, size, err := spool(r, quit)
	if err != nil {
		return upload.Source{}, nil, err
	}
	return section(name, spooled, 0, size), func() { discard(spooled) }, nil
}

// section returns size bytes of f as a source. Its reader does not end after
// them, so the client notices if the file has grown.
func section(name string, f *os.File, offset, size int64) upload.Source {
	src := upload.ReaderAt(name, io.NewSectionReader(f, offset, size), size)
	src.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f, offset, math.MaxInt64-offset)), nil
	}
	return src
}

// spool copies r to a temporary file. If the system allows it, spool removes
// the file's name at once, so nothing is left even after a kill.
func spool(r io.Reader, quit <-chan struct{}) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "putpost-")
	if err != nil {
		return nil, 0, fmt.Errorf("standard input needs a temporary file: %w", err)
	}
	os.Remove(f.Name())
	type outcome struct {
		size int64
		err  error
	}
	copied := make(chan outcome, 1)
	go func() {
		size, err := io.Copy(f, r)
		copied <- outcome{size, err}
	}()
	select {
	case o := <-copied:
		if o.err != nil {
			discard(f)
			return nil, 0, fmt.Errorf("standard input could not be copied to a temporary file: %w", o.err)
		}
		return f, o.size, nil
	case <-quit: // the read goes on until the process ends
		return nil, 0, errInterrupted
	}
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name()) // on systems that cannot remove an open file
}
