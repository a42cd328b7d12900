package contract

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Keep limits how much is looked at of a JSON body, of each field of a form,
// and of an answer: 1 MiB.
const Keep = 1 << 20

// Watch says how much is remembered of the files that pass by. The zero value
// remembers only their size.
type Watch struct {
	Head int  // the first bytes of each file and each body
	Sum  bool // the SHA-256
}

// File describes one file that was sent.
type File struct {
	Field       string // the form's field; empty where the body was the file
	Name        string // as it stood in the form, directories included
	ContentType string
	Size        int64  // bytes
	SHA256      string // of all bytes, in lower-case hex
	Body        []byte // the beginning
}

// digest holds the remembered facts of bytes that passed by.
type digest struct {
	size int64
	most int       // of head
	head []byte    // the first bytes
	sum  hash.Hash // nil: not worked out
}

func newDigest(most int, sum bool) digest {
	d := digest{most: most}
	if sum {
		d.sum = sha256.New()
	}
	return d
}

func (d *digest) Write(p []byte) (int, error) {
	if d.sum != nil {
		d.sum.Write(p)
	}
	d.size += int64(len(p))
	kept := p[:min(len(p), d.most-len(d.head))]
	if need := len(d.head) + len(kept); d.head != nil && need > cap(d.head) {
		d.head = append(make([]byte, 0, min(d.most, 2*need)), d.head...) // append would grow it by a quarter
	}
	d.head = append(d.head, kept...)
	return len(p), nil
}

// beginning returns the first bytes. Later ones are written behind them.
func (d *digest) beginning() []byte { return slices.Clip(d.head) }

func (d *digest) file() File {
	f := File{Size: d.size, Body: d.beginning()}
	if d.sum != nil {
		f.SHA256 = hex.EncodeToString(d.sum.Sum(nil))
	}
	return f
}

// body observes a request's body while it is read. It holds only the beginning.
type body struct {
	io.ReadCloser

	mu     sync.Mutex
	digest digest
	form   *form // of a form, else nil
	ended  bool  // io.EOF was seen
	broken bool  // another error was seen before io.EOF
	over   bool  // nothing counts any more
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		_, _ = b.digest.Write(p[:n])
		if b.form != nil {
			b.form.write(p[:n])
		}
		b.ended = b.ended || err == io.EOF
		b.broken = b.broken || err != nil && !b.ended // net/http says io.EOF after io.ErrUnexpectedEOF
	}
	return n, err
}

// finish ends the observation if the body came whole or is over. It reports
// whether the body came whole, with length bytes. If the length is not known,
// it is -1.
func (b *body) finish(length int64, over bool) (whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	whole = b.whole(length)
	if !b.over && (whole || over) {
		b.over = true
		if b.form != nil {
			b.form.end(whole)
		}
	}
	return whole
}

// whole is called with the lock held.
func (b *body) whole(length int64) bool {
	return b.digest.size == length || length == -1 && b.ended && !b.broken
}

// watch returns rc under observation. It keeps up to [Keep] of a body that a
// validator reads as text. Of any other body it keeps as much as w says.
func (x *Exchange) watch(rc io.ReadCloser) *body {
	most := x.w.Head
	b := &body{ReadCloser: rc}
	if x.is.op != nil && !x.raw || x.is.name == Token || x.is.name == Presigned {
		if x.typ == "multipart/form-data" && x.typed != nil {
			b.form = newForm(x.typed["boundary"], x.w)
		} else if x.is.name != Presigned {
			most = Keep
		}
	}
	b.digest = newDigest(most, x.w.Sum && b.form == nil)
	return b
}

// Empty reports whether a request is without a body.
func Empty(r *http.Request) bool { return r.Body == nil || r.Body == http.NoBody }

// IsRaw reports whether a body is a file. Its media type says so, or else the
// document.
func IsRaw(typ string, media *Media) bool {
	switch {
	case strings.HasPrefix(typ, "multipart/"), strings.HasSuffix(typ, "json"),
		typ == "application/x-www-form-urlencoded":
		return false
	}
	return typ == "application/octet-stream" || media.Bytes
}

// rawName returns the name of a raw body. It stands in Content-Disposition, or
// in a parameter called name or the like. What an answer handed out with a URL
// is not the sender's name.
func (x *Exchange) rawName() string {
	handedOut := ""
	if x.is.grant != nil {
		handedOut = x.is.grant.header.Get("Content-Disposition")
	}
	if said := x.head.Header.Get("Content-Disposition"); said != handedOut {
		if _, params, err := mime.ParseMediaType(said); err == nil && params["filename"] != "" {
			return params["filename"]
		}
	}
	isName := func(s string) bool {
		s = strings.ToLower(wordBreaks.Replace(s))
		return s == "name" || s == "filename"
	}
	for name, value := range x.is.params {
		if plain, err := url.PathUnescape(value); err == nil && isName(name) {
			return plain
		}
	}
	if x.is.grant == nil && strings.Contains(strings.ToLower(x.head.URL.RawQuery), "name") { // few have one
		for name, values := range x.head.URL.Query() {
			if isName(name) {
				return values[0]
			}
		}
	}
	return ""
}
