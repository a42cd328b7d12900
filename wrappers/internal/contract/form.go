package contract

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// Bounds of what is remembered of one form.
const (
	mostParts = 1000
	mostKept  = 16 << 20
)

// form takes a multipart/form-data body apart as it passes by.
type form struct {
	*io.PipeWriter
	boundary string
	w        Watch
	done     chan struct{}

	// Once done is closed:
	parts []*part
	kept  int   // bytes that may still be remembered
	over  bool  // there are more parts than are looked at
	err   error // why the form ended, nil after its closing boundary
}

type part struct {
	header textproto.MIMEHeader
	params map[string]string // of Content-Disposition
	form   bool              // whether that says form-data
	digest digest
}

// newForm returns nil for any media type but multipart/form-data.
func newForm(contentType string, w Watch) *form {
	typ, params, err := mime.ParseMediaType(contentType)
	if err != nil || typ != "multipart/form-data" {
		return nil
	}
	pr, pw := io.Pipe()
	f := &form{PipeWriter: pw, boundary: params["boundary"], w: w, done: make(chan struct{}), kept: mostKept}
	go func() {
		defer close(f.done)
		b := buffers.Get().(*buffer)
		defer buffers.Put(b)
		b.reader.Reset(pr)
		f.err = f.read(b)
		_, _ = io.Copy(io.Discard, b.reader) // the epilogue, and what follows a fault
		b.reader.Reset(nil)
	}()
	return f
}

// buffer holds what one form is read with. Its reader is larger than what the
// reader of forms takes: otherwise each write would be handed over in many
// small pieces.
type buffer struct {
	reader *bufio.Reader
	piece  []byte
}

var buffers = sync.Pool{New: func() any {
	return &buffer{bufio.NewReaderSize(nil, 32<<10), make([]byte, 32<<10)}
}}

func (f *form) read(b *buffer) error {
	mr := multipart.NewReader(b.reader, f.boundary)
	for {
		p, err := mr.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(f.parts) == mostParts {
			f.over = true
			return nil
		}
		it := &part{header: p.Header}
		f.parts = append(f.parts, it)
		disposition, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		it.params, it.form = params, err == nil && disposition == "form-data"
		most := Keep
		if _, isFile := params["filename"]; isFile {
			most = f.w.Head
		}
		it.digest = newDigest(min(most, f.kept), f.w.Sum)
		_, err = io.CopyBuffer(&it.digest, p, b.piece)
		f.kept -= it.digest.head.Len()
		if err != nil {
			return err
		}
	}
}

// finish says that nothing more comes, and waits until all is taken apart.
func (f *form) finish() {
	f.Close()
	<-f.done
}

// fault returns the first thing wrong with a whole form that no schema can say.
func (f *form) fault(op *openapi3.Operation) string {
	if f.err != nil {
		if errors.Is(f.err, io.ErrUnexpectedEOF) || errors.Is(f.err, io.EOF) {
			return "the form does not end with its closing boundary"
		}
		return firstLine(f.err.Error())
	}
	known := fieldsOf(op)
	for i, p := range f.parts {
		if why := p.fault(); why != "" {
			return fmt.Sprintf("part %d: %s", i+1, why)
		}
		if name := p.params["name"]; len(known) > 0 && !slices.Contains(known, name) {
			return fmt.Sprintf("part %d: the field is called %.50q, but the spec has only %q", i+1, name, known)
		}
	}
	return ""
}

// fieldsOf returns the names that the spec gives the fields of a form; none
// where others are allowed.
func fieldsOf(op *openapi3.Operation) []string {
	media := Content(op).Get("multipart/form-data")
	if media == nil || media.Schema == nil || media.Schema.Value == nil {
		return nil
	}
	schema := media.Schema.Value
	if has := schema.AdditionalProperties.Has; schema.AdditionalProperties.Schema != nil || has != nil && *has {
		return nil
	}
	return slices.Sorted(maps.Keys(schema.Properties))
}

func (p *part) fault() string {
	name, isFile := p.params["filename"]
	switch {
	case !p.form:
		return "no Content-Disposition of form-data"
	case p.params["name"] == "":
		return "the part has no name"
	case strings.Contains(p.header.Get("Content-Disposition"), "filename*"):
		return "filename* does not belong into a form (RFC 7578, 4.2)"
	case p.header.Get("Content-Transfer-Encoding") != "":
		return "Content-Transfer-Encoding does not belong into a form (RFC 7578, 4.7)"
	case isFile && name == "":
		return "the file has no name"
	case !utf8.ValidString(name):
		return "the file's name is not UTF-8"
	}
	if declared := p.header.Get("Content-Length"); declared != "" {
		if n, err := strconv.ParseInt(declared, 10, 64); err != nil || n != p.digest.size {
			return fmt.Sprintf("Content-Length %.20q, but the part has %d bytes", declared, p.digest.size)
		}
	}
	if typ := p.header.Get("Content-Type"); isFile && typ == "" {
		return "the file has no Content-Type"
	} else if _, _, err := mime.ParseMediaType(typ); typ != "" && err != nil {
		return "Content-Type is no media type"
	}
	return ""
}

func (f *form) files() []File {
	var files []File
	for _, p := range f.parts {
		if name, isFile := p.params["filename"]; isFile {
			file := p.digest.file()
			file.Field, file.Name, file.ContentType = p.params["name"], name, p.header.Get("Content-Type")
			files = append(files, file)
		}
	}
	return files
}

// abridged returns the form again with no more of each part than is kept, for a
// validator that reads everything into memory.
func (f *form) abridged() ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(f.boundary); err != nil {
		return nil, err
	}
	for _, part := range f.parts {
		p, err := w.CreatePart(part.header)
		if err != nil {
			return nil, err
		}
		_, _ = p.Write(part.digest.head.Bytes()) // into memory: it cannot fail
	}
	w.Close()
	return b.Bytes(), nil
}
