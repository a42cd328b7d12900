package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
)

// found is a file that the command line leads to. Info is nil where there is
// nothing to look at yet: standard input.
type found struct {
	path string
	info fs.FileInfo
}

// search is what the command line names.
type search struct {
	named     []string
	list      string // a file of names, one a line; "-" is standard input
	recursive bool
	stdin     io.Reader
	except    fs.FileInfo     // the journal is not sent with the folder it is in
	quit      <-chan struct{} // ends the search
	note      func(format string, args ...any)

	cut bool // quit came before the end; read it when files has ended
}

func (f found) size() int64 {
	if f.info == nil {
		return 0
	}
	return f.info.Size()
}

// stdinPath stands for standard input where a path is expected.
const stdinPath = "-"

var errIsDir = errors.New("is a directory; --recursive sends the files in it")

// files yields each file, or the path and what is wrong with it. Folders are
// read piece by piece and in no order, so that memory does not grow with them.
func (s *search) files() iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for _, path := range s.named {
			if !s.at(path, yield) {
				return
			}
		}
		for path, err := range s.listed() {
			if err != nil {
				yield(found{path: s.list}, err)
				return
			}
			if path == stdinPath { // in a list it is a file's name
				path = "." + string(filepath.Separator) + path
			}
			if !s.file(path, yield) {
				return
			}
		}
	}
}

// at is a path of the command line.
func (s *search) at(path string, yield func(found, error) bool) bool {
	if path == stdinPath {
		return !s.over() && yield(found{path: path}, nil)
	}
	return s.file(path, yield)
}

// file reports, as all that follow do, whether to go on.
func (s *search) file(path string, yield func(found, error) bool) bool {
	if s.over() {
		return false
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return yield(found{path: path}, cause(err))
	case !info.IsDir():
		return yield(found{path, info}, nil)
	case !s.recursive:
		return yield(found{path: path}, errIsDir)
	}
	return s.folder(path, yield)
}

func (s *search) folder(dir string, yield func(found, error) bool) bool {
	d, err := os.Open(dir)
	if err != nil {
		return yield(found{path: dir}, cause(err))
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(256)
		for _, entry := range entries {
			if s.over() || !s.entry(filepath.Join(dir, entry.Name()), entry, yield) {
				return false
			}
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			return yield(found{path: dir}, cause(err))
		}
	}
}

// entry takes what a folder holds: other than a path that was named, it may be
// something that nobody meant to send.
func (s *search) entry(path string, entry fs.DirEntry, yield func(found, error) bool) bool {
	if entry.IsDir() {
		return s.folder(path, yield)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return yield(found{path: path}, cause(err))
	case info.IsDir(): // through a symbolic link, which may lead in circles
		s.note("%s: a link to a folder is not followed", shown(path))
	case !info.Mode().IsRegular():
		s.note("%s: left out, since it is not a regular file", shown(path))
	case s.except != nil && os.SameFile(info, s.except):
		s.note("%s: left out, since it is the journal", shown(path))
	default:
		return yield(found{path, info}, nil)
	}
	return true
}

func (s *search) over() bool {
	select {
	case <-s.quit:
		s.cut = true
		return true
	default:
		return false
	}
}

// listed are the names of the list, without empty lines. A list that comes
// slowly does not hold up the end of the search.
func (s *search) listed() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		r := s.stdin
		switch s.list {
		case "":
			return
		case stdinPath:
		default:
			f, err := os.Open(s.list)
			if err != nil {
				yield("", cause(err))
				return
			}
			defer f.Close()
			r = f
		}
		names, gone := make(chan string), make(chan struct{})
		defer close(gone)
		var failed error
		go func() {
			defer close(names)
			lines := bufio.NewScanner(r)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				if lines.Text() == "" {
					continue
				}
				select {
				case names <- lines.Text():
				case <-gone:
					return
				}
			}
			failed = lines.Err()
		}()
		for {
			select {
			case <-s.quit:
				s.cut = true
				return
			case name, more := <-names:
				if !more && failed != nil {
					yield("", fmt.Errorf("the list of names: %w", cause(failed)))
				}
				if !more || !yield(name, nil) {
					return
				}
			}
		}
	}
}

// reason is what upload.File says, without the path and its word for the kind.
func reason(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		errs := many.Unwrap()
		return errs[len(errs)-1]
	}
	return err
}

// cause is err without the path, which is told beside it.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
