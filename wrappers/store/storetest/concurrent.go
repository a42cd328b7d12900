package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

// together calls f n times at once, and fails with one of the errors.
func together(n int, f func(i int) error) {
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() { errs <- caught(func() error { return f(i) }) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		must(err)
	}
}

func concurrent(ctx context.Context, s store.Store) error {
	const puts = 8
	typeOf := func(i int) string { return "text/x-" + strconv.Itoa(i) }
	bytesOf := func(i int) []byte { return content(uint64(i), 50<<10+i) }
	// The size, the bytes and the type must be of the same put.
	whole := func() {
		b, info, err := get(ctx, s, "contended")
		must(err)
		i := len(b) - 50<<10
		failIf(!bytes.Equal(b, bytesOf(i)), "Open gave %d bytes that nobody put", len(b))
		failIf(info.Size != int64(len(b)) || info.ContentType != typeOf(i),
			"Open gave the bytes of put %d with the Info of another: %+v", i, info)
	}
	// In the middle of its put each waits for the others, but not long: a store
	// may take one after another.
	var begun atomic.Int32
	met := make(chan struct{})
	meet := func() error {
		if begun.Add(1) == puts {
			close(met)
		}
		select {
		case <-met:
		case <-time.After(50 * time.Millisecond):
		}
		return io.EOF
	}
	must(put(ctx, s, "contended", typeOf(0), bytesOf(0)))
	together(puts, func(i int) error {
		for range 3 {
			b := bytesOf(i)
			r := io.MultiReader(then(bytes.NewReader(b[:20<<10]), meet), bytes.NewReader(b[20<<10:]))
			if n, err := s.Put(ctx, "contended", typeOf(i), r); err != nil || n != int64(len(b)) {
				return fmt.Errorf("Put of %d bytes while others put the same key = %d, %v", len(b), n, err)
			}
			for range 5 {
				whole()
			}
		}
		return nil
	})
	whole()
	return nil
}

func neighbours(ctx context.Context, s store.Store) error {
	const stays = "shared/stays"
	must(put(ctx, s, stays, textPlain, []byte(stays)))
	together(8, func(i int) error {
		key := fmt.Sprintf("shared/folder/%d", i)
		for round := range 10 {
			b := content(uint64(100*i+round), 100+i*20_000)
			must(put(ctx, s, key, textPlain, b))
			must(holds(ctx, s, key, textPlain, b))
			must(s.Delete(ctx, key), "Delete(%q)", key)
		}
		return absent(ctx, s, key)
	})
	return holds(ctx, s, stays, textPlain, []byte(stays))
}
