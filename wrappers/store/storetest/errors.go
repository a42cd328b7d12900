package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing/iotest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// errorTexts looks at every error that any store can be brought to.
func errorTexts(ctx context.Context, s store.Store) error {
	const key = "in/a/box"
	over, cancel := context.WithCancel(ctx)
	cancel()
	put := func(ctx context.Context, key string, r io.Reader) error {
		_, err := s.Put(ctx, key, "", r)
		return err
	}
	open := func(ctx context.Context, key string) error {
		r, _, err := s.Open(ctx, key)
		if err == nil {
			r.Close()
		}
		return err
	}
	stat := func(ctx context.Context, key string) error {
		_, err := s.Stat(ctx, key)
		return err
	}
	presign := func(key string) error {
		_, err := s.PresignPut(ctx, key, "", time.Minute)
		return err
	}
	const bad = "in//box"
	empty := strings.NewReader("")
	failures := []struct {
		op, key string
		cause   error
		err     error
	}{
		{"open", key, fs.ErrNotExist, open(ctx, key)},
		{"stat", key, fs.ErrNotExist, stat(ctx, key)},
		{"put", key, errTorn, put(ctx, key, iotest.ErrReader(errTorn))},
		{"put", key, context.Canceled, put(over, key, empty)},
		{"open", key, context.Canceled, open(over, key)},
		{"stat", key, context.Canceled, stat(over, key)},
		{"delete", key, context.Canceled, s.Delete(over, key)},
		{"put", bad, fs.ErrInvalid, put(ctx, bad, empty)},
		{"open", bad, fs.ErrInvalid, open(ctx, bad)},
		{"stat", bad, fs.ErrInvalid, stat(ctx, bad)},
		{"delete", bad, fs.ErrInvalid, s.Delete(ctx, bad)},
		{"presign", bad, fs.ErrInvalid, presign(bad)},
	}
	for _, f := range failures {
		err := f.err
		if !errors.Is(err, f.cause) {
			return fmt.Errorf("a %s of %q that must fail: error %v, want %w in its chain", f.op, f.key, err, f.cause)
		}
		if text := strings.ToLower(err.Error()); !strings.Contains(text, f.op) || !strings.Contains(text, f.key) {
			return fmt.Errorf("the error of a %s of %q does not name both: %q", f.op, f.key, err)
		}
		if strings.ContainsAny(err.Error(), "\r\n") {
			return fmt.Errorf("the error of a %s has more than one line: %q", f.op, err)
		}
	}
	return nil
}
