package upload_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
)

// report is one call of a Track function.
type report struct{ sent, total int64 }

// tracked is a source of content whose reports are kept. ExampleTrack shows the
// reports of one that is read to its end.
func tracked(content string) (upload.Source, *[]report) {
	var got []report
	src := upload.Bytes("file", []byte(content))
	return upload.Track(src, func(sent, total int64) { got = append(got, report{sent, total}) }), &got
}

func TestTrackChangesNothingOfTheSource(t *testing.T) {
	plain := upload.Bytes("a.pdf", []byte("content"))
	src := upload.Track(plain, func(int64, int64) {})
	if src.Name != plain.Name || src.ContentType != plain.ContentType || src.Size != plain.Size {
		t.Errorf("%+v became %+v", plain, src)
	}
	if got := contentOf(t, src); got != "content" {
		t.Errorf("it holds %q", got)
	}
}

func TestTrackOfAnEmptySourceReportsItsBeginning(t *testing.T) {
	src, got := tracked("")
	contentOf(t, src)
	if want := []report{{0, 0}}; !slices.Equal(*got, want) {
		t.Errorf("reported %v, want %v", *got, want)
	}
}

func TestTrackStartsOverWithEachAttempt(t *testing.T) {
	src, got := tracked("0123456789")
	first := opened(t, src)
	io.CopyN(io.Discard, first, 6)
	second := opened(t, src)
	// The first attempt is over, but its transport still reads.
	io.Copy(io.Discard, first)
	io.CopyN(io.Discard, second, 3)
	io.Copy(io.Discard, first)
	first.Close()
	io.Copy(io.Discard, second)
	second.Close()
	if want := []report{{0, 10}, {6, 10}, {0, 10}, {3, 10}, {10, 10}}; !slices.Equal(*got, want) {
		t.Errorf("reported %v, want %v", *got, want)
	}
}

func TestTrackNeverReportsMoreThanTheTotal(t *testing.T) {
	var last int64
	src := upload.Reader("grown", strings.NewReader("more than was said"), 4)
	src = upload.Track(src, func(sent, total int64) { last = sent })
	contentOf(t, src)
	if last != 4 {
		t.Errorf("reported %d of 4 bytes", last)
	}
}

func TestTrackOfASourceThatDoesNotOpenReportsNothing(t *testing.T) {
	src := upload.Reader("once", strings.NewReader("once"), 4)
	var calls int
	src = upload.Track(src, func(int64, int64) { calls++ })
	contentOf(t, src)
	before := calls
	if _, err := src.Open(); !errors.Is(err, upload.ErrNotReplayable) {
		t.Errorf("the second Open: %v, want upload.ErrNotReplayable", err)
	}
	if calls != before {
		t.Error("an attempt that did not begin was reported")
	}
	if src := upload.Track(upload.Source{Name: "nothing"}, func(int64, int64) {}); src.Open != nil {
		t.Error("a source without Open got one")
	}
}

func TestTrackPassesReadErrorsAndCloseOn(t *testing.T) {
	cut := errors.New("cut")
	body := &closes{Reader: io.MultiReader(strings.NewReader("1234"), iotest.ErrReader(cut))}
	var last int64
	src := upload.Track(upload.Reader("torn", body, 10), func(sent, _ int64) { last = sent })
	rc := opened(t, src)
	if _, err := io.ReadAll(rc); err != cut {
		t.Errorf("reading gives %v, want %v", err, cut)
	}
	if rc.Close(); last != 4 || body.n != 1 {
		t.Errorf("reported %d bytes, want 4; closed %d times, want once", last, body.n)
	}
}

func TestTrackNeverRunsTwiceAtOnce(t *testing.T) {
	var inside, overlaps, reports atomic.Int64
	src := upload.ReaderAt("file", strings.NewReader(strings.Repeat("x", 4096)), 4096)
	src = upload.Track(src, func(sent, total int64) {
		if inside.Add(1) != 1 {
			overlaps.Add(1)
		}
		reports.Add(1)
		inside.Add(-1)
	})
	var attempts sync.WaitGroup
	for range 8 {
		attempts.Go(func() {
			rc, err := src.Open()
			if err != nil {
				t.Error(err)
				return
			}
			defer rc.Close()
			io.Copy(io.Discard, iotest.OneByteReader(rc))
		})
	}
	attempts.Wait()
	if overlaps.Load() != 0 || reports.Load() < 8 {
		t.Errorf("of %d reports %d ran beside another", reports.Load(), overlaps.Load())
	}
}

func TestTrackClosesWhatItsPanicLeavesOpen(t *testing.T) {
	r := &closes{Reader: strings.NewReader("")}
	src := upload.Track(upload.Reader("a", r, 0), func(int64, int64) { panic("progress") })
	func() {
		defer func() { recover() }()
		_, _ = src.Open()
	}()
	if r.n != 1 {
		t.Errorf("closed %d times, want once", r.n)
	}
}
