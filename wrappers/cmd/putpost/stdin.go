package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/putpost/putpost/wrappers/upload"
)

// stdinSource is what r still holds: a regular file from its current offset, in
// place; anything else by way of a temporary file, since the length must be
// known before the first byte is sent. Done is for when the source is not
// needed any more.
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

// section reads on behind size, so that a file which has grown meanwhile is
// found out.
func section(name string, f *os.File, offset, size int64) upload.Source {
	src := upload.ReaderAt(name, io.NewSectionReader(f, offset, size), size)
	src.Open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(f, offset, math.MaxInt64-offset)), nil
	}
	return src
}

// spool copies r to a temporary file that has no name any more, where the
// system allows that, so that nothing is left however the process ends.
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
	case <-quit: // the read cannot be ended; the process is about to
		return nil, 0, errInterrupted
	}
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name()) // for systems that keep the name of an open file
}
