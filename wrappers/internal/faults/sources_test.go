package faults

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
)

// These rows hold the errors of sources that fail. The tests of wire and the
// kit hold that a size is pinned, and that a source that fails ends the upload.
// The client reads a short file before it sends anything. When a long file
// fails, the client has already sent a part of it.
func TestSources(t *testing.T) {
	runAll(t, append(spoiltSources("a short file", small, none), spoiltSources("a long file", long, some)...))
}

func spoiltSources(what string, src upload.Source, reached int) []row {
	content := noise(int(src.Size))
	sends := func(open ...func() (io.ReadCloser, error)) func(*lab) {
		return func(l *lab) {
			spoilt := from(open...)
			spoilt.Size = src.Size
			l.sendAs(spoilt, string(content))
		}
	}
	atHalf := func(err error) func(*lab) {
		return sends(reading(func() io.Reader {
			return io.MultiReader(bytes.NewReader(content[:len(content)/2]), iotest.ErrReader(err))
		}))
	}
	bad := want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: reached,
		says: []string{"cannot be read", "report.pdf"}}
	rows := []row{
		{name: "is gone when it is to be sent again", check: isError(fs.ErrNotExist),
			set: func(l *lab) {
				path := l.onDisk(content)
				l.fault = func(h *hit) {
					_ = os.Remove(path)
					answer(503, "")(h)
				}
			},
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrInvalid), status: 503, tries: 1}},
		{name: "opens nothing and says no word", set: sends(func() (io.ReadCloser, error) { return nil, nil }),
			want: want{kinds: kinds(upload.ErrInvalid), reached: none, says: []string{"report.pdf"}}},
		{name: "is closed under our feet", set: atHalf(fs.ErrClosed), want: bad, check: isError(fs.ErrClosed)},
		{name: "fails with an address that has a query", want: bad,
			set: atHalf(&url.Error{Op: "Get", URL: "https://someone:" + planted +
				"@files.example/report.pdf?sig=" + planted, Err: io.ErrUnexpectedEOF})},
		{name: "fails in more than one line", want: bad, set: atHalf(errors.New("one\r\ntwo\x1b[31m"))},
		{name: "fails with a novel", want: bad,
			set: atHalf(errors.New(strings.Repeat("all work and no play ", 10_000)))},
	}
	for i := range rows {
		rows[i].name = what + ": " + rows[i].name
		rows[i].at = carriers
	}
	return rows
}

// onDisk makes a file with this content the lab's source, and returns its path.
func (l *lab) onDisk(content []byte) string {
	path := filepath.Join(l.t.TempDir(), "report.pdf")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		l.t.Fatal(err)
	}
	src, err := upload.File(path)
	if err != nil {
		l.t.Fatal(err)
	}
	l.send(src)
	return path
}

func isError(target error) func(*lab, upload.Result, error) {
	return func(l *lab, _ upload.Result, err error) {
		if !errors.Is(err, target) {
			l.t.Errorf("the error %v does not hold %v", err, target)
		}
	}
}
