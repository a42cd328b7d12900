package uploadtest

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// The properties of sources: a client sends the source's bytes, or nothing.

var errSource = errors.New("uploadtest: the source failed on purpose")

// readOnce checks that upload.Reader makes one attempt. A failure in it is an
// error, unless the client holds the bytes.
func readOnce(t *trial) {
	if t.readsTwice() {
		return
	}
	t.about("a stream that can be read once").arrives(file(200 << 10).once())
	t.each(t.carriers(), "a stream that can be read once, cut off in %s", func(t *trial, op string) {
		src := file(200 << 10).once()
		t.Server.Inject(op, 1, ResetMiddle)
		res, err := t.send(t.Context(), src)
		if err == nil {
			t.holds(res.ID, src)
			return
		}
		if _, ok := t.fails(err, upload.ErrUnavailable); ok && !errors.Is(err, upload.ErrNotReplayable) &&
			!slices.Contains(t.Once, op) && !t.plain() {
			t.broke("error: the source can be read only once, and the error is not upload.ErrNotReplayable: %v",
				err)
		}
	})
}

// readsTwice reports whether the client opens a source more than once, because
// it states the checksum ahead or reads each part of its own.
func (t *trial) readsTwice() bool {
	t.Helper()
	it, src := t.about("an upload without a fault"), file(200<<10)
	it.seen = &tally.Seen{} // this is no stream
	it.arrives(src)
	sums := func(r Request) bool { // it has the digest of the file
		said := slices.Concat(slices.Collect(maps.Values(r.Header))...)
		for _, m := range contract.Members(r.Body) {
			said = append(said, m.Value)
		}
		return slices.ContainsFunc(said, func(text string) bool { return payload.DigestOf(text, src.content) })
	}
	return src.opened > 1 && (src.inParts(accepted(t.requests())) || slices.ContainsFunc(t.requests(), sums))
}

func sizeIsPinned(t *trial) {
	for _, c := range []struct{ size, holds int }{
		{64 << 10, 64<<10 - 1}, {64 << 10, 64<<10 + 1}, {64 << 10, 0}, {1, 0}, {0, 1}, {1 << 20, 2 << 20},
	} {
		if t.plain() && c.holds > c.size && c.size > 0 {
			continue // the answer may come before its transport asks for more
		}
		src := file(c.holds)
		src.Size = int64(c.size)
		t := t.about("a source of %d bytes with the size %d", c.holds, c.size)
		t.storesNothing(t.Context(), src, upload.ErrInvalid)
	}
}

func sourceFails(t *trial) {
	const size = 256 << 10
	breaking := func(at int) *source {
		return newSource("broken.bin", upload.OctetStream, payload.Noise(size), func(<-chan struct{}) io.Reader {
			return io.MultiReader(bytes.NewReader(payload.Noise(at)), iotest.ErrReader(errSource))
		})
	}
	closed := file(10)
	closed.Open = func() (io.ReadCloser, error) { return nil, errSource }
	for _, c := range []struct {
		what string
		src  *source
	}{
		{"a source that fails in the middle", breaking(size / 2)},
		{"a source that fails at its end", breaking(size)},
		{"a source that cannot be opened", closed},
	} {
		if t.plain() && strings.HasSuffix(c.what, "at its end") {
			continue // the answer may come before its transport asks for more
		}
		t := t.about("%s", c.what)
		failure, ok := t.storesNothing(t.Context(), c.src, upload.ErrInvalid)
		if ok && !errors.Is(failure, errSource) {
			t.broke("error: the source's own error is not in its chain: %v", failure)
		}
	}
}
