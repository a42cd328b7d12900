package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/putpost/putpost/wrappers/store"
)

const (
	partSize = 5 << 20 // the smallest that S3 takes, so the least that has to be held
	maxParts = 10_000  // the most that S3 takes
	smallPut = 64 << 10
)

// One byte more than a part tells whether it is the last one before it is sent.
var (
	smallBuffers = sync.Pool{New: func() any { return new([smallPut]byte) }}
	partBuffers  = sync.Pool{New: func() any { return new([partSize + 1]byte) }}
)

// Put is described at [store.Store]. Up to 5 MiB it is one request, more than that a multipart upload in parts of 5 MiB;
// no more than one part is held at a time. The parts end at 10,000, so an object ends at 48.8 GiB and what is larger
// fails with [store.ErrFull]. A multipart upload that fails is aborted at the store; where the store cannot be
// reached for that, the bucket's rule does it ([Lifecycle]).
func (s *Store) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	contentType, err := checkPut(key, contentType)
	if err != nil {
		return 0, failed("put", key, err)
	}
	size, err := s.put(ctx, s.prefix+key, contentType, r)
	if err != nil {
		return 0, failed("put", key, err)
	}
	return size, nil
}

func checkPut(key, contentType string) (string, error) {
	if contentType == "" {
		contentType = store.DefaultContentType
	}
	return contentType, errors.Join(store.CheckKey(key), store.CheckContentType(contentType))
}

// put reads into buffers of its own, never letting the SDK at r: it takes io.ErrUnexpectedEOF for an end, and what is
// in a buffer can be sent again. A buffer goes back to its pool only after success, since after a failure the
// connection may not have let go of it yet.
func (s *Store) put(ctx context.Context, name, contentType string, r io.Reader) (int64, error) {
	small := smallBuffers.Get().(*[smallPut]byte)
	n, err := store.Fill(ctx, r, small[:])
	if err == io.EOF {
		if err := s.putWhole(ctx, name, contentType, small[:n]); err != nil {
			return 0, err
		}
		smallBuffers.Put(small)
		return int64(n), nil
	}
	if err != nil {
		smallBuffers.Put(small)
		return 0, err
	}

	buf := partBuffers.Get().(*[partSize + 1]byte)
	copy(buf[:], small[:])
	smallBuffers.Put(small)
	m, err := store.Fill(ctx, r, buf[n:])
	n += m
	if err != nil && err != io.EOF {
		partBuffers.Put(buf)
		return 0, err
	}
	size := int64(n)
	if n <= partSize {
		err = s.putWhole(ctx, name, contentType, buf[:n])
	} else {
		size, err = s.putParts(ctx, name, contentType, buf, r, err == io.EOF)
	}
	if err != nil {
		return 0, err
	}
	partBuffers.Put(buf)
	return size, nil
}

func (s *Store) putWhole(ctx context.Context, name, contentType string, b []byte) error {
	_, err := s.core.PutObject(ctx, s.bucket, name, bytes.NewReader(b), int64(len(b)), "", digest(b), minio.PutObjectOptions{
		ContentType:          contentType,
		DisableContentSha256: true, // that is, not in chunks with a signature each
	})
	if err != nil {
		return plain(ctx, err)
	}
	return nil
}

// putParts sends what is in buf, which is full, and the rest of r. ended says that r has none.
func (s *Store) putParts(ctx context.Context, name, contentType string, buf *[partSize + 1]byte, r io.Reader, ended bool) (size int64, err error) {
	opts := minio.PutObjectOptions{ContentType: contentType}
	id, err := s.core.NewMultipartUpload(ctx, s.bucket, name, opts)
	if err != nil {
		return 0, plain(ctx, err)
	}
	defer func() {
		if err != nil {
			err = s.abort(ctx, name, id, err)
		}
	}()

	var parts []minio.CompletePart
	for n := len(buf); n > 0; {
		if len(parts) == s.maxParts {
			return 0, fmt.Errorf("%w: an object has at most %d parts of %d bytes", store.ErrFull, s.maxParts, partSize)
		}
		b := buf[:min(n, partSize)]
		part, err := s.core.PutObjectPart(ctx, s.bucket, name, id, len(parts)+1, bytes.NewReader(b), int64(len(b)),
			minio.PutObjectPartOptions{Sha256Hex: digest(b), DisableContentSha256: true})
		if err != nil {
			return 0, plain(ctx, err)
		}
		parts = append(parts, minio.CompletePart{PartNumber: part.PartNumber, ETag: part.ETag})
		size += int64(len(b))
		n = copy(buf[:], buf[len(b):n])
		if ended {
			continue
		}
		m, err := store.Fill(ctx, r, buf[n:])
		n += m
		if ended = err == io.EOF; err != nil && !ended {
			return 0, err
		}
	}
	if _, err := s.core.CompleteMultipartUpload(ctx, s.bucket, name, id, parts, opts); err != nil {
		return 0, plain(ctx, err)
	}
	return size, nil
}

// abort ends a multipart upload after cause, and adds to it where that fails. It is made although ctx may be over: that
// is often why.
func (s *Store) abort(ctx context.Context, name, id string, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := s.core.AbortMultipartUpload(ctx, s.bucket, name, id); err != nil && !gone(err) {
		return fmt.Errorf("%w; its parts are left in the bucket, which could not be told: %w", cause, plain(ctx, err))
	}
	return cause
}

// digest is what the store checks a body by. So no body that was torn or mixed up on its way becomes an object.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
