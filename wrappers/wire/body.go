package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
)

// expectFrom is the length in bytes from which a body waits for the server's
// 100 Continue. An early refusal of a smaller one is rarely lost, since the
// body fits into the socket buffers; of a larger one it is lost nearly always.
const expectFrom = 1 << 20

// Body is a request body of exact length that streams from its sources and can
// be sent again. It may be used for any number of requests, also at once.
type Body struct {
	ContentType string // the request's media type, a form's boundary included
	Length      int64  // bytes

	parts []part
	tail  []byte
	err   error // what is wrong with the sources
}

// part is some framing and the file behind it.
type part struct {
	head []byte
	src  upload.Source
}

// Raw is the file and nothing else, as a presigned PUT takes it.
func Raw(src upload.Source) *Body {
	src, err := check(src)
	return &Body{ContentType: src.ContentType, Length: src.Size, parts: []part{{src: src}}, err: err}
}

// Form is a multipart/form-data body with one part named field for each source,
// in order. Names travel as raw UTF-8, and of a path only what stands after the
// last slash or backslash.
func Form(field string, srcs ...upload.Source) *Body {
	var few [4]Field // on the stack, where most forms fit
	fields := few[:0]
	for i := range srcs {
		fields = append(fields, Field{Name: field, File: &srcs[i]})
	}
	return FormOf(fields...)
}

// Field is one part of a form: a file, or a plain value where File is nil.
type Field struct {
	Name  string
	Value string
	File  *upload.Source
}

// FormOf is [Form] for a form whose parts have different names, or that has
// plain values beside its files.
func FormOf(fields ...Field) *Body {
	b := &Body{}
	if len(fields) == 0 {
		b.err = fmt.Errorf("%w: a form without parts", upload.ErrInvalid)
		return b
	}
	// 26 letters and digits, 128 bits: no file holds them by chance.
	boundary := rand.Text()
	// All framing stands in one piece, cut where the files belong.
	framing, cut := make([]byte, 0, 384*len(fields)), 0
	write := func(texts ...string) {
		for _, text := range texts {
			framing = append(framing, text...)
		}
	}
	b.parts = make([]part, 0, len(fields))
	for _, f := range fields {
		write("--", boundary, "\r\nContent-Disposition: ")
		if f.File == nil {
			value := strings.TrimSuffix(multipart.FileContentDisposition(f.Name, ""), `; filename=""`)
			write(value, "\r\n\r\n", f.Value, "\r\n")
			continue
		}
		src, err := check(*f.File)
		if err == nil {
			err = checkName(src.Name)
		}
		if err != nil {
			b.err = err
			return b
		}
		write(multipart.FileContentDisposition(f.Name, src.Name), "\r\nContent-Type: ", src.ContentType, "\r\n\r\n")
		b.parts = append(b.parts, part{head: framing[cut:], src: src})
		cut = len(framing)
		write("\r\n")
	}
	write("--", boundary, "--\r\n")
	b.tail = framing[cut:]
	b.ContentType = "multipart/form-data; boundary=" + boundary
	b.Length = int64(len(b.tail))
	for _, p := range b.parts {
		b.Length += int64(len(p.head)) + p.src.Size
	}
	return b
}

// Err says why the body cannot be sent: its sources are [upload.ErrInvalid]. Edit
// says so too.
func (b *Body) Err() error { return b.err }

// check refuses a source that cannot be sent and fills in what may be left out.
func check(src upload.Source) (upload.Source, error) {
	src.Name = upload.BaseName(src.Name)
	if src.ContentType == "" {
		src.ContentType = upload.OctetStream
	}
	err := checkMediaType(src.ContentType)
	switch {
	case src.Open == nil:
		err = errors.New("the source has no Open function")
	case src.Size < 0:
		err = fmt.Errorf("the size is %d bytes", src.Size)
	case err == nil:
		return src, nil
	}
	return src, invalid(src.Name, err)
}

// simpleType is a media type without parameters.
var simpleType = regexp.MustCompile("^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")

func checkMediaType(text string) error {
	if simpleType.MatchString(text) {
		return nil
	}
	typ, _, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(typ, "/") || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("the content type %q is no media type, such as application/pdf", text)
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return invalid(name, errors.New("the file has no name, and a form needs one"))
	case !utf8.ValidString(name):
		return invalid(name, errors.New("the name is not UTF-8"))
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalid(name, errors.New("the name has control characters in it"))
	}
	return nil
}

func invalid(name string, err error) error {
	return fmt.Errorf("%w: %q: %w", upload.ErrInvalid, name, err)
}

// Edit is a request editor of a generated client: it makes b the body of req,
// with its length, its content type and the means to send it again. The body
// passed beside it is nil. From 1 MiB up the request asks for 100 Continue, so
// that a server can refuse it before the bytes are sent.
//
// Nothing is opened before the request is sent, except to see that an empty
// source is still empty. A source that cannot be sent is refused here.
func (b *Body) Edit(ctx context.Context, req *http.Request) error {
	if b.err != nil {
		return b.err
	}
	if req.Header.Get("Content-Type") != b.ContentType {
		req.Header.Set("Content-Type", b.ContentType)
	}
	req.ContentLength = b.Length
	if b.Length >= expectFrom {
		req.Header.Set("Expect", "100-continue")
	}
	if b.Length > 0 {
		req.Body = &stream{body: b}
		req.GetBody = func() (io.ReadCloser, error) { return b.open() }
		return nil
	}
	// With length 0 any other Body than NoBody would go out chunked, and nobody
	// reads NoBody: what the stream finds at its end is looked for here, and
	// again on each attempt after the first.
	if err := b.drain(ctx); err != nil {
		return err
	}
	req.Body = http.NoBody
	fresh := true
	req.GetBody = func() (io.ReadCloser, error) {
		if fresh {
			fresh = false
			return http.NoBody, nil
		}
		return http.NoBody, b.drain(ctx)
	}
	return nil
}

// open is a stream with every source open, so that a source that is gone, or
// can be read only once, is known before a byte is sent.
func (b *Body) open() (*stream, error) {
	s := &stream{body: b}
	if err := s.openAll(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// drain sees to the end of a body that should be empty.
func (b *Body) drain(ctx context.Context) error {
	s, err := b.open()
	if err != nil {
		return err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	_, err = io.Copy(io.Discard, s)
	return err
}
