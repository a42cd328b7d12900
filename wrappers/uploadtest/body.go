package uploadtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"sync"
)

// keep is how many bytes of a body, and of each file in it, are remembered.
const keep = 1 << 20

// digest is what remains of bytes that passed by.
type digest struct {
	size int64
	head bytes.Buffer // the first keep bytes
	sum  hash.Hash
}

func (d *digest) Write(p []byte) (int, error) {
	if d.sum == nil {
		d.sum = sha256.New()
	}
	d.sum.Write(p)
	d.size += int64(len(p))
	d.head.Write(p[:min(len(p), keep-d.head.Len())])
	return len(p), nil
}

func (d *digest) hex() string {
	if d.sum == nil {
		d.sum = sha256.New()
	}
	return hex.EncodeToString(d.sum.Sum(nil))
}

// body looks on while a request's body is read, and holds only its beginning.
type body struct {
	io.ReadCloser

	mu     sync.Mutex
	digest digest
	form   *form // of a form, else nil
	ended  bool  // io.EOF was seen
	broken bool  // something else was seen before it
	over   bool  // nothing counts any more
}

// watch looks at what is read of rc, which travels under the given media type.
func watch(rc io.ReadCloser, contentType string) *body {
	return &body{ReadCloser: rc, form: newForm(contentType)}
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		_, _ = b.digest.Write(p[:n])
		if b.form != nil {
			_, _ = b.form.Write(p[:n])
		}
		b.ended = b.ended || err == io.EOF
		b.broken = b.broken || err != nil && !b.ended // net/http says io.EOF after io.ErrUnexpectedEOF
	}
	return n, err
}

// finish ends the looking on. Whole says that length bytes came, all of the body.
func (b *body) finish(length int64) (whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.over = true
		if b.form != nil {
			b.form.finish()
		}
	}
	if length >= 0 {
		return b.digest.size == length
	}
	return b.ended && !b.broken
}

// files are the file parts of a form, or all of any other body as one file.
func (b *body) files(contentType string) []File {
	if b.form != nil {
		return b.form.files()
	}
	return []File{{ContentType: contentType, Size: b.digest.size, SHA256: b.digest.hex(), Body: bytes.Clone(b.digest.head.Bytes())}}
}

// empty tells whether a request is without a body.
func empty(r *http.Request) bool { return r.Body == nil || r.Body == http.NoBody }
