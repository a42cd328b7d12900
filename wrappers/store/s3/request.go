package s3

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
)

// request is one call of S3. Package wire repeats it and keeps secrets out of
// its errors.
type request struct {
	op          string // S3's own name
	method, key string
	query       url.Values
	contentType string
	body        []byte
}

func (s *Store) send(ctx context.Context, r request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, s.url(s.base, r.key), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = escape(r.query)
	// The store compares the body with this digest, so a body that was damaged
	// on its way never becomes an object.
	req.Header.Set(digestHeader, hexSHA256(r.body))
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	return s.doer.Do(req)
}

// url returns the address of an object below the address of a bucket.
func (s *Store) url(bucket, key string) string { return bucket + "/" + s.prefix + key }

// call sends a request and returns the headers of the answer. On success it
// calls read with the body, unless read is nil.
func (s *Store) call(ctx context.Context, r request, read func([]byte) error) (answer http.Header, err error) {
	_, err = s.doer.Call(ctx, r.op, read, func(ctx context.Context) (*http.Response, error) {
		resp, err := s.send(ctx, r)
		if err == nil {
			answer = resp.Header
		}
		return resp, err
	})
	return answer, err
}

// open sends a request whose answer may be large. The caller closes its body.
func (s *Store) open(ctx context.Context, r request) (answer *http.Response, err error) {
	_, err = s.doer.Call(ctx, r.op, nil, func(ctx context.Context) (*http.Response, error) {
		resp, err := s.send(ctx, r)
		if err != nil || resp.StatusCode/100 != 2 {
			return resp, err
		}
		answer = resp
		headers := *resp
		headers.Body = http.NoBody // Call closes this body
		return &headers, nil
	})
	return answer, err
}
