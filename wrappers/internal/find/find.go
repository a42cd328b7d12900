// Package find finds the files of a command line: files that it names, files in
// folders, and files on a list.
package find

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

// File is a file that was found. Its Info is nil for standard input.
type File struct {
	Path string
	Info fs.FileInfo
}

// Size returns the size, or 0 for standard input.
func (f File) Size() int64 {
	if f.Info == nil {
		return 0
	}
	return f.Info.Size()
}

// Search finds files.
type Search struct {
	Named     []string
	List      *List // nil if there is none
	Recursive bool
	Own       []Own           // files that are left out
	Quit      <-chan struct{} // ends the search
	Note      func(path, why string)

	Cut bool // Quit was closed before the end; read it after Files has ended
}

// Own is a file that the program itself writes or reads.
type Own struct {
	Info fs.FileInfo
	Is   string
}

// Stdin stands for standard input in place of a path.
const Stdin = "-"

var (
	errIsDir      = errors.New("is a directory; --recursive sends the files in it")
	errNotRegular = errors.New("is not a regular file; to send the output of a pipe, send - (standard input)")
)

// Files yields each file, or a path and its error. It reads folders in parts
// and in no order, so that a large folder needs no more memory.
func (s *Search) Files() iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for _, path := range s.Named {
			if !s.path(path, true, yield) {
				return
			}
		}
		if s.List == nil {
			return
		}
		for path, err := range s.List.names(s.Quit, &s.Cut) {
			if err != nil {
				yield(File{Path: cmp.Or(path, s.List.path)}, err)
				return
			}
			if !s.path(ofFile(path), true, yield) {
				return
			}
		}
	}
}

// ofFile returns the path of a file that was found in a list or in a folder. A
// file can be called "-", too.
func ofFile(path string) string {
	if path == Stdin {
		return "." + string(filepath.Separator) + path
	}
	return path
}

// path searches a path. Named says that no folder gave the path, but a person.
// Like the following methods, path reports whether to go on. It never opens a
// file, because a pipe would lose its bytes.
func (s *Search) path(path string, named bool, yield func(File, error) bool) bool {
	if s.stopped() {
		return false
	}
	if path == Stdin {
		return yield(File{Path: path}, nil)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return yield(File{Path: path}, err)
	case info.IsDir() && !named: // through a symbolic link; links may form a circle
		s.Note(path, "a link to a folder is not followed")
	case info.IsDir() && !s.Recursive:
		return yield(File{Path: path}, errIsDir)
	case info.IsDir():
		return s.folder(path, yield)
	case !info.Mode().IsRegular() && !named:
		s.Note(path, "left out, since it is not a regular file")
	case !info.Mode().IsRegular():
		return yield(File{Path: path}, errNotRegular)
	case !s.isOwn(path, info):
		return yield(File{path, info}, nil)
	}
	return true
}

func (s *Search) folder(dir string, yield func(File, error) bool) bool {
	if s.stopped() {
		return false
	}
	d, err := os.Open(dir)
	if err != nil {
		return yield(File{Path: dir}, err)
	}
	defer d.Close()
	inDir := strings.TrimSuffix(filepath.Join(dir, "x"), "x")
	for {
		entries, err := d.ReadDir(256)
		for _, entry := range entries {
			path := ofFile(inDir + entry.Name())
			if entry.IsDir() && !s.folder(path, yield) || !entry.IsDir() && !s.path(path, false, yield) {
				return false
			}
		}
		if err == io.EOF {
			return true
		}
		if err != nil {
			return yield(File{Path: dir}, err)
		}
	}
}

func (s *Search) isOwn(path string, info fs.FileInfo) bool {
	i := slices.IndexFunc(s.Own, func(o Own) bool { return os.SameFile(info, o.Info) })
	if i < 0 {
		return false
	}
	s.Note(path, "left out, since it is "+s.Own[i].Is)
	return true
}

func (s *Search) stopped() bool {
	select {
	case <-s.Quit:
		s.Cut = true
		return true
	default:
		return false
	}
}
