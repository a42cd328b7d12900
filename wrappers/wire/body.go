package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// expectFrom is the length in bytes from which a body waits for the server's
// 100 Continue. If the server refuses a smaller body early, its answer is
// rarely lost, since the body fits into the socket buffers. For a larger one it
// nearly always is.
const expectFrom = 1 << 20

// Body is a request body of exact length. It streams from its sources and can
// be sent again. Any number of requests may use it, also at once.
type Body struct {
	ContentType string // the request's media type, a form's boundary included
	Length      int64  // bytes

	parts []part
	tail  []byte // the end of a form; a raw body has none
	err   error  // why the sources cannot be sent
}

// part is some framing and the file behind it.
type part struct {
	head  []byte
	src   upload.Source
	field string // a form's
}

// Raw returns a body that is the file and nothing else, as a presigned PUT
// takes it. Its content type is the source's. If an API accepts only certain
// media types ("image/png", "image/*") and the source has another, the content
// type is the first accepted one without an asterisk.
func Raw(src upload.Source, accepted ...string) *Body {
	src, err := check(src)
	src.ContentType = choose(accepted, src.ContentType)
	return &Body{ContentType: src.ContentType, Length: src.Size, parts: []part{{src: src}}, err: err}
}

// Err returns [upload.ErrInvalid] with the reason if the body cannot be sent.
// Edit returns it too.
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

func invalid(name string, err error) error {
	return fmt.Errorf("%w: %q: %w", upload.ErrInvalid, name, err)
}

// Edit makes b the body of req, with its length, its content type and the means
// to send it again. It is a request editor of a generated client: pass nil as
// the body that the client's method takes. A content type that the method was
// given is kept, but not for a form, whose own holds the boundary.
//
// From 1 MiB up the request asks for 100 Continue, so that a server can refuse
// it before the bytes are sent.
//
// Nothing is opened before the request is sent, except an empty source, to see
// that it is still empty. A source that cannot be sent is refused here.
func (b *Body) Edit(ctx context.Context, req *http.Request) error {
	if b.err != nil {
		return b.err
	}
	if given := req.Header.Get("Content-Type"); given == "" || b.tail != nil && given != b.ContentType {
		req.Header.Set("Content-Type", b.ContentType)
	}
	req.ContentLength = b.Length
	if b.Length >= expectFrom {
		req.Header.Set("Expect", "100-continue")
	}
	if b.Length > 0 {
		req.Body = &stream{body: b}
		req.GetBody = func() (io.ReadCloser, error) { return (&stream{body: b}).open() }
		return nil
	}
	// A request of length 0 needs http.NoBody, since any other Body would go
	// out chunked. The transport does not read NoBody, so the sources are
	// checked here, and again on each attempt after the first.
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

// open returns the stream with every source open. So a source that is gone, or
// that can be read only once, fails before a byte is sent.
func (s *stream) open() (_ *stream, err error) {
	opened := false
	defer func() {
		if !opened { // also when an Open panics
			s.Close()
		}
	}()
	err = s.openAll()
	opened = err == nil
	return s, err
}

// drain reads a body that should be empty to its end.
func (b *Body) drain(ctx context.Context) error {
	s, err := (&stream{body: b}).open()
	if err != nil {
		return err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	_, err = io.Copy(io.Discard, s)
	s.Close()
	if p := s.panicked.Load(); p != nil {
		p.rethrow()
	}
	return err
}
