package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/putpost/putpost/wrappers/store"
)

func nestedKeys(ctx context.Context, s store.Store) error {
	long := strings.Repeat(strings.Repeat("n", 127)+"/", 3) + strings.Repeat("n", 128)
	keys := []string{"a", "b/c", "b/d", "b/e/f/g/h", "b.d", "b_d", "b-d", "A-Z_a.z-0.9/x..y", "-dash/_under", long}
	for i, key := range keys {
		must(put(ctx, s, key, fmt.Sprintf("text/x-%d", i), content(uint64(i), 100+i)))
	}
	for i, key := range keys {
		must(holds(ctx, s, key, fmt.Sprintf("text/x-%d", i), content(uint64(i), 100+i)))
	}
	return nil
}

func badKeys(ctx context.Context, s store.Store) error {
	for _, key := range []string{
		"", ".", "..", "/", "/a", "a/", "a//b", "a/../b", "../a", "./a", "a/.", ".hidden", "a/.hidden", "a./b", "a.",
		"a b", "a\\b", "a\x00b", "a\nb", "a:b", "a?b", "a%2Fb", "a*b", "é", "\xff", "파일",
		strings.Repeat("a", 129), strings.Repeat("a/", 256) + "a",
	} {
		for op, err := range calls(ctx, s, key) {
			failIf(!errors.Is(err, fs.ErrInvalid), "%s of %.60q: error %v, want fs.ErrInvalid", op, key, err)
		}
	}
	return nil
}

// letterCase puts under two keys that a store may take for one, if it does so
// throughout; see [store.CheckKey].
func letterCase(ctx context.Context, s store.Store) error {
	lower, upper := []byte("lower"), []byte("upper case")
	must(put(ctx, s, "case/key", textPlain, lower))
	must(put(ctx, s, "case/KEY", textPlain, upper))
	must(holds(ctx, s, "case/KEY", textPlain, upper))
	two := holds(ctx, s, "case/key", textPlain, lower)
	if two != nil && holds(ctx, s, "case/key", textPlain, upper) != nil {
		return two
	}
	must(s.Delete(ctx, "case/KEY"), "Delete")
	must(absent(ctx, s, "case/KEY"), "after Delete")
	if two == nil {
		return holds(ctx, s, "case/key", textPlain, lower)
	}
	must(absent(ctx, s, "case/key"), "after Delete of %q, which was the same object", "case/KEY")
	return skipReason("keys that differ only in letter case are one object in this store: use no two such keys")
}

func missingKey(ctx context.Context, s store.Store) error {
	must(absent(ctx, s, "a/b"))
	must(put(ctx, s, "a/b/c", textPlain, []byte("x")))
	// Neither the folder of a key nor a path below a key is a key.
	for _, key := range []string{"a", "a/b", "a/b/c/d", "a/b/cc", "b"} {
		must(absent(ctx, s, key))
	}
	return nil
}

func deletedKey(ctx context.Context, s store.Store) error {
	for _, key := range []string{"a/b", "a/c"} {
		must(put(ctx, s, key, textPlain, []byte(key)))
	}
	// A delete may be repeated, and the folder of a key is no object.
	for _, key := range []string{"a/b", "a/b", "a", "never/was"} {
		must(s.Delete(ctx, key), "Delete(%q), which may be repeated", key)
		must(absent(ctx, s, key), "after Delete")
		must(holds(ctx, s, "a/c", textPlain, []byte("a/c")), "after Delete of another key, %q", key)
	}
	// A later object under the key must not get the deleted object's type.
	must(put(ctx, s, "a/b", "", []byte("again")))
	return holds(ctx, s, "a/b", store.DefaultContentType, []byte("again"))
}

// deleteAlone deletes a key among others that look like it.
func deleteAlone(ctx context.Context, s store.Store) error {
	others := []string{"a/bb", "a/b.c", "a/b_", "a/b-1", "a/c/b", "b", "c/a/b", "aa/b", "a-b"}
	for _, key := range append(others, "a/b") {
		must(put(ctx, s, key, textPlain, []byte(key)))
	}
	// The same bytes under another key are another object.
	must(put(ctx, s, "copy", textPlain, []byte("a/b")))
	over, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Delete(over, "a/b"); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("Delete with a cancelled context: error %v, want context.Canceled", err)
	}
	must(holds(ctx, s, "a/b", textPlain, []byte("a/b")), "after Delete with a cancelled context")
	must(s.Delete(ctx, "a/b"), "Delete")
	must(absent(ctx, s, "a/b"), "after Delete")
	for _, key := range others {
		must(holds(ctx, s, key, textPlain, []byte(key)), "after Delete of another key, %q", "a/b")
	}
	must(holds(ctx, s, "copy", textPlain, []byte("a/b")), "after Delete of %q, which had the same bytes", "a/b")
	return nil
}
