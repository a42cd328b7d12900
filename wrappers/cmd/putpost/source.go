package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"

	"github.com/putpost/putpost/wrappers/internal/find"
	"github.com/putpost/putpost/wrappers/upload"
)

func (s *sender) search(ctx context.Context, note func(path, why string)) *find.Search {
	return &find.Search{Named: s.Files, List: s.list, Recursive: s.Recursive, Own: s.own, Quit: ctx.Done(), Note: note}
}

// ownFiles returns the files that are never sent: those that this run writes,
// and the file of its credentials.
func (s *sender) ownFiles(envFile string) (own []find.Own) {
	add := func(is string, info fs.FileInfo, err error) {
		if err == nil && info.Mode().IsRegular() {
			own = append(own, find.Own{Info: info, Is: is})
		}
	}
	if f, ok := s.out.(*os.File); ok {
		info, err := f.Stat()
		add("standard output of this run", info, err)
	}
	if f, ok := s.err.(*os.File); ok {
		info, err := f.Stat()
		add("standard error of this run", info, err)
	}
	if s.journal != nil {
		info, err := s.journal.Info()
		add("the journal", info, err)
	}
	if envFile != "" {
		info, err := os.Stat(envFile)
		add("the file of --env-file", info, err)
	}
	return own
}

// noteFile writes a note about a file.
func (s *sender) noteFile(path, why string) { s.note("%s: %s", shown(path), why) }

// sources yields the files for upload.Many. Source.Name is the path. The client
// sends its last element.
func (s *sender) sources(ctx context.Context) iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		look := s.search(s.more, s.noteFile)
		for f, err := range look.Files() {
			src, taken, err := upload.Source{}, true, cause(err)
			if err == nil {
				s.seen++
				if s.list.Once() { // it was not counted ahead
					s.tally.expect(1, f.Size())
				}
				src, taken, err = s.source(ctx, f)
				if !taken || err != nil {
					s.tally.expect(-1, f.Size())
				}
			}
			src.Name = f.Path
			if taken && !yield(src, err) {
				return
			}
		}
		s.cut = look.Cut
	}
}

// source returns the source of f. If taken is false, f need not be sent.
func (s *sender) source(ctx context.Context, f find.File) (src upload.Source, taken bool, err error) {
	if f.Path == find.Stdin {
		src, done, err := stdinSource(s.sentName(f.Path), s.stdin, s.more.Done())
		s.tally.unknown.Add(-1)
		if err == nil {
			s.release = append(s.release, done)
			s.tally.bytes.Add(src.Size)
		}
		return src, true, err
	}
	switch plan, e, err := s.planFor(ctx, f); {
	case err != nil:
		return src, true, err
	case plan == wasSent:
		s.known++
		return src, false, nil
	case plan == isTwice:
		return src, false, nil
	case plan == toWait:
		s.pending.Store(f.Path, e)
	}
	src, err = upload.File(f.Path)
	if err != nil {
		return src, true, reason(err)
	}
	if s.Name != "" {
		// The new name decides the type.
		if t := upload.Reader(s.Name, nil, 0).ContentType; t != upload.OctetStream {
			src.ContentType = t
		}
	}
	return src, true, nil
}

// sentName returns the name that the provider gets for the file at path.
func (s *sender) sentName(path string) string {
	switch {
	case s.Name != "":
		return s.Name
	case path == find.Stdin:
		return "stdin"
	}
	return path
}

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
