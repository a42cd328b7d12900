package s3

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/putpost/putpost/wrappers/store"
)

const (
	partSize = 5 << 20 // the smallest that S3 takes, to hold little in memory
	maxParts = 10_000  // the most that S3 takes
	smallPut = 64 << 10
)

// A part buffer has one byte more. That byte shows whether the part is the
// last.
var (
	smallBuffers = sync.Pool{New: func() any { return new([smallPut]byte) }}
	partBuffers  = sync.Pool{New: func() any { return new([partSize + 1]byte) }}
)

// Put implements [store.Store]. An object of up to 5 MiB is one request. A
// larger one is a multipart upload in parts of 5 MiB. Put holds one part in
// memory. A multipart upload has 10,000 parts at most, so an object larger than
// 48.8 GiB fails with [store.ErrFull]. Put aborts a multipart upload that
// fails. If the store cannot be reached for that, the bucket's rule does it
// ([Lifecycle]).
func (s *Store) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	contentType, err := checkPut(key, contentType)
	if err != nil {
		return 0, wrap("put", key, err)
	}
	size, err := s.put(ctx, key, contentType, r)
	if err != nil {
		return 0, wrap("put", key, err)
	}
	return size, nil
}

func checkPut(key, contentType string) (string, error) {
	return cmp.Or(contentType, store.DefaultContentType),
		errors.Join(store.CheckKey(key), store.CheckContentType(contentType))
}

// put reads into buffers, because a request must have a known length and may be
// sent again. A buffer goes back to its pool only after success: after a
// failure the connection may still read from it.
func (s *Store) put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	small := smallBuffers.Get().(*[smallPut]byte)
	n, err := store.Fill(ctx, r, small[:])
	if err == io.EOF {
		if err := s.putWhole(ctx, key, contentType, small[:n]); err != nil {
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
		err = s.putWhole(ctx, key, contentType, buf[:n])
	} else {
		size, err = s.putParts(ctx, key, contentType, buf, r, err == io.EOF)
	}
	if err != nil {
		return 0, err
	}
	partBuffers.Put(buf)
	return size, nil
}

func (s *Store) putWhole(ctx context.Context, key, contentType string, b []byte) error {
	r := request{op: "PutObject", method: http.MethodPut, key: key, contentType: contentType, body: b}
	_, err := s.call(ctx, r, nil)
	return err
}
