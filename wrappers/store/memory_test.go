package store_test

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/store"
)

// fill puts n bytes under key.
func fill(t *testing.T, st store.Store, key string, n int) error {
	t.Helper()
	_, err := st.Put(t.Context(), key, "", strings.NewReader(strings.Repeat("x", n)))
	return err
}

func TestMemoryHoldsItsLimitAndNoByteMore(t *testing.T) {
	st := store.Memory(2000)
	steps := []struct {
		what string
		do   func() error
		want error
	}{
		{"one too many", func() error { return fill(t, st, "a", 2001) }, store.ErrFull},
		{"all of it", func() error { return fill(t, st, "a", 2000) }, nil},
		{"not even an empty one more", func() error { return fill(t, st, "empty", 0) }, store.ErrFull},
		{"one more", func() error { return fill(t, st, "b", 1) }, store.ErrFull},
		{"the old one counts until it is replaced", func() error { return fill(t, st, "a", 1) }, store.ErrFull},
		{"a delete makes room", func() error { return st.Delete(t.Context(), "a") }, nil},
		{"a second delete makes no more", func() error { return st.Delete(t.Context(), "a") }, nil},
		{"half", func() error { return fill(t, st, "a", 1000) }, nil},
		{"half is replaced", func() error { return fill(t, st, "a", 1000) }, nil},
		{"half is replaced again", func() error { return fill(t, st, "a", 1000) }, nil},
		{"too large for the rest", func() error { return fill(t, st, "b", 1001) }, store.ErrFull},
		{"the rest, after failures", func() error { return fill(t, st, "b", 1000) }, nil},
		{"a second delete", func() error { return st.Delete(t.Context(), "b") }, nil},
		{"all but 1024 bytes", func() error { return fill(t, st, "a", 976) }, nil},
		{"an empty one counts for 512", func() error { return fill(t, st, "c", 0) }, nil},
		{"as one of 512 does", func() error { return fill(t, st, "d", 512) }, nil},
		{"a third", func() error { return fill(t, st, "e", 0) }, store.ErrFull},
		{"a delete of an empty one", func() error { return st.Delete(t.Context(), "c") }, nil},
		{"makes room for another", func() error { return fill(t, st, "e", 0) }, nil},
	}
	for _, step := range steps {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Fatalf("%s: error %v, want %v", step.what, err, step.want)
		}
	}
}

func TestMemoryOfATornPutIsFree(t *testing.T) {
	st := store.Memory(1 << 20)
	for range 10 {
		r := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<19)), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := st.Put(t.Context(), "a", "", r); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("error %v, want io.ErrUnexpectedEOF", err)
		}
	}
	if err := fill(t, st, "a", 1<<20); err != nil {
		t.Error(err)
	}
}

func TestMemoryCountsWhatIsUnderWay(t *testing.T) {
	st := store.Memory(1 << 20)
	inside := make(chan struct{})
	release := make(chan struct{})
	half := strings.Repeat("x", 1<<19)
	var wg sync.WaitGroup
	wg.Go(func() {
		// Put has read the first block when it calls this reader.
		gate := readerFunc(func([]byte) (int, error) {
			close(inside)
			<-release
			return 0, io.EOF
		})
		if _, err := st.Put(t.Context(), "slow", "", io.MultiReader(strings.NewReader(half), gate)); err != nil {
			t.Error(err)
		}
	})
	<-inside
	if err := fill(t, st, "other", 1<<20); !errors.Is(err, store.ErrFull) {
		t.Errorf("with a put under way: error %v, want ErrFull", err)
	}
	close(release)
	wg.Wait()
}

func TestAnEndlessPutIntoMemoryIsFull(t *testing.T) {
	st := store.Memory(1 << 20)
	endless := readerFunc(func(p []byte) (int, error) { return len(p), nil })
	if _, err := st.Put(t.Context(), "a", "", endless); !errors.Is(err, store.ErrFull) {
		t.Errorf("error %v, want ErrFull", err)
	}
}

func TestAMemoryReaderIsAnIoReader(t *testing.T) {
	st := store.Memory(0)
	want := strings.Repeat("0123456789abcdef", 20_000) // several chunks
	put(t, st, "a", "", want)
	r, _, err := st.Open(t.Context(), "a")
	must(t, err)
	if err := iotest.TestReader(r, []byte(want)); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: error %v, want fs.ErrClosed", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
