package standin

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
)

const (
	// readAhead is how much is read from the connection at a time. The reader of
	// the form would take 4 KiB.
	readAhead = 64 << 10
	// maxBoundary is the limit of RFC 2046. A longer boundary only makes work,
	// because the body is searched for it.
	maxBoundary = 70
)

// form is the body of a form that is being read. Its framing is what is no
// file: boundaries, headers and other fields. It fails if the framing is too
// long, as with a boundary that never comes or headers that never end.
type form struct {
	io.Closer
	body    *bufio.Reader
	framing int64  // the most bytes that may be no file
	read    int64  // how many bytes of the body were read
	files   int64  // how many of these were files
	end     string // is still to be read behind the body
}

type formKey struct{}

// readers holds buffers; each request takes one.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readAhead) }}

// withForm makes the request's body a form. The caller calls release when
// nothing reads the body any more.
func withForm(r *http.Request, framing int64) (framed *http.Request, release func()) {
	f := &form{Closer: r.Body, body: readers.Get().(*bufio.Reader), framing: framing, end: "\r\n"}
	f.body.Reset(r.Body)
	r = r.WithContext(context.WithValue(r.Context(), formKey{}, f))
	r.Body = f
	return r, func() {
		f.body.Reset(nil)
		readers.Put(f.body)
	}
}

// Read never ends with io.EOF. multipart.Reader says io.EOF of a whole form,
// but it says the same of a form that breaks off in a header. The last boundary
// may lack its line end, so Read adds one at the end of the body.
func (f *form) Read(p []byte) (int, error) {
	n, err := f.next(p)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if f.end == "" {
		return 0, io.ErrUnexpectedEOF
	}
	n = copy(p, f.end)
	f.end = f.end[n:]
	return n, nil
}

func (f *form) next(p []byte) (int, error) {
	if f.read-f.files > f.framing {
		return 0, fmt.Errorf("more than %d bytes are no file", f.framing)
	}
	n, err := f.body.Read(p)
	f.read += int64(n)
	return n, err
}

// finish reads the rest behind the form, and fails if the request is not whole.
func (f *form) finish() error {
	var rest [4 << 10]byte
	for {
		if _, err := f.next(rest[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// errTooLarge ends a file that brings the form over the limit.
var errTooLarge = errors.New("the files are larger than the limit")

// file is one part that is a file.
type file struct {
	name, contentType string
	declared          int64 // the part's own Content-Length; -1 if it has none

	part  io.Reader
	form  *form
	limit int64 // of all files of the form; 0 means none
	err   error // what reading the part failed with, if not io.EOF
}

// Read counts the bytes, and keeps an error in err. So a form that broke off
// can be told from a store that failed.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	f.form.files += int64(n)
	if f.limit > 0 && f.form.files > f.limit {
		n, err = 0, errTooLarge
	}
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// nextFile returns the next part named fileList, or nil at the end of a whole
// form. It passes over other fields, as form readers do.
func (h *Handler) nextFile(parts *multipart.Reader, seen *int) (*multipart.Part, map[string]string, error) {
	for {
		// The raw part: the bytes of a file are not decoded.
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // a wrapped one would be a form that broke off
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, badRequest("The body is not a whole form.", err)
		}
		if *seen++; *seen > h.maxParts {
			return nil, nil, badRequest(fmt.Sprintf("The form has more than %d parts.", h.maxParts), nil)
		}
		disposition, params, err := parseDisposition(part.Header.Get("Content-Disposition"))
		if err != nil || disposition != "form-data" {
			return nil, nil, badRequest("A part has no Content-Disposition that can be read.", err)
		}
		if params["name"] == "fileList" {
			return part, params, nil
		}
	}
}

// parseDisposition parses the header as forms write it. Unlike in
// mime.ParseMediaType, a backslash escapes nothing but a quote, because the
// provider's example has filename="test\resources\test.txt". Go and older curls
// write two backslashes for one, which is the same once the directories are
// gone. Browsers and newer curls write %22 for a quote. It stays, because it
// cannot be told from a name that has it.
func parseDisposition(header string) (string, map[string]string, error) {
	header = strings.ReplaceAll(header, `\`, `\\`)
	header = strings.ReplaceAll(header, `\\"`, `\"`)
	return mime.ParseMediaType(header)
}

// describe reads the headers of a file's part.
func describe(part *multipart.Part, params map[string]string) (*file, error) {
	f := &file{part: part, declared: -1, contentType: part.Header.Get("Content-Type")}
	f.name = upload.BaseName(params["filename"])
	switch {
	case f.name == "" || f.name == "." || f.name == "..":
		return nil, badRequest("A fileList has no file name.", nil)
	case !utf8.ValidString(f.name):
		return nil, badRequest("A file name is not UTF-8.", nil)
	case strings.ContainsFunc(f.name, unicode.IsControl):
		return nil, badRequest("A file name has control characters.", nil)
	}
	if f.contentType != "" {
		if t, _, err := mime.ParseMediaType(f.contentType); err != nil || !strings.Contains(t, "/") {
			return nil, badRequest("A part's Content-Type is not a media type.", err)
		}
		if err := store.CheckContentType(f.contentType); err != nil {
			return nil, badRequest("A part's Content-Type is too long, or not plain text.", err)
		}
	}
	if length := part.Header.Get("Content-Length"); length != "" {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil {
			return nil, badRequest("A part's Content-Length is not a number.", err)
		}
		f.declared = int64(n)
	}
	// RFC 7578 forbids it. Nobody would notice that the encoded bytes were
	// stored in place of the file's.
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "", "binary", "8bit", "7bit":
		return f, nil
	}
	return nil, badRequest("A part has a Content-Transfer-Encoding.", nil)
}
