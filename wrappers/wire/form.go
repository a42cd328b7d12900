package wire

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
)

// Form returns a multipart/form-data body with one part named field for each
// source, in order. File names are sent as raw UTF-8. Of a path, only the part
// after the last slash or backslash is sent.
func Form(field string, srcs ...upload.Source) *Body {
	var few [4]Field // on the stack, where most forms fit
	fields := few[:0]
	for i := range srcs {
		fields = append(fields, Field{Name: field, File: &srcs[i]})
	}
	return FormOf(fields...)
}

// Field is one part of a form: a file, or a plain value if File is nil. A Field
// without File, Value and ContentType is left out, so a file that may be
// missing needs no if. To send an empty text, set ContentType to text/plain.
type Field struct {
	Name        string
	Value       string
	File        *upload.Source
	ContentType string // the part's media type; empty means the file's own, or none on a plain value
}

// quoted escapes a name as mime/multipart does. Control characters are refused.
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (f Field) missing() bool { return f.File == nil && f.Value == "" && f.ContentType == "" }

// FormOf returns a multipart/form-data body whose parts have different names,
// or that has plain values beside its files. Parts go out in the order given.
// Some servers want their files last.
func FormOf(fields ...Field) *Body {
	b := &Body{}
	// 26 letters and digits, 128 bits: no file holds them by chance.
	boundary := rand.Text()
	// The framing of all parts is one slice, cut where the files belong.
	framing, cut := make([]byte, 0, 384*max(1, len(fields))), 0
	write := func(texts ...string) {
		for _, text := range texts {
			framing = append(framing, text...)
		}
	}
	b.parts = make([]part, 0, len(fields))
	for _, f := range fields {
		if f.missing() {
			continue
		}
		src, err := f.check()
		if err != nil {
			return &Body{err: err}
		}
		write("--", boundary, "\r\nContent-Disposition: form-data; name=\"", quoted.Replace(f.Name), `"`)
		if f.File != nil {
			write(`; filename="`, quoted.Replace(src.Name), `"`)
		}
		if src.ContentType != "" {
			write("\r\nContent-Type: ", src.ContentType)
		}
		write("\r\n\r\n")
		if f.File == nil {
			write(f.Value)
		} else {
			b.parts = append(b.parts, part{head: framing[cut:], src: src, field: f.Name})
			cut = len(framing)
		}
		write("\r\n")
	}
	if len(framing) == 0 {
		return &Body{err: fmt.Errorf("%w: a form without parts: give it a file or a field", upload.ErrInvalid)}
	}
	write("--", boundary, "--\r\n")
	b.tail = framing[cut:]
	b.ContentType = "multipart/form-data; boundary=" + boundary
	b.Length = int64(len(b.tail))
	for _, p := range b.parts {
		if b.Length += int64(len(p.head)); p.src.Size > math.MaxInt64-b.Length {
			b.err = invalid(p.src.Name, errors.New("the sizes of the form's parts are too large together"))
			return b
		}
		b.Length += p.src.Size
	}
	return b
}

// check refuses a field that cannot be sent. It returns the file as it is sent.
// For a plain value, only its content type is set.
func (f Field) check() (src upload.Source, err error) {
	if f.File != nil {
		src = *f.File
	}
	if f.ContentType != "" {
		src.ContentType = f.ContentType
	}
	switch {
	case f.Name == "":
		return src, fmt.Errorf("%w: a form's field has no name", upload.ErrInvalid)
	case strings.ContainsFunc(f.Name, func(r rune) bool { return r == '"' || unicode.IsControl(r) }):
		err = fmt.Errorf("%w: its name has quotes or control characters in it", upload.ErrInvalid)
	case f.File != nil:
		if src, err = check(src); err == nil {
			err = checkName(src.Name)
		}
	case f.ContentType != "":
		if err = checkMediaType(f.ContentType); err != nil {
			err = fmt.Errorf("%w: %w", upload.ErrInvalid, err)
		}
	}
	return src, inField(f.Name, err)
}

// inField adds the name of the form's field to an error.
func inField(name string, err error) error {
	if err == nil || name == "" {
		return err
	}
	return fmt.Errorf("field %q: %w", name, err)
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
