package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// The limits of the memory for one form.
const (
	mostParts = 1000
	mostKept  = 16 << 20
)

// form holds the facts of a multipart/form-data body. If it is small without its
// files, and these are not remembered, it is gathered while it passes by, and
// read when it is looked at. Any other form is read while it passes by:
// mime/multipart reads it in a coroutine. The coroutine runs only while
// something is there to be read.
type form struct {
	w    Watch
	list []*Part
	kept int   // bytes that may still be remembered
	over bool  // there are more than mostParts
	err  error // why the form is not whole

	line []byte // the end of the first line: at most two bytes

	gathered                         // is to be read first
	resume   func() (struct{}, bool) // reads until it needs more bytes; nil: nothing was read
	rest     []byte                  // is to be read now
	last     bool                    // nothing more comes
	whole    bool                    // the form came whole
	done     bool                    // nothing more is read
}

// Part is one part of a form.
type Part struct {
	Header textproto.MIMEHeader
	Name   string // of the field

	fileName string
	file     bool // a file name is said
	form     bool // Content-Disposition says form-data
	broken   bool // Content-Disposition cannot be parsed
	digest   digest
}

// NewPart returns a part with nothing in it yet.
func NewPart(header textproto.MIMEHeader) *Part {
	p := &Part{Header: header}
	disposition, params, err := mime.ParseMediaType(header.Get("Content-Disposition"))
	p.form, p.broken = err == nil && disposition == "form-data", err != nil
	p.Name = params["name"]
	p.fileName, p.file = params["filename"]
	return p
}

// IsFile reports whether the part has a file name.
func (p *Part) IsFile() bool { return p.file }

// Kept returns the beginning of the part: up to [Keep] of a field, and as much
// of a file as [Watch] says.
func (p *Part) Kept() []byte { return p.digest.head }

func newForm(boundary string, w Watch) *form {
	return &form{w: w, kept: mostKept, gathered: gathered{delimiter: []byte("\r\n--" + boundary)}}
}

func (f *form) write(p []byte) {
	if f.resume != nil || f.w != (Watch{}) || !f.add(p) {
		f.read(p)
	}
}

// end tells the form that nothing more comes. Without it a form that is read
// waits for ever.
func (f *form) end(whole bool) {
	f.whole = whole
	if f.pack(); f.resume != nil {
		f.finish()
	}
}

// finish reads the rest of a form that has ended.
func (f *form) finish() {
	if f.read(nil); f.whole {
		f.readOn([]byte("\r\n")) // the last line may lack its end
	}
	f.last = true
	f.readOn(nil)
}

// read reads what was gathered, and then p.
func (f *form) read(p []byte) {
	if f.resume == nil {
		f.resume, _ = iter.Pull(f.parts)
		at := 0
		for _, gap := range f.gaps {
			f.readOn(f.text[at:gap.at])
			if at = gap.at; gap.size > 0 && !f.done {
				f.list[len(f.list)-1].digest.size += gap.size - 1
				f.readOn([]byte{0}) // else what stands around the gap could look like a boundary
			}
		}
		f.readOn(f.text[at:])
		f.gathered = gathered{}
	}
	f.readOn(p)
}

func (f *form) readOn(p []byte) {
	if f.rest = p; !bytes.HasSuffix(f.line, []byte("\n")) {
		_, next, _ := bytes.Cut(p, []byte("\n"))
		f.line = append(f.line, p[:len(p)-len(next)]...)
		f.line = f.line[max(0, len(f.line)-2):]
	}
	f.resume()
	f.rest = nil
}

// buffers are for reading forms. Each form has one while it is read.
var buffers = sync.Pool{New: func() any { return new([8 << 10]byte) }}

// parts notes each part of a form. It calls pause when it needs more bytes.
func (f *form) parts(pause func(struct{}) bool) {
	f.err = f.noteParts(multipart.NewReader(readerFunc(func(p []byte) (int, error) {
		for len(f.rest) == 0 {
			if f.last {
				return 0, io.ErrUnexpectedEOF
			}
			pause(struct{}{})
		}
		n := copy(p, f.rest)
		f.rest = f.rest[n:]
		return n, nil
	}), string(f.delimiter[len("\r\n--"):])))
	f.done = true
}

func (f *form) noteParts(mr *multipart.Reader) error {
	buffer := buffers.Get().(*[8 << 10]byte)
	defer buffers.Put(buffer)
	for {
		part, err := mr.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(f.list) == mostParts {
			f.over = true
			return nil
		}
		digest := f.begin(part.Header)
		if _, err := io.CopyBuffer(digest, part, buffer[:]); err != nil {
			return err
		}
		f.kept -= len(digest.head)
	}
}

// begin notes that a part begins.
func (f *form) begin(header textproto.MIMEHeader) *digest {
	p := NewPart(header)
	most := Keep
	if p.file {
		most = f.w.Head
	}
	p.digest = newDigest(min(most, f.kept), f.w.Sum)
	f.list = append(f.list, p)
	return &p.digest
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// fault describes the first fault of a form that no schema can state. If fields
// are given, the form may have no others. A form that is not whole is held only
// to the headers of its parts.
func (f *form) fault(fields []string, whole bool) string {
	switch {
	case !whole:
	case len(f.list) > 0 && bytes.HasSuffix(f.line, []byte("\n")) && !bytes.HasSuffix(f.line, []byte("\r\n")):
		return "its lines end with LF, not with CRLF (RFC 2046, 4.1.1)"
	case errors.Is(f.err, io.ErrUnexpectedEOF):
		return "the form does not end with its closing boundary"
	case f.err != nil:
		return firstLine(f.err.Error())
	}
	for i, p := range f.list {
		if why := p.fault(whole); why != "" {
			return fmt.Sprintf("part %d: %s", i+1, why)
		}
		if len(fields) > 0 && !slices.Contains(fields, p.Name) {
			return fmt.Sprintf("part %d: the field is called %.50q, but the spec has only %q", i+1, p.Name, fields)
		}
	}
	return ""
}

func (p *Part) fault(whole bool) string {
	typ := p.Header.Get("Content-Type")
	switch said := p.Header.Get("Content-Disposition"); {
	case p.broken && said != "":
		return fmt.Sprintf("Content-Disposition cannot be parsed: %#.200q", said)
	case !p.form:
		return "no Content-Disposition of form-data"
	case p.Name == "":
		return "the part has no name"
	case p.saysEncodedName():
		return "filename* does not belong into a form (RFC 7578, 4.2)"
	case p.Header.Get("Content-Transfer-Encoding") != "":
		return "Content-Transfer-Encoding does not belong into a form (RFC 7578, 4.7)"
	case p.file && p.fileName == "":
		return "the file has no name"
	case !utf8.ValidString(p.fileName):
		return "the file's name is not UTF-8"
	}
	if declared := p.Header.Get("Content-Length"); declared != "" && whole {
		if n, err := strconv.ParseInt(declared, 10, 64); err != nil || n != p.digest.size {
			return fmt.Sprintf("Content-Length %.20q, but the part has %d bytes", declared, p.digest.size)
		}
	}
	if p.file && typ == "" {
		return "the file has no Content-Type"
	} else if _, _, err := mime.ParseMediaType(typ); typ != "" && err != nil {
		return "Content-Type is no media type"
	}
	return ""
}

// saysEncodedName reports whether filename* is a parameter, and not a part of a
// name. The parser returns filename* as filename, so saysEncodedName renames it
// first.
func (p *Part) saysEncodedName() bool {
	said := strings.ToLower(p.Header.Get("Content-Disposition"))
	if !strings.Contains(said, "filename*") {
		return false
	}
	_, params, _ := mime.ParseMediaType(strings.ReplaceAll(said, "filename*", "encoded"))
	for name := range params {
		if strings.HasPrefix(name, "encoded") {
			return true
		}
	}
	return false
}

func (f *form) files() []File {
	var files []File
	for _, p := range f.list {
		if p.file {
			file := p.digest.file()
			file.Field, file.Name, file.ContentType = p.Name, p.fileName, p.Header.Get("Content-Type")
			files = append(files, file)
		}
	}
	return files
}
