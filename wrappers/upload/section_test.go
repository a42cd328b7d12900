package upload_test

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

const digits = "0123456789"

func TestSectionIsThatPartOfTheSource(t *testing.T) {
	for name, source := range constructors(t, "a.txt", digits) {
		for off := range int64(11) {
			for n := range 11 - off {
				src := upload.Section(source(), off, n)
				if src.Size != n || src.Name != "a.txt" || !strings.HasPrefix(src.ContentType, "text/plain") {
					t.Errorf("%s: %d bytes, %q, %q", name, src.Size, src.Name, src.ContentType)
				}
				if got := contentOf(t, src); got != digits[off:off+n] {
					t.Errorf("%s from %d, %d bytes: %q", name, off, n, got)
				}
			}
		}
	}
}

func TestSectionThatTheSourceDoesNotHoldIsRefused(t *testing.T) {
	for _, s := range [][2]int64{{-1, 1}, {0, -1}, {0, 11}, {10, 1}, {11, 0}, {1, math.MaxInt64},
		{math.MaxInt64, math.MaxInt64}, {math.MinInt64, 1}} {
		if _, err := upload.Section(upload.Bytes("a", []byte(digits)), s[0], s[1]).Open(); !errors.Is(err,
			upload.ErrInvalid) {
			t.Errorf("%d bytes from %d on: %v, want ErrInvalid", s[1], s[0], err)
		}
	}
}

func TestADecoratorPassesOnWhatIsWrongWithAnOpen(t *testing.T) {
	cut := errors.New("cut")
	for name, tc := range map[string]struct {
		rc  io.ReadCloser
		err error
	}{
		"nothing":             {},
		"an error":            {err: cut},
		"an error and a file": {rc: io.NopCloser(strings.NewReader(digits)), err: cut},
	} {
		src := upload.Source{Size: 10, Open: func() (io.ReadCloser, error) { return tc.rc, tc.err }}
		for decorator, src := range map[string]upload.Source{
			"Section": upload.Section(src, 0, 5), "Track": upload.Track(src, func(int64, int64) {}),
		} {
			if rc, err := src.Open(); rc != nil || err != tc.err {
				t.Errorf("%s of %s opens as %v with %v", decorator, name, rc, err)
			}
		}
	}
}

func TestLastSectionSeesThatTheSourceGoesOn(t *testing.T) {
	src := upload.Section(upload.Reader("a", strings.NewReader(digits+"more"), 10), 5, 5)
	if got := contentOf(t, src); len(got) <= 5 {
		t.Errorf("%q hides that there is more", got)
	}
	src = upload.Section(upload.Reader("a", strings.NewReader("01"), 10), 5, 3)
	rc := opened(t, src)
	if _, err := io.ReadAll(rc); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("of a source that ends before the section: %v", err)
	}
}

func TestSectionOfAFileThatChangesIsAnError(t *testing.T) {
	path, src := onDisk(t, "a.txt", strings.Repeat("x", 100))
	must(t, os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
	for _, s := range [][2]int64{{0, 10}, {50, 10}, {90, 10}, {0, 100}} {
		rc := opened(t, upload.Section(src, s[0], s[1]))
		if _, err := io.ReadAll(rc); err == nil {
			t.Errorf("%d bytes from %d on: nothing is said of the change", s[1], s[0])
		}
		rc.Close()
	}
}

func TestFilesNamesEachByItsPath(t *testing.T) {
	first, _ := onDisk(t, "a.txt", "a")
	last, _ := onDisk(t, "b.pdf", "b")
	paths := []string{first, filepath.Join(t.TempDir(), "missing"), last}
	i := 0
	for src, err := range upload.Files(paths...) {
		if src.Name != paths[i] || (err != nil) != (i == 1) {
			t.Errorf("%d: %q and %v, want %q", i, src.Name, err, paths[i])
		}
		i++
	}
	if i != 3 {
		t.Errorf("%d sources of 3 paths", i)
	}
	for range upload.Files(paths...) {
		break // and no panic
	}
}

// lying claims to have read more than it was asked for.
type lying struct{}

func (lying) Read(p []byte) (int, error)            { return len(p) + 1, nil }
func (lying) ReadAt(p []byte, _ int64) (int, error) { return len(p) + 1, nil }

func TestReaderThatClaimsAnImpossibleCountDoesNotPanic(t *testing.T) {
	upload.ReaderAt("unknown", lying{}, 100)
	src := upload.Section(upload.Reader("a", lying{}, 100), 10, 10)
	rc := opened(t, src)
	if _, err := rc.Read(make([]byte, 10)); !errors.Is(err, upload.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}
