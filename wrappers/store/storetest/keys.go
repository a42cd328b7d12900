package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

func nestedKeys(ctx context.Context, s store.Store) error {
	long := strings.Repeat(strings.Repeat("n", 127)+"/", 3) + strings.Repeat("n", 128)
	keys := []string{"a", "b/c", "b/d", "b/e/f/g/h", "A-Z_a.z-0.9/x..y", "-dash/_under", long}
	for i, key := range keys {
		if err := put(ctx, s, key, fmt.Sprintf("text/x-%d", i), content(uint64(i), 100+i)); err != nil {
			return err
		}
	}
	for i, key := range keys {
		if err := holds(ctx, s, key, fmt.Sprintf("text/x-%d", i), content(uint64(i), 100+i)); err != nil {
			return err
		}
	}
	return nil
}

func badKeys(ctx context.Context, s store.Store) error {
	for _, key := range []string{
		"", ".", "..", "/", "/a", "a/", "a//b", "a/../b", "../a", "./a", "a/.", ".hidden", "a/.hidden", "a./b", "a.",
		"a b", "a\\b", "a\x00b", "a\nb", "a:b", "a?b", "a%2Fb", "a*b", "é", "\xff", "파일",
		strings.Repeat("a", 129), strings.Repeat("a/", 256) + "a",
	} {
		_, err := s.Put(ctx, key, textPlain, strings.NewReader("x"))
		if !errors.Is(err, fs.ErrInvalid) {
			return fmt.Errorf("Put(%q): error %v, want fs.ErrInvalid", key, err)
		}
		r, _, err := s.Open(ctx, key)
		if err == nil {
			r.Close()
		}
		if !errors.Is(err, fs.ErrInvalid) {
			return fmt.Errorf("Open(%q): error %v, want fs.ErrInvalid", key, err)
		}
		if _, err := s.Stat(ctx, key); !errors.Is(err, fs.ErrInvalid) {
			return fmt.Errorf("Stat(%q): error %v, want fs.ErrInvalid", key, err)
		}
		if err := s.Delete(ctx, key); !errors.Is(err, fs.ErrInvalid) {
			return fmt.Errorf("Delete(%q): error %v, want fs.ErrInvalid", key, err)
		}
		if _, err := s.PresignPut(ctx, key, textPlain, time.Minute); !errors.Is(err, fs.ErrInvalid) {
			return fmt.Errorf("PresignPut(%q): error %v, want fs.ErrInvalid", key, err)
		}
	}
	return nil
}

func missingKey(ctx context.Context, s store.Store) error {
	if err := absent(ctx, s, "a/b"); err != nil {
		return err
	}
	if err := put(ctx, s, "a/b/c", textPlain, []byte("x")); err != nil {
		return err
	}
	// Neither a folder of a key is one, nor what would lie below a key.
	for _, key := range []string{"a", "a/b", "a/b/c/d", "a/b/cc", "b"} {
		if err := absent(ctx, s, key); err != nil {
			return err
		}
	}
	return nil
}

func deletedKey(ctx context.Context, s store.Store) error {
	for _, key := range []string{"a/b", "a/c"} {
		if err := put(ctx, s, key, textPlain, []byte(key)); err != nil {
			return err
		}
	}
	// Twice, since a delete may be repeated; and a folder of keys is none.
	for _, key := range []string{"a/b", "a/b", "a", "never/was"} {
		if err := s.Delete(ctx, key); err != nil {
			return fmt.Errorf("Delete(%q): %w", key, err)
		}
		if err := absent(ctx, s, key); err != nil {
			return fmt.Errorf("after Delete: %w", err)
		}
	}
	if err := holds(ctx, s, "a/c", textPlain, []byte("a/c")); err != nil {
		return fmt.Errorf("after Delete of its neighbour: %w", err)
	}
	// Nothing of the deleted object comes back with a later one, its type least
	// of all.
	if err := put(ctx, s, "a/b", "", []byte("again")); err != nil {
		return err
	}
	return holds(ctx, s, "a/b", store.DefaultContentType, []byte("again"))
}

// deleteAlone deletes a key among others that look like it.
func deleteAlone(ctx context.Context, s store.Store) error {
	others := []string{"a/bb", "a/b.c", "a/b_", "a/b-1", "a/c/b", "b", "c/a/b", "aa/b", "a-b"}
	for _, key := range append(others, "a/b") {
		if err := put(ctx, s, key, textPlain, []byte(key)); err != nil {
			return err
		}
	}
	// The same bytes under another key are another object.
	if err := put(ctx, s, "copy", textPlain, []byte("a/b")); err != nil {
		return err
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Delete(over, "a/b"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Delete with a cancelled context: error %v, want context.Canceled", err)
	}
	if err := holds(ctx, s, "a/b", textPlain, []byte("a/b")); err != nil {
		return fmt.Errorf("after Delete with a cancelled context: %w", err)
	}
	if err := s.Delete(ctx, "a/b"); err != nil {
		return fmt.Errorf("Delete: %w", err)
	}
	if err := absent(ctx, s, "a/b"); err != nil {
		return fmt.Errorf("after Delete: %w", err)
	}
	for _, key := range others {
		if err := holds(ctx, s, key, textPlain, []byte(key)); err != nil {
			return fmt.Errorf("after Delete of another key, %q: %w", "a/b", err)
		}
	}
	if err := holds(ctx, s, "copy", textPlain, []byte("a/b")); err != nil {
		return fmt.Errorf("after Delete of %q, which had the same bytes: %w", "a/b", err)
	}
	return nil
}
