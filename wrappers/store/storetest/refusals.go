package storetest

import (
	"bytes"
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
	// Nothing of the deleted object comes back with a later one, its type least of all.
	if err := put(ctx, s, "a/b", "", []byte("again")); err != nil {
		return err
	}
	return holds(ctx, s, "a/b", store.DefaultContentType, []byte("again"))
}

var errTorn = errors.New("torn on purpose")

// eachTear calls f with readers that end before their time: at once, early, at a part's boundary, and beyond it, with
// the error that net/http gives for a cut connection and with any other.
func eachTear(f func(name string, r io.Reader, cause error) error) error {
	for _, size := range []int{0, 1, 1000, part, part + 1000} {
		for _, cause := range []error{io.ErrUnexpectedEOF, errTorn, fmt.Errorf("wrapped: %w", io.EOF)} {
			head := bytes.NewReader(content(9, size))
			name := fmt.Sprintf("%d bytes, then %q", size, cause)
			if err := f(name, io.MultiReader(head, iotest.ErrReader(cause)), cause); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

func torn(ctx context.Context, s store.Store) error {
	return eachTear(func(name string, r io.Reader, cause error) error {
		if _, err := s.Put(ctx, "torn/new", textPlain, r); !errors.Is(err, cause) {
			return fmt.Errorf("Put: error %v, want the reader's in its chain", err)
		}
		return absent(ctx, s, "torn/new")
	})
}

func tornKeeps(ctx context.Context, s store.Store) error {
	old := content(1, 100)
	if err := put(ctx, s, "torn/old", "application/pdf", old); err != nil {
		return err
	}
	return eachTear(func(name string, r io.Reader, cause error) error {
		if _, err := s.Put(ctx, "torn/old", textPlain, r); !errors.Is(err, cause) {
			return fmt.Errorf("Put: error %v, want the reader's in its chain", err)
		}
		return holds(ctx, s, "torn/old", "application/pdf", old)
	})
}

func cancelled(ctx context.Context, s store.Store) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, err := s.Put(over, "a", textPlain, strings.NewReader("x"))
	if !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Put with a cancelled context: error %v, want context.Canceled", err)
	}
	if err := absent(ctx, s, "a"); err != nil {
		return fmt.Errorf("after Put with a cancelled context: %w", err)
	}
	if _, _, err := s.Open(over, "a"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Open with a cancelled context: error %v, want context.Canceled", err)
	}
	if _, err := s.Stat(over, "a"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Stat with a cancelled context: error %v, want context.Canceled", err)
	}
	if err := s.Delete(over, "a"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Delete with a cancelled context: error %v, want context.Canceled", err)
	}
	// In the middle, at the very end, and with a part gone already.
	for _, size := range []int{0, 1000, part + 1000} {
		over, cancel := context.WithCancel(ctx)
		r := io.MultiReader(bytes.NewReader(content(1, size)), readerFunc(func(p []byte) (int, error) {
			cancel()
			return 0, io.EOF
		}))
		_, err := s.Put(over, "a", textPlain, r)
		cancel()
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("Put cancelled after %d bytes: error %v, want context.Canceled", size, err)
		}
		if err := absent(ctx, s, "a"); err != nil {
			return fmt.Errorf("after Put cancelled after %d bytes: %w", size, err)
		}
	}
	// An endless reader ends as soon as it is between two reads.
	over, cancel = context.WithCancel(ctx)
	defer cancel()
	reads := 0
	_, err = s.Put(over, "a", textPlain, readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 3 {
			cancel()
		}
		return min(len(p), 100), nil
	}))
	if !errors.Is(err, context.Canceled) || reads != 3 {
		return fmt.Errorf("Put cancelled at read 3: error %v after %d reads, want context.Canceled after 3", err, reads)
	}
	return absent(ctx, s, "a")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
