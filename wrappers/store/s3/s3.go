// Package s3 keeps objects in a bucket of S3, or of anything that speaks its protocol. Its URLs are the bucket's own
// presigned ones, so that what is uploaded by them never passes through this process.
//
//	st, err := s3.Open("s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-north-1", s3.Credentials{
//		AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
//		SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
//	})
//
// The credentials need s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload on the objects, and
// s3:ListBucket on the bucket, without which AWS answers 403 where a key is merely missing.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/putpost/putpost/wrappers/store"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bucket, or below a prefix of one.
type Store struct {
	core     *minio.Core
	bucket   string
	prefix   string // ends with a slash, unless it is empty
	maxParts int
}

// attempts is how often a request is made before its failure is the caller's. The waits between them add up to two
// seconds or so, which is what a store takes to come back from a restart.
const attempts = 6

// Open returns the store that an address of this form names:
//
//	s3://BUCKET/PREFIX?endpoint=URL&region=REGION
//
// PREFIX may be missing; it is a key by the rules of [store.CheckKey]. Without an endpoint it is AWS, without a region
// us-east-1. Nothing is sent: [Store.Check] does that.
func Open(rawURL string, cred Credentials) (*Store, error) {
	return open(rawURL, cred, attempts)
}

func open(rawURL string, cred Credentials, attempts int) (*Store, error) {
	addr, err := parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	if cred.AccessKeyID == "" || cred.SecretAccessKey == "" {
		return nil, errors.New("s3: an access key id and a secret access key are needed")
	}
	transport, err := minio.DefaultTransport(addr.secure)
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns // there is but one host
	core, err := minio.NewCore(addr.host, &minio.Options{
		Creds:      credentials.NewStaticV4(cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken),
		Secure:     addr.secure,
		Region:     addr.region, // without it every presigned URL would cost a request
		Transport:  transport,
		MaxRetries: attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	return &Store{core: core, bucket: addr.bucket, prefix: addr.prefix, maxParts: maxParts}, nil
}

// Check asks the store for an object that is not there, and returns nil if it says so: then the endpoint answers, the
// bucket exists and the credentials may read it. It is for the start of a program, where such an error is clear.
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

// Open is described at [store.Store]. The bytes come in one request, which ctx bounds until the reader is closed.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, store.Info, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, store.Info{}, failed("open", key, err)
	}
	body, obj, _, err := s.core.GetObject(ctx, s.bucket, s.prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, store.Info{}, failed("open", key, lookup(ctx, err))
	}
	return body, info(obj), nil
}

// Stat is described at [store.Store].
func (s *Store) Stat(ctx context.Context, key string) (store.Info, error) {
	if err := store.CheckKey(key); err != nil {
		return store.Info{}, failed("stat", key, err)
	}
	obj, err := s.core.StatObject(ctx, s.bucket, s.prefix+key, minio.StatObjectOptions{})
	if err != nil {
		return store.Info{}, failed("stat", key, lookup(ctx, err))
	}
	return info(obj), nil
}

func info(obj minio.ObjectInfo) store.Info {
	return store.Info{Size: obj.Size, ContentType: obj.ContentType, ModTime: obj.LastModified}
}

// Delete is described at [store.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := store.CheckKey(key); err != nil {
		return failed("delete", key, err)
	}
	err := s.core.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{})
	if err != nil && !missing(err) {
		return failed("delete", key, plain(ctx, err))
	}
	return nil
}
