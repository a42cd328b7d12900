package s3

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// multipart is an upload in parts. The object is not visible before complete.
type multipart struct {
	store *Store
	key   string
	id    string
	parts []part
}

type part struct {
	PartNumber int
	ETag       string
}

// putParts sends the bytes in buf and the rest of r. The buffer is full. If
// ended, r has no more bytes.
func (s *Store) putParts(ctx context.Context, key, contentType string, buf *[partSize + 1]byte,
	r io.Reader, ended bool,
) (size int64, err error) {
	m := &multipart{store: s, key: key}
	if err := m.create(ctx, contentType); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = m.abort(ctx, err)
		}
	}()
	for n := len(buf); n > 0; {
		b := buf[:min(n, partSize)]
		if err := m.upload(ctx, b); err != nil {
			return 0, err
		}
		size += int64(len(b))
		n = copy(buf[:], buf[len(b):n])
		if ended {
			continue
		}
		read, err := store.Fill(ctx, r, buf[n:])
		n += read
		if ended = err == io.EOF; err != nil && !ended {
			return 0, err
		}
	}
	return size, m.complete(ctx)
}

func (m *multipart) create(ctx context.Context, contentType string) error {
	var created struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		UploadID string   `xml:"UploadId"`
	}
	r := request{
		op: "CreateMultipartUpload", method: http.MethodPost, key: m.key,
		query: url.Values{"uploads": {""}}, contentType: contentType,
	}
	_, err := m.store.call(ctx, r, func(b []byte) error {
		err := decode(b, &created)
		if err == nil && created.UploadID == "" {
			err = errors.New("no upload id in it")
		}
		return err
	})
	m.id = created.UploadID
	return err
}

func (m *multipart) upload(ctx context.Context, b []byte) error {
	if len(m.parts) == m.store.maxParts {
		return fmt.Errorf("%w: an object has at most %d parts of %d bytes", store.ErrFull, m.store.maxParts, partSize)
	}
	number := len(m.parts) + 1
	query := url.Values{"partNumber": {strconv.Itoa(number)}, "uploadId": {m.id}}
	r := request{op: "UploadPart", method: http.MethodPut, key: m.key, query: query, body: b}
	header, err := m.store.call(ctx, r, nil)
	if err == nil {
		m.parts = append(m.parts, part{number, header.Get("ETag")})
	}
	return err
}

func (m *multipart) complete(ctx context.Context) error {
	body, _ := xml.Marshal(struct { // it can always be encoded
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []part
	}{Part: m.parts})
	r := request{
		op: "CompleteMultipartUpload", method: http.MethodPost, key: m.key,
		query: url.Values{"uploadId": {m.id}}, body: body,
	}
	_, err := m.store.call(ctx, r, func(b []byte) error {
		var completed struct {
			XMLName xml.Name `xml:"CompleteMultipartUploadResult"`
		}
		return decode(b, &completed)
	})
	return err
}

// abort aborts the upload at the store and returns cause. If the abort fails,
// it adds that to cause. It runs even if ctx has ended, because that is often
// the cause.
func (m *multipart) abort(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	r := request{op: "AbortMultipartUpload", method: http.MethodDelete, key: m.key,
		query: url.Values{"uploadId": {m.id}}}
	if _, err := m.store.call(ctx, r, nil); err != nil && !isNoSuchUpload(err) {
		return fmt.Errorf("%w; its parts are left in the bucket, since they could not be deleted: %w", cause, err)
	}
	return cause
}
