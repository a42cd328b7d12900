package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing/iotest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// calls calls each method of a store for a key, and returns the errors by
// operation.
func calls(ctx context.Context, s store.Store, key string) map[string]error {
	_, put := s.Put(ctx, key, "", strings.NewReader("x"))
	r, _, open := s.Open(ctx, key)
	if open == nil {
		r.Close()
	}
	_, stat := s.Stat(ctx, key)
	_, presign := s.PresignPut(ctx, key, "", time.Minute)
	all := map[string]error{"put": put, "open": open, "stat": stat, "delete": s.Delete(ctx, key), "presign": presign}
	if errors.Is(presign, store.ErrNoPresign) { // such a store need not look at the key
		delete(all, "presign")
	}
	return all
}

// errorTexts checks the errors that a test can cause in any store.
func errorTexts(ctx context.Context, s store.Store) error {
	says := func(op, key string, err, cause error) {
		if !errors.Is(err, cause) {
			must(fmt.Errorf("%s of %q that must fail: error %v, want %w in its chain", op, key, err, cause))
		}
		if text := strings.ToLower(err.Error()); !strings.Contains(text, op) || !strings.Contains(text, key) {
			must(fmt.Errorf("the error of %s of %q does not name both: %q", op, key, err))
		}
		if strings.ContainsAny(err.Error(), "\r\n") {
			must(fmt.Errorf("the error of %s has more than one line: %q", op, err))
		}
	}
	const key, bad = "in/a/box", "in//box"
	_, _, err := s.Open(ctx, key)
	says("open", key, err, fs.ErrNotExist)
	_, err = s.Stat(ctx, key)
	says("stat", key, err, fs.ErrNotExist)
	_, err = s.Put(ctx, key, "", iotest.ErrReader(errTorn))
	says("put", key, err, errTorn)
	over, cancel := context.WithCancel(ctx)
	cancel()
	for op, err := range calls(over, s, key) {
		if op != "presign" { // it may send no request
			says(op, key, err, context.Canceled)
		}
	}
	for op, err := range calls(ctx, s, bad) {
		says(op, bad, err, fs.ErrInvalid)
	}
	return nil
}
