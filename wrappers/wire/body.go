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
// 100 Continue. An early refusal of a smaller one is rarely lost, since the
// body fits into the socket buffers. Of a larger one it is lost nearly always.
const expectFrom = 1 << 20

// Body is a request body of exact length that streams from its sources and can
// be sent again. It may be used for any number of requests, also at once.
type Body struct {
	ContentType string // the request's media type, a form's boundary included
	Length      int64  // bytes

	parts []part
	tail  []byte // a form's; a raw body has none
	err   error  // what is wrong with the sources
}

// part is some framing and the file behind it.
type part struct {
	head  []byte
	src   upload.Source
	field string // a form's
}

// Raw returns a body that is the file and nothing else, as a presigned PUT
// takes it. Its content type is the source's. Where an API accepts certain
// media types only ("image/png", "image/*"), and the source's is none of them,
// it is the first of these that has no asterisk.
func Raw(src upload.Source, accepted ...string) *Body {
	src, err := check(src)
	src.ContentType = choose(accepted, src.ContentType)
	return &Body{ContentType: src.ContentType, Length: src.Size, parts: []part{{src: src}}, err: err}
}

// Err returns [upload.ErrInvalid] where the body cannot be sent, and says why.
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
// to send it again. It is a request editor of a generated client. The body that
// the client's method takes is nil. A content type that the method was given
// counts, but not for a form, which has its boundary in it.
//
// From 1 MiB up the request asks for 100 Continue, so that a server can refuse
// it before the bytes are sent.
//
// Nothing is opened before the request is sent, except to see that an empty
// source is still empty. A source that cannot be sent is refused here.
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
	// With length 0 any other Body than NoBody would go out chunked, and nobody
	// reads NoBody. So what the stream finds at its end is looked for here, and
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

// open returns the stream with every source open, so that a source that is
// gone, or can be read only once, is known before a byte is sent.
func (s *stream) open() (*stream, error) {
	if err := s.openAll(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// drain sees to the end of a body that should be empty.
func (b *Body) drain(ctx context.Context) error {
	s, err := (&stream{body: b}).open()
	if err != nil {
		return err
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Close() })()
	_, err = io.Copy(io.Discard, s)
	s.Close()
	s.rethrow()
	return err
}
