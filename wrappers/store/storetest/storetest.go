// Package storetest tests a store against each sentence of [store.Store], as
// testing/fstest does for a file system. Every store of this module passes.
// Test your own store with it:
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

// Run checks each rule in a subtest, on a new store from open. The store must
// hold no object of an earlier call of open. Run skips a rule that does not
// apply to the store, with a reason. It moves about 600 MiB through the store,
// at most 65 MiB in one object, and waits five seconds in all for clocks to
// move. A rule that does not end within two minutes fails.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			st, held := open(t), make(chan error, 1)
			go func() { held <- rule.holds(ctx, st) }()
			select {
			case err := <-held:
				if reason, ok := errors.AsType[skipReason](err); ok {
					t.Skip(string(reason))
				}
				if err != nil {
					t.Error(err)
				}
			case <-time.After(limit + time.Second):
				t.Errorf("a call of the store did not end within %v, nor with its context", limit)
			}
		})
	}
}

// limit is how long a rule may take.
const limit = 2 * time.Minute

// skipReason says why a rule is skipped on a store.
type skipReason string

func (n skipReason) Error() string { return string(n) }

// rule is a promise of a store. Its check returns an error if the store breaks
// the promise. It does not fail a test, so the rules themselves can be tested
// on stores that break them.
type rule struct {
	name  string
	check func(ctx context.Context, s store.Store) error
}

func (r rule) holds(ctx context.Context, s store.Store) error {
	return caught(func() error { return r.check(ctx, s) })
}

// broken is a panic of must.
type broken struct{ error }

// must ends a check if err is not nil. The text says at which step.
func must(err error, text ...any) {
	if err != nil && len(text) > 0 {
		err = fmt.Errorf("%s: %w", fmt.Sprintf(text[0].(string), text[1:]...), err)
	}
	if err != nil {
		panic(broken{err})
	}
}

// failIf ends a check if a promise is broken.
func failIf(broken bool, format string, args ...any) {
	if broken {
		must(fmt.Errorf(format, args...))
	}
}

// caught calls f and returns its error, or the error of a must in it.
func caught(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b, ok := p.(broken)
			if !ok {
				panic(p)
			}
			err = b.error
		}
	}()
	return f()
}

var rules = []rule{
	{"what is put is what is opened", roundTrip},
	{"objects that are almost equal are kept apart", alike},
	{"an empty object is an object", empty},
	{"sizes about a part's 5 MiB hold", boundary},
	{"sizes from 10 to 64 MiB hold", large},
	{"a put reads its reader to the end and leaves it open", readerLeft},
	{"a slow reader is read to its end", slowReader},
	{"a put keeps no memory of its caller", ownMemory},
	{"a put replaces the object and its type", overwrite},
	{"an open reader keeps its object", snapshot},
	{"two readers of an object do not meet", readers},
	{"a call leaves no descriptor open", frees("/proc/self/fd", "/dev/fd")},
	{"content types are kept", contentTypes},
	{"content types that cannot be kept are refused", badContentTypes},
	{"keys nest", nestedKeys},
	{"bad keys are refused", badKeys},
	{"keys of another letter case are two objects, or one", letterCase},
	{"a missing key does not exist", missingKey},
	{"a deleted key does not exist", deletedKey},
	{"a delete removes one key and no other", deleteAlone},
	{"nothing is visible before it is whole", unseen},
	{"a torn reader changes nothing", torn},
	{"a cancelled put stores nothing", cancelled},
	{"concurrent puts of one key: one whole wins", concurrent},
	{"concurrent puts and deletes of neighbours do not meet", neighbours},
	{"the time of an object is the time of its put", modTime},
	{"errors name the operation and the key and hold the cause", errorTexts},
	{"a presigned URL takes the object, or there is none", presign},
	{"a presigned URL takes nothing else", presignBinds},
	{"a presigned URL ends", presignEnds},
	{"a list has every key of a folder and no other", list},
}

const textPlain = "text/plain"

// part is the smallest part of a multipart upload in S3. A store may send a
// larger object in another way.
const part = 5 << 20

// content returns size bytes that are different for each seed.
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

// holds checks that Stat and Open both return this object.
func holds(ctx context.Context, s store.Store, key, contentType string, b []byte) error {
	got, info, err := get(ctx, s, key)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, b) {
		return fmt.Errorf("Open(%q) gave %s", key, difference(got, b))
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

// absent checks that Open and Stat find no object.
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

// difference says where bytes that should be the same are not.
func difference(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	if len(got) == len(want) {
		return fmt.Sprintf("other bytes from offset %d on", at)
	}
	return fmt.Sprintf("%d bytes, want %d, the first wrong one at offset %d", len(got), len(want), at)
}

// patience is how long a call may wait for another.
const patience = 10 * time.Second

// within returns the error of a call, or that the call waits and for what, such as
// by a lock. A call that waits goes on.
func within(call func() error, name, reason string) error {
	done := make(chan error, 1)
	go func() { done <- caught(call) }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		return fmt.Errorf("%s did not return within %v: %s", name, patience, reason)
	}
}
