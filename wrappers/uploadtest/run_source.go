package uploadtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of sources: what is sent is what the source holds, or nothing.

var errSource = errors.New("uploadtest: the source failed on purpose")

// readOnce: upload.Reader makes one attempt. A failure in it is an error,
// unless the client holds the bytes.
func readOnce(t *trial) {
	once := func() *source {
		src := newSource("once.bin", upload.OctetStream, noise(200<<10, 2), nil)
		reader, _ := src.Open()
		src.Source = upload.Reader(src.Name, reader, src.Size)
		return src
	}
	t.arrives("a stream that can be read once", once())
	for _, op := range t.carriers() {
		t.fresh(op, func(t *trial) {
			what := "a stream that can be read once, cut off in " + op
			src := once()
			t.Server.Inject(op, 1, ResetMiddle)
			res, err := t.send(t.Context(), what, src)
			if err == nil {
				t.holds(what, res.ID, src)
				return
			}
			if _, ok := t.fails(what, err, upload.ErrUnavailable); ok && !errors.Is(err, upload.ErrNotReplayable) &&
				!slices.Contains(t.Once, op) {
				t.Errorf("%s: error: it does not say that the source can be read only once: %v", what, t.masked(err))
			}
		})
	}
}

func sizeIsPinned(t *trial) {
	for _, c := range []struct{ size, holds int }{{64 << 10, 64<<10 - 1}, {64 << 10, 64<<10 + 1}, {64 << 10, 0}, {1, 0},
		{0, 1}, {1 << 20, 2 << 20}} {
		if plain(t.Uploader) && c.holds > c.size && c.size > 0 {
			continue // the answer may come before its transport asks for more
		}
		what := fmt.Sprintf("a source of %d bytes with the size %d", c.holds, c.size)
		t.storesNothing(what, func() {
			src := newSource("changed.bin", upload.OctetStream, noise(c.holds, 3), nil)
			src.Size = int64(c.size)
			_, err := t.send(t.Context(), what, src)
			t.fails(what, err, upload.ErrInvalid)
		})
	}
}

func sourceFails(t *trial) {
	for _, c := range []struct {
		what string
		src  *source
	}{
		{"a source that fails in the middle", newSource("broken.bin", upload.OctetStream, noise(256<<10, 4),
			func(<-chan struct{}) io.Reader {
				return io.MultiReader(bytes.NewReader(noise(128<<10, 4)), iotest.ErrReader(errSource))
			})},
		{"a source that fails at its end", newSource("broken.bin", upload.OctetStream, noise(64<<10, 4),
			func(<-chan struct{}) io.Reader {
				return io.MultiReader(bytes.NewReader(noise(64<<10, 4)), iotest.ErrReader(errSource))
			})},
		{"a source that cannot be opened", &source{Source: upload.Source{
			Name: "gone.bin", ContentType: upload.OctetStream, Size: 10,
			Open: func() (io.ReadCloser, error) { return nil, errSource },
		}}},
	} {
		if plain(t.Uploader) && strings.HasSuffix(c.what, "at its end") {
			continue // the answer may come before its transport asks for more
		}
		t.storesNothing(c.what, func() {
			_, err := t.send(t.Context(), c.what, c.src)
			if _, ok := t.fails(c.what, err, upload.ErrInvalid); ok && !errors.Is(err, errSource) {
				t.Errorf("%s: error: the source's own error is not in its chain: %v", c.what, t.masked(err))
			}
		})
	}
}
