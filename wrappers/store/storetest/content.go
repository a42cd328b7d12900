package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/store"
)

func roundTrip(ctx context.Context, s store.Store) error {
	for i, size := range []int{1, 16, 16 << 10, 128<<10 - 1, 128 << 10, 128<<10 + 1, 1 << 20} {
		b := content(uint64(i), size)
		key := fmt.Sprintf("round/%d", size)
		must(put(ctx, s, key, textPlain, b))
		must(holds(ctx, s, key, textPlain, b))
	}
	for what, text := range map[string]string{
		"zeros at both ends": "\x00\x00text\x00\x00", "nothing but zeros": strings.Repeat("\x00", 5000),
		"white space at both ends": " \n\t text \n\r\n", "lines that end with CR or LF": "a\r\nb\rc\nd",
		"a byte order mark": "\xef\xbb\xbftext", "the head of gzip": "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
		"base64": "dGV4dA==\n",
	} {
		key := "round/" + strings.ReplaceAll(what, " ", "-")
		must(put(ctx, s, key, textPlain, []byte(text)))
		must(holds(ctx, s, key, textPlain, []byte(text)))
	}
	return nil
}

// alike puts objects of one size that differ in one byte.
func alike(ctx context.Context, s store.Store) error {
	for _, size := range []int{1, 100, 300 << 10, part + 1} {
		key := func(place string) string { return fmt.Sprintf("alike/%d-%s", size, place) }
		objects := map[string][]byte{key("none"): content(1, size)}
		for place, at := range map[string]int{"first": 0, "middle": size / 2, "last": size - 1} {
			b := content(1, size)
			b[at]++
			objects[key(place)] = b
		}
		for key, b := range objects {
			must(put(ctx, s, key, textPlain, b))
		}
		for key, b := range objects {
			must(holds(ctx, s, key, textPlain, b), "objects of %d bytes that differ in one byte", size)
		}
	}
	return nil
}

func empty(ctx context.Context, s store.Store) error {
	must(put(ctx, s, "empty", textPlain, nil))
	return holds(ctx, s, "empty", textPlain, nil)
}

func boundary(ctx context.Context, s store.Store) error {
	for i, size := range []int{part - 1, part, part + 1, 2 * part} {
		b, key := content(uint64(i), size), fmt.Sprint("boundary/", size)
		must(put(ctx, s, key, textPlain, b), "%d bytes", size)
		must(holds(ctx, s, key, textPlain, b), "%d bytes", size)
		// A reader may return io.EOF with its last bytes. It must not be read
		// after that.
		n, err := s.Put(ctx, key, textPlain, &once{r: iotest.DataErrReader(bytes.NewReader(b))})
		failIf(err != nil || n != int64(size), "Put of %d bytes that end with io.EOF = %d, %v", size, n, err)
		must(holds(ctx, s, key, textPlain, b), "%d bytes that end with io.EOF", size)
	}
	return nil
}

func large(ctx context.Context, s store.Store) error {
	for i, size := range []int{10<<20 + 1, 16 << 20, 16<<20 + 1, 64<<20 + 1} {
		b := content(uint64(i), size)
		must(put(ctx, s, "large", textPlain, b))
		must(holds(ctx, s, "large", textPlain, b))
	}
	return s.Delete(ctx, "large")
}

// readerLeft puts the rest of a reader whose first bytes were read. The caller
// goes on to use the reader.
func readerLeft(ctx context.Context, s store.Store) error {
	b := content(1, 3000)
	r := &closer{Reader: bytes.NewReader(b)}
	if _, err := r.Seek(1000, io.SeekStart); err != nil {
		return err
	}
	if n, err := s.Put(ctx, "a", textPlain, r); err != nil || n != 2000 {
		return fmt.Errorf("Put of a reader of which 1000 of 3000 bytes were read = %d, %v, want 2000", n, err)
	}
	must(holds(ctx, s, "a", textPlain, b[1000:]), "Put of a reader of which 1000 of 3000 bytes were read")
	failIf(r.closed, "Put closed the reader")
	cut := &closer{Reader: bytes.NewReader(b), err: errTorn}
	if _, err := s.Put(ctx, "a", textPlain, cut); !errors.Is(err, errTorn) {
		return fmt.Errorf("Put of a torn reader: error %v, want the reader's in its chain", err)
	}
	failIf(cut.closed, "Put closed the reader after its error")
	return nil
}

// closer notes whether it was closed. If err is set, the reader ends with it
// instead of io.EOF.
type closer struct {
	*bytes.Reader
	err    error
	closed bool
}

func (c *closer) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF && c.err != nil {
		err = c.err
	}
	return n, err
}

// WriteTo hides the method of bytes.Reader, because that would not call Read.
func (c *closer) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, readerFunc(c.Read))
}

func (c *closer) Close() error { c.closed = true; return nil }

// once returns a byte too many if it is read after its end.
type once struct {
	r     io.Reader
	ended bool
}

func (o *once) Read(p []byte) (int, error) {
	if o.ended {
		return min(len(p), 1), io.EOF
	}
	n, err := o.r.Read(p)
	o.ended = err != nil
	return n, err
}

func overwrite(ctx context.Context, s store.Store) error {
	steps := []struct {
		contentType string
		b           []byte
	}{
		{textPlain, content(1, 1000)},
		{"application/pdf", content(2, 10)},
		{store.DefaultContentType, content(3, 2000)},
		{textPlain, nil},
		{textPlain, content(4, 1000)},
		{"text/html", content(4, 1000)}, // the same bytes, of another type
		{"text/html", content(5, 1000)}, // the same size and type, and other bytes
	}
	for i, step := range steps {
		must(put(ctx, s, "a/b", step.contentType, step.b))
		must(holds(ctx, s, "a/b", step.contentType, step.b), "after put %d of one key", i+1)
	}
	return nil
}

func snapshot(ctx context.Context, s store.Store) error {
	want := content(1, 300<<10)
	for _, begun := range []int{1000, 0} { // a store must not wait for the first Read
		must(put(ctx, s, "a", textPlain, want))
		r, _, err := s.Open(ctx, "a")
		must(err, "Open")
		defer r.Close()
		got := make([]byte, begun)
		if _, err := io.ReadFull(r, got); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
		const reason = "a reader of the object is open"
		must(within(func() error { return put(ctx, s, "a", textPlain, content(2, 300<<10)) }, `Put("a")`, reason))
		must(within(func() error { return s.Delete(ctx, "a") }, `Delete("a")`, reason), "Delete")
		tail, err := io.ReadAll(r)
		must(err, "reading on after %d bytes, when the object was replaced and deleted", begun)
		if got = append(got, tail...); !bytes.Equal(got, want) {
			return fmt.Errorf("reading on after %d bytes, when the object was replaced and deleted, gave %s", begun,
				difference(got, want))
		}
	}
	return nil
}

func readers(ctx context.Context, s store.Store) error {
	want := content(1, 300<<10)
	must(put(ctx, s, "a", textPlain, want))
	var opened [2]io.ReadCloser
	for i := range opened {
		r, _, err := s.Open(ctx, "a")
		must(err, "Open")
		defer r.Close()
		opened[i] = r
		if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
	}
	must(opened[0].Close(), "Close")
	if got, err := io.ReadAll(opened[1]); err != nil || !bytes.Equal(got, want[1000:]) {
		return fmt.Errorf("one of two readers gave %s, %v, after the other was closed",
			difference(got, want[1000:]), err)
	}
	return nil
}

// mayOpen are calls for which a store may open a file. Each leaves an object under "a".
var mayOpen = []struct {
	name string
	call func(ctx context.Context, s store.Store) error
}{
	{"Put", func(ctx context.Context, s store.Store) error { return put(ctx, s, "a", textPlain, []byte("a")) }},
	{"Put of a torn reader", func(ctx context.Context, s store.Store) error {
		_, _ = s.Put(ctx, "b", textPlain, iotest.ErrReader(errTorn))
		return nil
	}},
	{"Open and Close", func(ctx context.Context, s store.Store) error { _, _, err := get(ctx, s, "a"); return err }},
	{"Stat", func(ctx context.Context, s store.Store) error { _, err := s.Stat(ctx, "a"); return err }},
	{"Open and Stat of a missing key", func(ctx context.Context, s store.Store) error { return absent(ctx, s, "b") }},
	{"Delete", func(ctx context.Context, s store.Store) error { return s.Delete(ctx, "b") }},
}

// frees counts the open descriptors of this process in the first of the folders
// that lists them.
func frees(lists ...string) func(context.Context, store.Store) error {
	open := func() int {
		for _, list := range lists {
			// Besides the three standard ones it has its own, or it is no list.
			if fds, _ := os.ReadDir(list); len(fds) > 3 {
				return len(fds)
			}
		}
		must(skipReason("this system does not list the open descriptors of a process"))
		return 0
	}
	return func(ctx context.Context, s store.Store) error {
		const n = 50
		for _, c := range mayOpen {
			more := n
			for range 3 { // other tests of the process may open files at the same time
				before := open()
				for range n {
					must(c.call(ctx, s), "%s", c.name)
				}
				more = min(more, open()-before)
			}
			failIf(more > n/2, "%d calls of %s left %d descriptors open", n, c.name, more)
		}
		return nil
	}
}

func contentTypes(ctx context.Context, s store.Store) error {
	for _, contentType := range []string{
		"",
		store.DefaultContentType,
		textPlain,
		"text/plain; charset=utf-8",
		"Text/HTML;Charset=UTF-8",
		`multipart/mixed; boundary="a b"; x='%20+~'`,
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/" + strings.Repeat("x", 255-len("application/")),
	} {
		want := contentType
		if want == "" {
			want = store.DefaultContentType
		}
		b := []byte("<!DOCTYPE html><html>" + contentType) // a store must not guess the type
		must(put(ctx, s, "typed", contentType, b), "content type %q", contentType)
		must(holds(ctx, s, "typed", want, b), "content type %q", contentType)
	}
	return nil
}

func badContentTypes(ctx context.Context, s store.Store) error {
	must(put(ctx, s, "old", textPlain, []byte("old")))
	for _, contentType := range []string{
		"text/plain\r\nX-Amz-Acl: public-read", "text/plain\n", "text/\x00plain", "text/plain; name=한글.txt",
		" text/plain", "text/plain ", "text/plain;  charset=utf-8", strings.Repeat("x", 256),
	} {
		for _, key := range []string{"a", "old"} {
			if _, err := s.Put(ctx, key, contentType, strings.NewReader("x")); !errors.Is(err, fs.ErrInvalid) {
				return fmt.Errorf("Put with content type %q: error %v, want fs.ErrInvalid", contentType, err)
			}
		}
		must(absent(ctx, s, "a"), "after Put with content type %q", contentType)
		must(holds(ctx, s, "old", textPlain, []byte("old")), "after Put over an object with content type %q",
			contentType)
	}
	return nil
}

func slowReader(ctx context.Context, s store.Store) error {
	b := content(1, 3000)
	for name, r := range map[string]io.Reader{
		"one byte a read":    iotest.OneByteReader(bytes.NewReader(b)),
		"half reads":         iotest.HalfReader(bytes.NewReader(b)),
		"data with io.EOF":   iotest.DataErrReader(bytes.NewReader(b)),
		"empty reads at all": &stutter{r: bytes.NewReader(b)},
	} {
		if n, err := s.Put(ctx, "a", textPlain, r); err != nil || n != int64(len(b)) {
			return fmt.Errorf("Put from a reader that gives %s = %d, %v, want %d", name, n, err, len(b))
		}
		must(holds(ctx, s, "a", textPlain, b), "after Put from a reader that gives %s", name)
	}
	return nil
}

// ownMemory puts from memory, and uses the memory again.
func ownMemory(ctx context.Context, s store.Store) error {
	for i, size := range []int{1000, part + 1} {
		key := fmt.Sprint("a/", i) // what a store tells of another object is no matter of this rule
		for what, reader := range map[string]func([]byte) io.Reader{
			"bytes.Buffer": func(b []byte) io.Reader { return bytes.NewBuffer(b) },
			"bytes.Reader": func(b []byte) io.Reader { return bytes.NewReader(b) },
		} {
			want := content(1, size)
			b := bytes.Clone(want)
			if n, err := s.Put(ctx, key, textPlain, reader(b)); err != nil || n != int64(size) {
				return fmt.Errorf("Put of %d bytes from a %s = %d, %v", size, what, n, err)
			}
			clear(b)
			must(holds(ctx, s, key, textPlain, want), "after the caller overwrote the bytes of its %s", what)
		}
	}
	return nil
}

// stutter returns no bytes at every other read, as io.Reader allows.
type stutter struct {
	r    io.Reader
	turn bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.turn = !s.turn; s.turn {
		return 0, nil
	}
	return s.r.Read(p)
}
