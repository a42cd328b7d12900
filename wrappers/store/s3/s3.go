// Package s3 keeps objects in a bucket of S3, or of a server with the same
// protocol. Its presigned URLs lead to the bucket, so the uploaded bytes never
// pass through this process.
//
//	st, err := s3.Open("s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-north-1", s3.Credentials{
//		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
//		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
//	})
//
// The credentials need s3:PutObject, s3:GetObject, s3:DeleteObject and
// s3:AbortMultipartUpload on the objects. They need s3:ListBucket on the
// bucket, too: without it AWS answers 403 where a key is merely missing.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bucket, or below a prefix of one.
type Store struct {
	address
	signer   *signer
	doer     *wire.Doer
	maxParts int
}

// Open returns the store that an address of this form names:
//
//	s3://BUCKET/PREFIX?endpoint=URL&region=REGION&public=URL
//
// PREFIX may be missing. It is a key by the rules of [store.CheckKey]. Without
// an endpoint the bucket is at AWS, and without a region in us-east-1. The
// bucket's name stands in the path at an endpoint, and in the host name at AWS.
// Presigned URLs lead to public, if clients reach the store at another address
// than this program. Open sends no request: [Store.Check] does.
func Open(rawURL string, cred Credentials) (*Store, error) {
	return newStore(rawURL, cred, upload.Retry{MaxWait: 2 * time.Second})
}

func newStore(rawURL string, cred Credentials, retry upload.Retry) (*Store, error) {
	addr, err := parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	if cred.AccessKeyID == "" || cred.SecretAccessKey == "" {
		return nil, errors.New("s3: an access key id and a secret access key are needed")
	}
	s := &Store{address: addr, maxParts: maxParts}
	s.signer = &signer{
		cred:   func() Credentials { return cred },
		region: addr.region,
		now:    time.Now,
		next:   upload.NewTransport(),
	}
	s.doer, err = wire.NewDoer(wire.API{
		Provider:    "s3",
		BaseURL:     addr.base,
		TraceHeader: "X-Amz-Request-Id",
		Hide:        func() []string { return []string{cred.SecretAccessKey, cred.SessionToken} },
		Read:        s.readError,
		Table:       table,
		Repeatable:  true, // the bucket's rule deletes a multipart upload that was begun twice
	}, upload.Config{HTTPClient: &http.Client{Transport: s.signer}, Retry: retry})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Check returns nil if the endpoint answers, the bucket exists and the
// credentials may read it. It asks for an object that does not exist. Call
// Check when a program starts, because a wrong setting is easier to understand
// then.
func (s *Store) Check(ctx context.Context) error {
	const key = "putpost-check"
	body, _, err := s.Open(ctx, key)
	if err == nil {
		return body.Close()
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("s3: bucket %s: %w", s.bucket, err)
}

// Open implements [store.Store]. One request delivers the bytes, and ctx limits
// it until the reader is closed.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, store.Info{}, wrap("open", key, err)
	}
	resp, err := s.open(ctx, request{op: "GetObject", method: http.MethodGet, key: key})
	if err != nil {
		return nil, store.Info{}, wrap("open", key, asNotExist(err))
	}
	return resp.Body, info(resp.Header), nil
}

// Stat implements [store.Store].
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Info{}, wrap("stat", key, err)
	}
	header, err := s.call(ctx, request{op: "HeadObject", method: http.MethodHead, key: key}, nil)
	if err != nil {
		return store.Info{}, wrap("stat", key, asNotExist(err))
	}
	return info(header), nil
}

func info(header http.Header) store.Info {
	size, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
	if err != nil {
		size = -1 // unknown
	}
	modified, _ := http.ParseTime(header.Get("Last-Modified"))
	return store.Info{Size: size, ContentType: header.Get("Content-Type"), ModTime: modified}
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return wrap("delete", key, err)
	}
	_, err := s.call(ctx, request{op: "DeleteObject", method: http.MethodDelete, key: key}, nil)
	if err != nil && asNotExist(err) != fs.ErrNotExist {
		return wrap("delete", key, err)
	}
	return nil
}
