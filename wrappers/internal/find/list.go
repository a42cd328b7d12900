package find

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"strings"
)

const (
	// longestName is the limit for a name, in bytes.
	longestName = 1 << 20
	// longestCRLF is the limit for a list with CR LF. Such a list must be read
	// to its end.
	longestCRLF = 64 << 20
)

// List is a file that holds names. It is opened once, because it may be a pipe,
// and two readers would share the names.
type List struct {
	path    string
	null    bool      // names end with NUL instead of a newline
	stream  io.Reader // standard input; nil if path must be opened
	regular *os.File  // set if the list is a regular file: that can be read again
	offset  int64     // the offset where the list begins in regular
	err     error     // why the list cannot be read
}

// OpenList opens a regular file. It does not open a pipe yet, because that
// would wait for a writer.
func OpenList(path string, null bool, stdin io.Reader) *List {
	l := &List{path: path, null: null}
	f, isFile := stdin.(*os.File)
	if path == Stdin {
		l.stream = stdin
	} else if info, err := os.Stat(path); err != nil {
		l.err = err
	} else if isFile = info.Mode().IsRegular(); isFile {
		f, err = os.Open(path)
		l.err = err
	}
	if l.err != nil || !isFile {
		return l
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		l.regular = f
		l.offset, l.err = f.Seek(0, io.SeekCurrent)
	}
	return l
}

// Close closes the list. It leaves standard input open.
func (l *List) Close() {
	if l.regular != nil && l.stream == nil {
		l.regular.Close()
	}
}

// Once reports whether the list can be read only once. It is false for nil.
func (l *List) Once() bool { return l != nil && l.regular == nil }

// SharesStream reports whether l and standard input are the same pipe. Then
// only one of them can be read.
func (l *List) SharesStream(stdin io.Reader) bool {
	f, ok := stdin.(*os.File)
	if l.path == Stdin || l.regular != nil || !ok {
		return l.path == Stdin
	}
	mine, errMine := os.Stat(l.path)
	its, errIts := f.Stat()
	return errMine == nil && errIts == nil && os.SameFile(mine, its)
}

// names yields each name of the list. If quit is closed, it sets cut and ends,
// even while it waits for the next name.
func (l *List) names(quit <-chan struct{}, cut *bool) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		type read struct {
			name string
			err  error
		}
		names, done := make(chan read), make(chan struct{})
		defer close(done)
		go func() {
			defer close(names)
			for name, err := range l.read() {
				select {
				case names <- read{name, err}:
				case <-done:
					return
				}
			}
		}()
		for {
			select {
			case <-quit:
				*cut = true
				return
			case r, more := <-names:
				if !more || !yield(r.name, r.err) {
					return
				}
			}
		}
	}
}

// read yields each name, and then the error of the list if there is one.
func (l *List) read() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		r := l.stream
		switch {
		case l.err != nil:
			yield("", l.err)
			return
		case l.regular != nil: // by offset, because the count ahead reads the file, too
			r = io.NewSectionReader(l.regular, l.offset, math.MaxInt64-l.offset)
		case r == nil:
			f, err := os.Open(l.path)
			if err != nil {
				yield("", err)
				return
			}
			defer f.Close()
			r = f
		}
		n := &nameReader{from: bufio.NewReaderSize(r, longestName), end: '\n', torn: l.regular != nil}
		if l.null {
			n.end = 0
		}
		for {
			name, err := n.next()
			if err == io.EOF {
				return
			}
			if (name != "" || err != nil) && !yield(name, err) || err != nil {
				return
			}
		}
	}
}

// nameReader cuts a list into names.
type nameReader struct {
	from *bufio.Reader
	end  byte
	torn bool // the last name may have no end
	crlf bool // CR LF ends every line
	read int
}

func (n *nameReader) next() (string, error) {
	line, err := n.from.ReadSlice(n.end)
	n.read++
	if n.read == 1 && n.end == '\n' {
		if bytes.HasPrefix(line, []byte("\xff\xfe")) || bytes.HasPrefix(line, []byte("\xfe\xff")) {
			return "", errors.New("is in UTF-16; write the list in UTF-8")
		}
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	name, ended := strings.CutSuffix(string(line), string(rune(n.end)))
	switch {
	case err == io.EOF && name == "":
		return "", io.EOF
	case n.end == '\n' && strings.ContainsRune(name, 0):
		return "", errors.New("has a NUL in it; --null reads a list whose names end with NUL")
	case err == io.EOF && !n.torn:
		// Half of a name can be the whole name of another file.
		return name, fmt.Errorf("the list ended without a %s after this name; the name may be cut, so it is not sent",
			endings[n.end])
	case errors.Is(err, bufio.ErrBufferFull):
		return "", fmt.Errorf("there is no %s within 1 MiB, so this is not a list of names", endings[n.end])
	case err != nil && err != io.EOF:
		return "", err
	}
	if n.read == 1 && ended && n.end == '\n' && strings.HasSuffix(name, "\r") {
		if err := n.decideCRLF(); err != nil {
			return "", err
		}
	}
	if n.crlf {
		name = strings.TrimSuffix(name, "\r")
	}
	return name, nil
}

var endings = map[byte]string{'\n': "newline", 0: "NUL"}

// decideCRLF reads to the end of the list. A CR belongs to the name unless CR
// LF ends every line.
func (n *nameReader) decideCRLF() error {
	rest, err := io.ReadAll(io.LimitReader(n.from, longestCRLF+1))
	if err != nil {
		return err
	}
	if len(rest) > longestCRLF {
		return errors.New("its lines end with CR LF, and it is larger than 64 MiB; end its lines with LF")
	}
	n.crlf = bytes.Count(rest, []byte("\n")) == bytes.Count(rest, []byte("\r\n"))
	n.from = bufio.NewReaderSize(bytes.NewReader(rest), longestName)
	return nil
}
