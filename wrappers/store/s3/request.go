package s3

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
)

// request is one call of S3. Attempts and errors without secrets come from
// package wire.
type request struct {
	op          string // S3's own name
	method, key string
	query       url.Values
	contentType string
	body        []byte
}

func (s *Store) build(ctx context.Context, r request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, s.url(s.base, r.key), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.URL.RawQuery = escape(r.query)
	// The store checks the body by it, so nothing that was torn or mixed up on
	// its way becomes an object.
	req.Header.Set(digestHeader, hexSHA256(r.body))
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	return req, nil
}

// url returns the address of an object below the address of a bucket.
func (s *Store) url(bucket, key string) string { return bucket + "/" + s.prefix + key }

// call sends a request and gives the body of a success to read; a nil read
// ignores it. It returns the headers of the answer.
func (s *Store) call(ctx context.Context, r request, read func([]byte) error) (answer http.Header, err error) {
	_, err = s.doer.Call(ctx, r.op, read, func(ctx context.Context) (*http.Response, error) {
		req, err := s.build(ctx, r)
		if err != nil {
			return nil, err
		}
		resp, err := s.doer.Do(req)
		if err == nil {
			answer = resp.Header
		}
		return resp, err
	})
	return answer, err
}

// open is call for an answer of any size. The caller closes its body.
func (s *Store) open(ctx context.Context, r request) (answer *http.Response, err error) {
	_, err = s.doer.Call(ctx, r.op, nil, func(ctx context.Context) (*http.Response, error) {
		req, err := s.build(ctx, r)
		if err != nil {
			return nil, err
		}
		resp, err := s.doer.Do(req)
		if err != nil || resp.StatusCode/100 != 2 {
			return resp, err
		}
		answer = resp
		headers := *resp
		headers.Body = http.NoBody // Call closes what it is given
		return &headers, nil
	})
	return answer, err
}
