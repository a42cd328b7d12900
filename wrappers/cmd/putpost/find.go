package main

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// found is a file that the command line leads to. Its info is nil for standard
// input.
type found struct {
	path string
	info fs.FileInfo
}

// search finds the files that the command line names.
type search struct {
	named     []string
	list      *list // nil without --files-from
	recursive bool
	own       []ownFile       // what this run writes or reads for itself
	quit      <-chan struct{} // ends the search
	note      func(format string, args ...any)

	cut bool // quit came before the end; read it when files has ended
}

// ownFile is a file of this run. It is never sent.
type ownFile struct {
	info fs.FileInfo
	is   string
}

func (f found) size() int64 {
	if f.info == nil {
		return 0
	}
	return f.info.Size()
}

// stdinPath stands for standard input in place of a path.
const stdinPath = "-"

var (
	errIsDir      = errors.New("is a directory; --recursive sends the files in it")
	errNotRegular = errors.New("is not a regular file; what comes out of a pipe can be sent as -, which is standard input")
)

// files yields each file, or a path and its error. It reads folders piece by
// piece and in no order, so that memory does not grow with them.
func (s *search) files() iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for _, path := range s.named {
			if !s.at(path, yield) {
				return
			}
		}
		if s.list == nil {
			return
		}
		for path, err := range s.list.names(s.quit, &s.cut) {
			if err != nil {
				yield(found{path: cmp.Or(path, s.list.path)}, err)
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

// at searches a path of the command line.
func (s *search) at(path string, yield func(found, error) bool) bool {
	if path == stdinPath {
		return !s.over() && yield(found{path: path}, nil)
	}
	return s.file(path, yield)
}

// file searches a path. Like the methods that follow, it reports whether to go
// on. It never opens the path: a pipe would lose its bytes.
func (s *search) file(path string, yield func(found, error) bool) bool {
	if s.over() {
		return false
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return yield(found{path: path}, cause(err))
	case info.IsDir() && !s.recursive:
		return yield(found{path: path}, errIsDir)
	case info.IsDir():
		return s.folder(path, yield)
	case !info.Mode().IsRegular():
		return yield(found{path: path}, errNotRegular)
	case s.isOwn(path, info):
		return true
	}
	return yield(found{path, info}, nil)
}

func (s *search) folder(dir string, yield func(found, error) bool) bool {
	d, err := os.Open(dir)
	if err != nil {
		return yield(found{path: dir}, cause(err))
	}
	defer d.Close()
	inDir := strings.TrimSuffix(filepath.Join(dir, "x"), "x")
	for {
		entries, err := d.ReadDir(256)
		for _, entry := range entries {
			if s.over() || !s.entry(inDir+entry.Name(), entry, yield) {
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

// entry searches a path in a folder. Nobody named it, so it may be something
// that nobody meant to send.
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
	case s.isOwn(path, info):
	default:
		return yield(found{path, info}, nil)
	}
	return true
}

func (s *search) isOwn(path string, info fs.FileInfo) bool {
	i := slices.IndexFunc(s.own, func(o ownFile) bool { return os.SameFile(info, o.info) })
	if i < 0 {
		return false
	}
	s.note("%s: left out, since it is %s", shown(path), s.own[i].is)
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

// reason returns an error of upload.File without the path and the kind.
func reason(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		errs := many.Unwrap()
		return errs[len(errs)-1]
	}
	return err
}

// cause returns err without the path, which is printed before it.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
