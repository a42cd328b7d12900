package standin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
)

const (
	// readAhead is the number of bytes that one read of the connection may
	// take. The reader of the form would take 4 KiB.
	readAhead = 64 << 10
	// maxBoundary is the limit of RFC 2046. Searching the body for a longer
	// boundary would cost time.
	maxBoundary = 70
	maxParts    = 1000
	maxFraming  = 1 << 20 // bytes of a form that are no file
)

// form reads the body of a form. Its framing is all that is no file:
// boundaries, headers and other fields. Reading fails if the framing is too
// long, for example if a boundary never comes or headers never end.
type form struct {
	io.Closer
	body  *bufio.Reader
	read  int64  // bytes of the body that were read
	files int64  // bytes of files among them
	parts int    // parts that began
	end   string // what Read adds at the end of the body, and has not added yet
}

// readers holds buffers; each request takes one.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readAhead) }}

// newForm returns the form in a request's body. The caller calls release when
// nothing reads the body any more.
func newForm(body io.ReadCloser) *form {
	f := &form{Closer: body, body: readers.Get().(*bufio.Reader), end: "\r\n"}
	f.body.Reset(body)
	return f
}

func (f *form) release() {
	f.body.Reset(nil)
	readers.Put(f.body)
}

// Read never returns io.EOF. Otherwise multipart.Reader would return io.EOF for
// a whole form, but also for one that breaks off in a header. Read adds a line
// end after the body, because the last boundary may lack one.
func (f *form) Read(p []byte) (int, error) {
	if f.read-f.files > maxFraming {
		return 0, fmt.Errorf("the form has more than %d bytes outside its files", maxFraming)
	}
	n, err := f.body.Read(p)
	f.read += int64(n)
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

// finish reads the rest after the form. It returns an error if the request is
// not whole.
func (f *form) finish() error {
	_, err := io.Copy(io.Discard, f)
	if f.end == "" && errors.Is(err, io.ErrUnexpectedEOF) { // Read says so
		return nil
	}
	return err
}

// errTooLarge says that the files of the form exceed the limit.
var errTooLarge = errors.New("the files are larger than the limit")

// file is one part that is a file.
type file struct {
	name, contentType string
	declared          int64 // the part's own Content-Length; -1 if it has none

	part  io.Reader
	form  *form
	limit int64 // for all files of the form together; 0 means none
	err   error // the error of reading the part, unless io.EOF
}

// Read counts the bytes, and keeps an error in err. This distinguishes a form
// that broke off from a store that failed.
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

// next returns the next part named fileList, or nil at the end of a whole form.
// It skips other fields, as form readers do.
func (f *form) next(parts *multipart.Reader) (*file, error) {
	for {
		// The raw part: the bytes of a file are not decoded.
		part, err := parts.NextRawPart()
		if err == io.EOF { //nolint:errorlint // a wrapped io.EOF is a form that broke off
			return nil, nil
		}
		if err != nil {
			return nil, badRequest("The body is not a whole form.", err)
		}
		if f.parts++; f.parts > maxParts {
			return nil, badRequest(fmt.Sprintf("The form has more than %d parts.", maxParts), nil)
		}
		disposition, params, err := parseDisposition(part.Header.Get("Content-Disposition"))
		if err != nil || disposition != "form-data" {
			return nil, badRequest("A part has no Content-Disposition that can be read.", err)
		}
		if params["name"] == "fileList" {
			return f.describe(part, params["filename"])
		}
	}
}

// parseDisposition parses the header as forms write it. Unlike in
// mime.ParseMediaType, a backslash escapes nothing but a quote, because the
// provider's example has filename="test\resources\test.txt". Go and older curls
// write two backslashes for one. That makes no difference after the directories
// are removed. Browsers and newer curls write %22 for a quote. It stays,
// because a name may contain %22.
func parseDisposition(header string) (string, map[string]string, error) {
	header = strings.ReplaceAll(header, `\`, `\\`)
	header = strings.ReplaceAll(header, `\\"`, `\"`)
	return mime.ParseMediaType(header)
}

// describe reads the headers of a file's part.
func (f *form) describe(part *multipart.Part, name string) (*file, error) {
	it := &file{
		form: f, part: part, name: upload.BaseName(name), declared: -1, contentType: part.Header.Get("Content-Type"),
	}
	switch {
	case it.name == "" || it.name == "." || it.name == "..":
		return nil, badRequest("A fileList has no file name.", nil)
	case !utf8.ValidString(it.name):
		return nil, badRequest("A file name is not UTF-8.", nil)
	case strings.ContainsFunc(it.name, unicode.IsControl):
		return nil, badRequest("A file name has control characters.", nil)
	}
	if it.contentType != "" {
		if t, _, err := mime.ParseMediaType(it.contentType); err != nil || !strings.Contains(t, "/") {
			return nil, badRequest("A part's Content-Type is not a media type.", err)
		}
		if err := store.CheckContentType(it.contentType); err != nil {
			return nil, badRequest("A part's Content-Type is too long, or not plain text.", err)
		}
	}
	if length := part.Header.Get("Content-Length"); length != "" {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil {
			return nil, badRequest("A part's Content-Length is not a number.", err)
		}
		it.declared = int64(n)
	}
	// RFC 7578 forbids it, and the encoded bytes would be stored instead of the
	// file's.
	switch strings.ToLower(part.Header.Get("Content-Transfer-Encoding")) {
	case "", "binary", "8bit", "7bit":
		return it, nil
	}
	return nil, badRequest("A part has a Content-Transfer-Encoding.", nil)
}
