package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

// Files that have changed, and readers that misbehave. The client reads a short
// file before it sends anything. It has sent a part of a long file when the
// mistake shows.
func TestSources(t *testing.T) {
	runAll(t, append(spoiltSources("a short file", small, none), spoiltSources("a long file", long, some)...))
}

func spoiltSources(what string, src upload.Source, reached int) []row {
	content := noise(int(src.Size))
	again := 1 // request arrives where the second attempt fails
	if reached == some {
		again = some
	}
	sends := func(open ...func() (io.ReadCloser, error)) func(*lab) {
		return func(l *lab) {
			l.counts = nil
			spoilt := from(open...)
			spoilt.Size = src.Size
			l.src = l.countAs(spoilt, digest(src))
		}
	}
	// disk describes a file, and then changes it before it is sent.
	disk := func(change func(path string) error) func(*lab) {
		return func(l *lab) {
			path := l.onDisk(content)
			if err := change(path); err != nil {
				l.t.Fatal(err)
			}
		}
	}
	write := func(b []byte) func(string) error {
		return func(path string) error { return os.WriteFile(path, b, 0o600) }
	}
	boom := errors.New("the disk is on fire")
	atHalf := func(err error) func() (io.ReadCloser, error) {
		return reading(func() io.Reader {
			return io.MultiReader(bytes.NewReader(content[:len(content)/2]), iotest.ErrReader(err))
		})
	}
	whole := func() (io.ReadCloser, error) { return src.Open() }
	bad := func(says ...string) want {
		return want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: reached, says: append(says, "report.pdf")}
	}
	rows := []row{
		{name: "grew by a byte", set: disk(write(append(bytes.Clone(content), 'x'))), want: bad("more than its size")},
		{name: "shrank by a byte", set: disk(write(content[1:])), want: bad("ended 1 bytes before")},
		{name: "became a folder", want: bad("cannot be read"),
			set: disk(func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) })},
		{name: "is gone when it is to be sent again", check: isError(fs.ErrNotExist),
			set: func(l *lab) {
				path := l.onDisk(content)
				l.faults[l.at] = func(h *hit) {
					_ = os.Remove(path)
					answer(503, "")(h)
				}
			},
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrInvalid), status: 503, tries: 1}},

		{name: "opens nothing and says no word", set: sends(func() (io.ReadCloser, error) { return nil, nil }),
			want: want{kinds: kinds(upload.ErrInvalid), reached: none, says: []string{"report.pdf"}}},
		{name: "may not be opened any more", fault: first(1, answer(503, "")), set: sends(whole, failing(fs.ErrPermission)),
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrInvalid), status: 503, tries: 1,
				says: []string{"permission denied"}}},
		{name: "cannot be read any more", fault: first(1, answer(503, "")), set: sends(whole, atHalf(boom)),
			want: want{kinds: kinds(upload.ErrInvalid), tries: 2, reached: again}},
		{name: "cannot be read from the middle", set: sends(atHalf(boom)),
			want: bad("cannot be read", "the disk is on fire"), check: isError(boom)},
		{name: "is closed under our feet", set: sends(atHalf(fs.ErrClosed)), want: bad("cannot be read"),
			check: isError(fs.ErrClosed)},
		{name: "fails with an address that has a query", want: bad("cannot be read"),
			set: sends(atHalf(&url.Error{Op: "Get", URL: "https://someone:" + planted + "@files.example/report.pdf?sig=" +
				planted, Err: io.ErrUnexpectedEOF}))},
		{name: "fails in more than one line", want: bad("cannot be read"),
			set: sends(atHalf(errors.New("one\r\ntwo\x1b[31m")))},
		{name: "fails with a novel", want: bad("cannot be read"),
			set: sends(atHalf(errors.New(strings.Repeat("all work and no play ", 10_000))))},

		{name: "gives nothing for ever, in the middle", want: bad("no data"), call: within(2 * time.Second),
			set: sends(reading(func() io.Reader { return io.MultiReader(bytes.NewReader(content[:100]), endless{}) }))},
		{name: "has no end", set: sends(func() (io.ReadCloser, error) { return os.Open("/dev/zero") }),
			want: bad("more than its size")},
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
	l.counts = nil
	l.src = l.count(src)
	return path
}

func TestFilesUnderWay(t *testing.T) {
	bad := func(says string) want {
		return want{kinds: kinds(upload.ErrInvalid), tries: 1, says: []string{says}}
	}
	runAll(t, []row{
		{name: "shrinks while it is sent", at: carriers, want: bad("before its size"),
			set: changes(func(f *os.File) { _ = f.Truncate(1000) })},
		{name: "grows while it is sent", at: carriers, want: bad("more than its size"),
			set: changes(func(f *os.File) { _, _ = f.WriteAt([]byte("more"), large.Size) })},
		{name: "is overwritten in place while it is sent", at: carriers, want: bad("was written to"),
			set: changes(func(f *os.File) { _, _ = f.WriteAt(noise(1000), 0) })},
		{name: "is removed while it is sent, and is still open", at: carriers, want: want{stored: true},
			set: changes(func(f *os.File) { _ = os.Remove(f.Name()) })},
	})
}

// changes sends a file that is changed when its first bytes have arrived. The
// file is longer than a connection holds, so that a part is read after that.
func changes(change func(*os.File)) func(*lab) {
	return func(l *lab) {
		path := l.onDisk(noise(int(large.Size)))
		l.faults[l.at] = func(h *hit) {
			begin := make([]byte, 1000)
			_, _ = io.ReadFull(h.r.Body, begin)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err == nil {
				change(f)
				err = f.Close()
			}
			if err != nil {
				l.t.Error(err)
			}
			h.r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(begin), h.r.Body))
			h.correct()
		}
	}
}

// If one of several files fails, none is stored, and each open reader is
// closed.
func TestBatches(t *testing.T) {
	const n = 5
	good := func(l *lab) []upload.Source {
		l.counts = nil
		var srcs []upload.Source
		for range n {
			srcs = append(srcs, l.count(upload.Bytes("report.pdf", noise(20_000))))
		}
		return srcs
	}
	boom := errors.New("the disk is on fire")
	half := reading(func() io.Reader { return io.MultiReader(bytes.NewReader(noise(10_000)), iotest.ErrReader(boom)) })
	spoilt := func(change func(l *lab, src *upload.Source)) func(context.Context, *lab, upload.Uploader) (upload.Result,
		error) {
		return func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
			srcs := good(l)
			if change != nil {
				change(l, &srcs[3])
			}
			batch, err := u.(*ncloudmailer.Client).CreateFile(ctx, srcs...)
			if err != nil {
				return upload.Result{}, err
			}
			if len(batch.Files) != n {
				l.t.Errorf("the batch has %d files", len(batch.Files))
			}
			return batch.Files[0], nil
		}
	}
	opens := func(open func() (io.ReadCloser, error)) func(*lab, *upload.Source) {
		return func(l *lab, src *upload.Source) {
			bad := from(open)
			bad.Size = src.Size
			*src = l.countAs(bad, object{})
		}
	}
	at := []place{createFile}
	runAll(t, []row{
		{name: "reset in the middle, once", at: at, fault: first(1, afterHalf(reset)), call: spoilt(nil),
			want: want{tries: 2, stored: true}},
		{name: "the fourth cannot be opened", at: at, call: spoilt(opens(failing(boom))),
			want: want{kinds: kinds(upload.ErrInvalid), reached: none}},
		{name: "the fourth fails in the middle", at: at, call: spoilt(opens(half)),
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some}},
		{name: "the fourth shrank", at: at, call: spoilt(func(_ *lab, s *upload.Source) { s.Size++ }),
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some}},
		{name: "the fourth hangs and the caller gives up", at: at,
			want: want{kinds: kinds(context.Canceled), tries: 1, reached: some},
			call: spoilt(func(l *lab, s *upload.Source) {
				bad := from(hanging(10, func() { l.cancel(nil) }))
				bad.Size = s.Size
				*s = l.countAs(bad, object{})
			})},
	})
}

func isError(target error) func(*lab, upload.Result, error) {
	return func(l *lab, _ upload.Result, err error) {
		if !errors.Is(err, target) {
			l.t.Errorf("the error %v does not hold %v", err, target)
		}
	}
}

// endless yields neither bytes nor an end.
type endless struct{}

func (endless) Read([]byte) (int, error) {
	runtime.Gosched()
	return 0, nil
}
