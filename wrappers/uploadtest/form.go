package uploadtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strconv"
	"strings"
	"unicode/utf8"
)

// form takes a multipart/form-data body apart as it passes by.
type form struct {
	*io.PipeWriter
	boundary string
	done     chan struct{}

	// Once done is closed:
	parts []part
	err   error // why the form ended, nil after its closing boundary
}

type part struct {
	header textproto.MIMEHeader
	params map[string]string // of Content-Disposition
	form   bool              // whether that says form-data
	digest digest
}

// newForm is nil for any media type but multipart/form-data.
func newForm(contentType string) *form {
	typ, params, err := mime.ParseMediaType(contentType)
	if err != nil || typ != "multipart/form-data" {
		return nil
	}
	r, w := io.Pipe()
	f := &form{PipeWriter: w, boundary: params["boundary"], done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.err = f.read(r)
		_, _ = io.Copy(io.Discard, r) // the epilogue, and what follows a fault
	}()
	return f
}

func (f *form) read(r io.Reader) error {
	mr := multipart.NewReader(r, f.boundary)
	for {
		p, err := mr.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f.parts = append(f.parts, part{header: p.Header})
		it := &f.parts[len(f.parts)-1]
		disposition, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		it.params, it.form = params, err == nil && disposition == "form-data"
		if _, err := io.Copy(&it.digest, p); err != nil {
			return err
		}
	}
}

// finish says that nothing more comes, and waits until all is taken apart.
func (f *form) finish() {
	f.Close()
	<-f.done
}

// fault is the first thing wrong with a whole form that no schema can say.
func (f *form) fault() string {
	if f.err != nil {
		if errors.Is(f.err, io.ErrUnexpectedEOF) || errors.Is(f.err, io.EOF) {
			return "the form does not end with its closing boundary"
		}
		return firstLine(f.err.Error())
	}
	for i, p := range f.parts {
		if why := p.fault(); why != "" {
			return fmt.Sprintf("part %d: %s", i+1, why)
		}
	}
	return ""
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
			files = append(files, File{
				Field: p.params["name"], Name: name, ContentType: p.header.Get("Content-Type"),
				Size: p.digest.size, SHA256: p.digest.hex(), Body: bytes.Clone(p.digest.head.Bytes()),
			})
		}
	}
	return files
}

// abridged is the form again with no more of each part than is kept, for a
// validator that reads everything into memory.
func (f *form) abridged() ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(f.boundary); err != nil {
		return nil, err
	}
	for i := range f.parts {
		p, err := w.CreatePart(f.parts[i].header)
		if err != nil {
			return nil, err
		}
		_, _ = p.Write(f.parts[i].digest.head.Bytes()) // into memory: it cannot fail
	}
	w.Close()
	return b.Bytes(), nil
}
