// Package storetest holds the rules of [store.Store] as tests, in the manner of testing/fstest. Every store of this
// module passes it, and so should one that is written elsewhere:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return mystore.New(t.TempDir()) })
//	}
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// Run checks every rule as a subtest of its own, on a store that open returns for it. The store is empty, or at least
// holds nothing that an earlier call of open returned. Run moves about 60 MiB through it and waits for nothing.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			if err := rule.check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}

// rules say what a store does; a check returns how the store broke it. They return errors and do not fail a test, so
// that the rules can be tested themselves, on stores that break them.
var rules = []struct {
	name  string
	check func(ctx context.Context, s store.Store) error
}{
	{"what is put is what is opened", roundTrip},
	{"an empty object is an object", empty},
	{"sizes about a part's 5 MiB hold", boundary},
	{"a put replaces the object and its type", overwrite},
	{"an open reader keeps its object", snapshot},
	{"content types are kept", contentTypes},
	{"content types that cannot be kept are refused", badContentTypes},
	{"keys nest", nestedKeys},
	{"bad keys are refused", badKeys},
	{"a missing key does not exist", missingKey},
	{"a deleted key does not exist", deletedKey},
	{"a torn reader stores nothing", torn},
	{"a torn reader keeps the old object", tornKeeps},
	{"a slow reader is read to its end", slowReader},
	{"a cancelled put stores nothing", cancelled},
	{"concurrent puts of one key: one whole wins", concurrent},
	{"concurrent puts and deletes of neighbours do not meet", neighbours},
	{"the time of an object is the time of its put", modTime},
	{"a presigned URL takes the object, or there is none", presign},
}

const textPlain = "text/plain"

// part is the smallest part of a multipart upload in S3, where a store may change its ways.
const part = 5 << 20

// content is size bytes that no two seeds share.
func content(seed uint64, size int) []byte {
	b := make([]byte, size)
	var key [32]byte
	for i := range 8 {
		key[i] = byte(seed >> (8 * i))
	}
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// put stores b and checks what Put answers.
func put(ctx context.Context, s store.Store, key, contentType string, b []byte) error {
	n, err := s.Put(ctx, key, contentType, bytes.NewReader(b))
	if err != nil {
		return fmt.Errorf("Put(%q): %w", key, err)
	}
	if n != int64(len(b)) {
		return fmt.Errorf("Put(%q) of %d bytes = %d", key, len(b), n)
	}
	return nil
}

// holds checks that Stat and Open both give this object.
func holds(ctx context.Context, s store.Store, key, contentType string, b []byte) error {
	got, info, err := get(ctx, s, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, b) {
		return fmt.Errorf("Open(%q) gave %s, want %s", key, digest(got), digest(b))
	}
	stat, err := s.Stat(ctx, key)
	if err != nil {
		return fmt.Errorf("Stat(%q): %w", key, err)
	}
	for op, info := range map[string]store.Info{"Open": info, "Stat": stat} {
		if info.Size != int64(len(b)) {
			return fmt.Errorf("%s(%q).Size = %d, want %d", op, key, info.Size, len(b))
		}
		if info.ContentType != contentType {
			return fmt.Errorf("%s(%q).ContentType = %q, want %q", op, key, info.ContentType, contentType)
		}
	}
	return nil
}

func get(ctx context.Context, s store.Store, key string) ([]byte, store.Info, error) {
	r, info, err := s.Open(ctx, key)
	if err != nil {
		return nil, info, fmt.Errorf("Open(%q): %w", key, err)
	}
	b, err := io.ReadAll(r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, info, fmt.Errorf("reading %q: %w", key, err)
	}
	return b, info, nil
}

// absent checks that there is no such object, in the way a caller would ask.
func absent(ctx context.Context, s store.Store, key string) error {
	r, _, err := s.Open(ctx, key)
	if err == nil {
		r.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("Open(%q) of a missing key: error %v, want fs.ErrNotExist", key, err)
	}
	if _, err := s.Stat(ctx, key); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("Stat(%q) of a missing key: error %v, want fs.ErrNotExist", key, err)
	}
	return nil
}

func digest(b []byte) string {
	return fmt.Sprintf("%d bytes starting with %.16x", len(b), b)
}

func modTime(ctx context.Context, s store.Store) error {
	// Another machine's clock may be off a little, and S3 has whole seconds.
	const slack = time.Minute
	var last time.Time
	for i := range uint64(2) {
		if err := put(ctx, s, "a", textPlain, content(i, 10)); err != nil {
			return err
		}
		info, err := s.Stat(ctx, "a")
		if err != nil {
			return fmt.Errorf("Stat: %w", err)
		}
		if off := time.Since(info.ModTime).Abs(); off > slack {
			return fmt.Errorf("Stat.ModTime = %v, %v from now", info.ModTime, off)
		}
		if info.ModTime.Before(last) {
			return fmt.Errorf("Stat.ModTime = %v, before the one of the object it replaced, %v", info.ModTime, last)
		}
		last = info.ModTime
	}
	return nil
}
