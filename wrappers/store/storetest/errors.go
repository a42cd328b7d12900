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

// errorTexts looks at every error that any store can be brought to.
func errorTexts(ctx context.Context, s store.Store) error {
	const key = "in/a/box"
	over, cancel := context.WithCancel(ctx)
	cancel()
	failures := []struct {
		op, key string
		cause   error
		do      func(key string) error
	}{
		{"open", key, fs.ErrNotExist, func(key string) error { return errorOfOpen(s.Open(ctx, key)) }},
		{"stat", key, fs.ErrNotExist, func(key string) error { _, err := s.Stat(ctx, key); return err }},
		{"put", key, errTorn, func(key string) error { _, err := s.Put(ctx, key, "", iotest.ErrReader(errTorn)); return err }},
		{"put", key, context.Canceled, func(key string) error { _, err := s.Put(over, key, "", strings.NewReader("")); return err }},
		{"open", key, context.Canceled, func(key string) error { return errorOfOpen(s.Open(over, key)) }},
		{"stat", key, context.Canceled, func(key string) error { _, err := s.Stat(over, key); return err }},
		{"delete", key, context.Canceled, func(key string) error { return s.Delete(over, key) }},
		{"put", "in//box", fs.ErrInvalid, func(key string) error { _, err := s.Put(ctx, key, "", strings.NewReader("")); return err }},
		{"delete", "in//box", fs.ErrInvalid, func(key string) error { return s.Delete(ctx, key) }},
		{"presign", "in//box", fs.ErrInvalid, func(key string) error { _, err := s.PresignPut(ctx, key, "", time.Minute); return err }},
	}
	for _, f := range failures {
		err := f.do(f.key)
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

func errorOfOpen(r interface{ Close() error }, _ store.Info, err error) error {
	if err == nil {
		r.Close()
	}
	return err
}
