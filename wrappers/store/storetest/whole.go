package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing/iotest"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// The rules of this file: an object is visible whole or not at all.

var errTorn = errors.New("torn on purpose")

// tears are the numbers of bytes after which a reader fails: none, few, and
// about the sizes at which a store may switch to another way of sending.
var tears = []int64{
	0, 1, 1000, 4 << 10, 32 << 10, 64 << 10, 128 << 10, 128<<10 + 1, 256 << 10, 1 << 20,
	part - 1, part, part + 1, part + 1000, 8 << 20, 10 << 20, 16 << 20, 16<<20 + 1, 64<<20 + 1,
}

// eachTear calls f with makers of readers that fail. They fail with the error that
// net/http returns for a cut connection, and with others, alone or together
// with bytes.
func eachTear(f func(r func() io.Reader, cause error) error) error {
	for _, size := range tears {
		causes := []error{io.ErrUnexpectedEOF, errTorn, fmt.Errorf("wrapped: %w", io.EOF)}
		if size > part+1000 {
			causes = causes[:1]
		}
		for _, cause := range causes {
			r := func() io.Reader { return io.MultiReader(pattern(size), iotest.ErrReader(cause)) }
			must(f(r, cause), "a reader of %d bytes, then %q", size, cause)
		}
	}
	r := func() io.Reader {
		return iotest.DataErrReader(io.MultiReader(pattern(1000), iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	must(f(r, io.ErrUnexpectedEOF), "a reader of 1000 bytes whose last come with %q", io.ErrUnexpectedEOF)
	return nil
}

func torn(ctx context.Context, s store.Store) error {
	old := content(1, 100)
	must(put(ctx, s, "torn/old", "application/pdf", old))
	return eachTear(func(r func() io.Reader, cause error) error {
		for _, key := range []string{"torn/new", "torn/old"} {
			switch n, err := s.Put(ctx, key, textPlain, r()); {
			case err == nil:
				return fmt.Errorf("Put stored %d bytes as if they were all: error <nil>, want the reader's", n)
			case !errors.Is(err, cause):
				return fmt.Errorf("Put: error %v, want the reader's in its chain", err)
			}
		}
		must(absent(ctx, s, "torn/new"))
		for _, key := range []string{"torn/new", "torn/next"} { // a caller puts again, or goes on
			must(put(ctx, s, key, textPlain, []byte("next")), "the next Put")
			must(holds(ctx, s, key, textPlain, []byte("next")), "after the next Put")
			must(s.Delete(ctx, key), "Delete")
		}
		return holds(ctx, s, "torn/old", "application/pdf", old)
	})
}

// unseen looks at a key during its put, when all bytes were read but not yet
// the end. It tries the sizes at which a store may switch to another way of
// sending.
func unseen(ctx context.Context, s store.Store) error {
	old := []byte("old")
	must(put(ctx, s, "unseen/old", "application/pdf", old))
	for _, size := range []int64{0, 1000, 1 << 20, part, 2*part + 1, 16<<20 + 1} {
		for key, look := range map[string]func() error{
			"unseen/new": func() error { return absent(ctx, s, "unseen/new") },
			"unseen/old": func() error { return holds(ctx, s, "unseen/old", "application/pdf", old) },
		} {
			looked, seen := false, error(nil)
			_, err := s.Put(ctx, key, textPlain, then(pattern(size), func() error {
				looked = true
				seen = within(look, "Open or Stat", "it waits for the put")
				return errTorn
			}))
			failIf(seen != nil, "in the middle of Put(%q), after %d bytes: %w", key, size, seen)
			failIf(!looked || !errors.Is(err, errTorn), "Put(%q): error %v, want the reader's in its chain", key, err)
		}
	}
	return nil
}

func cancelled(ctx context.Context, s store.Store) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	for op, err := range calls(over, s, "a") {
		failIf(!errors.Is(err, context.Canceled) && op != "presign",
			"%s with a cancelled context: error %v, want context.Canceled", op, err)
	}
	must(absent(ctx, s, "a"), "after Put with a cancelled context")
	old := content(2, 10)
	must(put(ctx, s, "old", "application/pdf", old))
	// The put is cancelled at once, in the middle, and after a part was sent.
	for _, size := range []int64{0, 1000, part + 1000} {
		for _, key := range []string{"a", "old"} {
			over, cancel := context.WithCancel(ctx)
			_, err := s.Put(over, key, textPlain, then(pattern(size), func() error { cancel(); return io.EOF }))
			cancel()
			failIf(!errors.Is(err, context.Canceled),
				"Put whose context ended in its last read, after %d bytes: error %v, "+
					"want context.Canceled", size, err)
		}
		must(absent(ctx, s, "a"), "after Put cancelled after %d bytes", size)
		must(holds(ctx, s, "old", "application/pdf", old), "after Put over an object cancelled after %d bytes", size)
	}
	must(deadline(ctx, s))
	// An endless reader ends as soon as it is between two reads.
	over, cancel = context.WithCancel(ctx)
	defer cancel()
	reads := 0
	_, err := s.Put(over, "a", textPlain, readerFunc(func(p []byte) (int, error) {
		if reads++; reads == 3 {
			cancel()
		}
		if reads > 1000 { // it would go on until the memory is full
			return 0, io.ErrClosedPipe
		}
		return min(len(p), 100), nil
	}))
	failIf(!errors.Is(err, context.Canceled) || reads != 3,
		"Put cancelled at read 3: error %v after %d reads, want context.Canceled after 3", err, reads)
	return absent(ctx, s, "a")
}

// deadline checks that a deadline ends a call with context.DeadlineExceeded.
func deadline(ctx context.Context, s store.Store) error {
	late, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Second))
	defer cancel()
	if _, err := s.Put(late, "late", textPlain, strings.NewReader("x")); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("Put past its deadline: error %v, want context.DeadlineExceeded", err)
	}
	if _, err := s.Stat(late, "late"); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("Stat past its deadline: error %v, want context.DeadlineExceeded", err)
	}
	return absent(ctx, s, "late")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// then reads r, calls f at its end, and returns f's error.
func then(r io.Reader, f func() error) io.Reader {
	return io.MultiReader(r, readerFunc(func([]byte) (int, error) { return 0, f() }))
}

// pattern returns a reader of size bytes that does not hold them in memory.
func pattern(size int64) io.Reader {
	block := content(9, 1<<10)
	return io.LimitReader(readerFunc(func(p []byte) (int, error) { return copy(p, block), nil }), size)
}
