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

// Files that are not what they were, and readers that are not what they should
// be: short ones, which are read before anything is sent, and long ones, of
// which a part is out when it shows.
func TestSources(t *testing.T) {
	runAll(t, append(spoiltSources("a short file", small, none), spoiltSources("a long file", long, some)...))
}

func spoiltSources(what string, src upload.Source, reached int) []row {
	content := noise(int(src.Size))
	again := 1 // reach the server, when the second attempt fails as the first does here
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
	// disk sends a file that was described as it was, and that change changes since.
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
	// unsent never reaches the server: sources are opened before.
	unsent := func(says ...string) want {
		return want{kinds: kinds(upload.ErrInvalid), reached: none, says: append(says, "report.pdf")}
	}
	fine := want{stored: true}
	rows := []row{
		{name: "grew by a byte", set: disk(write(append(bytes.Clone(content), 'x'))), want: bad("more than its size")},
		{name: "grew to twice its size", set: disk(write(append(bytes.Clone(content), content...))), want: bad("more than its size")},
		{name: "shrank by a byte", set: disk(write(content[1:])), want: bad("ended 1 bytes before")},
		{name: "shrank to nothing", set: disk(write(nil)), want: bad("before its size")},
		{name: "is gone", set: disk(os.Remove), want: unsent("cannot be opened"), check: isError(fs.ErrNotExist)},
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

		{name: "may not be opened", set: sends(failing(&fs.PathError{Op: "open", Path: "report.pdf", Err: fs.ErrPermission})), want: unsent("permission denied")},
		{name: "opens nothing and says no word", set: sends(func() (io.ReadCloser, error) { return nil, nil }), want: unsent()},
		{name: "opens nothing any more", fault: first(1, answer(503, "")), set: sends(whole, func() (io.ReadCloser, error) { return nil, nil }),
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrInvalid), status: 503, tries: 1}},
		{name: "may not be opened any more", fault: first(1, answer(503, "")), set: sends(whole, failing(fs.ErrPermission)),
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrInvalid), status: 503, tries: 1, says: []string{"permission denied"}}},
		{name: "cannot be read any more", fault: first(1, answer(503, "")), set: sends(whole, atHalf(boom)),
			want: want{kinds: kinds(upload.ErrInvalid), tries: 2, reached: again}},
		{name: "is sent three times", fault: first(2, afterHalf(reset)), set: sends(whole), want: want{tries: 3, stored: true}},
		{name: "cannot be read from the first byte", set: sends(reading(func() io.Reader { return iotest.ErrReader(boom) })), want: bad("cannot be read", "the disk is on fire"), check: isError(boom)},
		{name: "cannot be read from the middle", set: sends(atHalf(boom)), want: bad("cannot be read", "the disk is on fire"), check: isError(boom)},
		{name: "breaks off with an unexpected EOF", set: sends(atHalf(io.ErrUnexpectedEOF)), want: bad("cannot be read"), check: isError(io.ErrUnexpectedEOF)},
		{name: "ends in the middle", set: sends(atHalf(io.EOF)), want: bad("before its size"), check: isError(io.ErrUnexpectedEOF)},
		{name: "is closed under our feet", set: sends(atHalf(fs.ErrClosed)), want: bad("cannot be read"), check: isError(fs.ErrClosed)},
		{name: "fails with an address that has a query", want: bad("cannot be read"),
			set: sends(atHalf(&url.Error{Op: "Get", URL: "https://someone:" + planted + "@files.example/report.pdf?sig=" + planted, Err: io.ErrUnexpectedEOF}))},
		{name: "fails with an address that has a query, when opened", want: unsent("cannot be opened"),
			set: sends(failing(&url.Error{Op: "Get", URL: "https://files.example/report.pdf?sig=" + planted, Err: io.ErrUnexpectedEOF}))},
		{name: "fails in more than one line", want: bad("cannot be read"), set: sends(atHalf(errors.New("one\r\ntwo\x1b[31m")))},
		{name: "fails with a path of more than one line", want: unsent("cannot be opened"),
			set: sends(failing(&fs.PathError{Op: "open", Path: "one\r\ntwo", Err: fs.ErrPermission}))},
		{name: "fails with a novel", want: bad("cannot be read"), set: sends(atHalf(errors.New(strings.Repeat("all work and no play ", 10_000))))},
		{name: "fails, and is not asked again", set: sends(atHalf(boom), whole), want: bad("cannot be read")},

		{name: "gives nothing for ever, at its end", want: bad("no data"), call: within(2 * time.Second),
			set: sends(reading(func() io.Reader { return io.MultiReader(bytes.NewReader(content), endless{}) }))},
		{name: "gives nothing for ever, in the middle", want: bad("no data"), call: within(2 * time.Second),
			set: sends(reading(func() io.Reader { return io.MultiReader(bytes.NewReader(content[:100]), endless{}) }))},
		{name: "has no end", set: sends(func() (io.ReadCloser, error) { return os.Open("/dev/zero") }), want: bad("more than its size")},

		{name: "a byte at a time", set: sends(reading(func() io.Reader { return iotest.OneByteReader(bytes.NewReader(content)) })), want: fine},
		{name: "half of what is asked for", set: sends(reading(func() io.Reader { return iotest.HalfReader(bytes.NewReader(content)) })), want: fine},
		{name: "the end together with the last bytes", set: sends(reading(func() io.Reader { return iotest.DataErrReader(bytes.NewReader(content)) })), want: fine},
		{name: "nothing now and then", set: sends(reading(func() io.Reader { return &hesitant{Reader: bytes.NewReader(content)} })), want: fine},
		{name: "Close fails", set: sends(func() (io.ReadCloser, error) { return closeFails{bytes.NewReader(content)}, nil }), want: fine},
	}
	for i := range rows {
		rows[i].name = what + ": " + rows[i].name
		rows[i].at = carriers
	}
	return rows
}

// onDisk makes the lab's source a file with this content, and gives its path.
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

// changes sends a file that is changed when its first bytes have come. It is
// longer than a connection holds, for what was read before is as it was.
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

// Empty files are files; what is empty and should not be is not, and the other
// way round.
func TestEmptyFiles(t *testing.T) {
	sized := func(size int64, content string) func(*lab) {
		return func(l *lab) {
			l.counts = nil
			src := upload.Bytes("report.pdf", []byte(content))
			whole := digest(src)
			src.Size = size
			l.src = l.countAs(src, whole)
		}
	}
	opens := func(open func() (io.ReadCloser, error)) func(*lab) {
		return func(l *lab) {
			l.counts = nil
			l.src = l.countAs(upload.Source{Name: "report.pdf", Open: open}, digest(upload.Bytes("", nil)))
		}
	}
	growing := func(l *lab) {
		n := 0
		opens(func() (io.ReadCloser, error) {
			n++
			return io.NopCloser(strings.NewReader(strings.Repeat("x", n-1))), nil
		})(l)
	}
	boom := errors.New("the disk is on fire")
	bad := want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: none}
	unsent := want{kinds: kinds(upload.ErrInvalid), reached: none}
	fine := want{stored: true}
	put, form := []place{presigned}, []place{createFile}
	runAll(t, []row{
		{name: "is empty", at: carriers, set: sized(0, ""), want: fine},
		{name: "is empty and should not be", at: carriers, set: sized(5, ""), want: bad},
		{name: "should be empty and is not", at: put, set: sized(0, "x"), want: unsent},
		{name: "should be empty and is not", at: form, set: sized(0, "x"), want: bad},
		{name: "should be empty and cannot be opened", at: carriers, set: opens(failing(boom)), want: unsent, check: isError(boom)},
		{name: "should be empty and cannot be read", at: put, set: opens(reading(func() io.Reader { return iotest.ErrReader(boom) })), want: unsent, check: isError(boom)},
		{name: "should be empty and cannot be read", at: form, set: opens(reading(func() io.Reader { return iotest.ErrReader(boom) })), want: bad, check: isError(boom)},
		{name: "is no longer empty when it is sent again", at: put, fault: answer(503, ""), set: growing,
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrInvalid), status: 503, tries: 1}},
		{name: "is no longer empty when it is sent again", at: form, fault: answer(503, ""), set: growing,
			want: want{kinds: kinds(upload.ErrInvalid), tries: 2, reached: 1}},
		{name: "an empty stream that can be read once", at: carriers, want: fine,
			set: func(l *lab) {
				l.counts = nil
				l.src = l.countAs(upload.Reader("report.pdf", strings.NewReader(""), 0), digest(upload.Bytes("", nil)))
			}},
		{name: "an empty stream that can be read once, and 503", at: carriers, fault: answer(503, ""),
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), status: 503, tries: 1},
			set: func(l *lab) {
				l.counts = nil
				l.src = l.countAs(upload.Reader("report.pdf", strings.NewReader(""), 0), digest(upload.Bytes("", nil)))
			}},
		{name: "opens nothing and says no word", at: carriers, want: unsent, set: opens(func() (io.ReadCloser, error) { return nil, nil })},
		{name: "gives nothing for ever", at: put, want: unsent, call: within(2 * time.Second), set: opens(reading(func() io.Reader { return endless{} }))},
		{name: "gives nothing for ever", at: form, want: bad, call: within(2 * time.Second), set: opens(reading(func() io.Reader { return endless{} }))},
	})
}

// Sources that are refused before anything is asked of anybody.
func TestRefusedSources(t *testing.T) {
	refused := func(change func(*upload.Source)) func(*lab) {
		return func(l *lab) {
			l.counts = nil
			src := small
			change(&src)
			l.src = l.countAs(src, digest(small))
		}
	}
	var rows []row
	for _, f := range []struct {
		name   string
		change func(*upload.Source)
		naver  bool // only a form has names
	}{
		{"no Open", func(s *upload.Source) { s.Open = nil }, false},
		{"the zero Source", func(s *upload.Source) { *s = upload.Source{} }, false},
		{"a negative size", func(s *upload.Source) { s.Size = -1 }, false},
		{"the least size", func(s *upload.Source) { s.Size = -1 << 63 }, false},
		{"a content type that is none", func(s *upload.Source) { s.ContentType = "pdf" }, false},
		{"a content type of blanks", func(s *upload.Source) { s.ContentType = "  " }, false},
		{"a content type with a line break", func(s *upload.Source) { s.ContentType = "text/plain\r\nX-Injected: 1" }, false},
		{"a content type with a parameter that breaks off", func(s *upload.Source) { s.ContentType = `text/plain; charset="` }, false},
		{"no name", func(s *upload.Source) { s.Name = "" }, true},
		{"a name that is a folder", func(s *upload.Source) { s.Name = "reports/" }, true},
		{"a name that is not UTF-8", func(s *upload.Source) { s.Name = "\xb0\xa1.pdf" }, true},
		{"a name with a NUL", func(s *upload.Source) { s.Name = "a\x00.pdf" }, true},
		{"a name with a line break", func(s *upload.Source) { s.Name = "a\r\nX-Injected: 1.pdf" }, true},
	} {
		at := []place{fileUpload, createFile}
		if f.naver {
			at = []place{createFile}
		}
		rows = append(rows, row{name: f.name, at: at, set: refused(f.change), want: want{kinds: kinds(upload.ErrInvalid), reached: none}})
	}
	for _, name := range []string{"../../etc/passwd", `..\..\etc\passwd`, `a"b.pdf`, "100%.pdf", "보고서 (최종).pdf", "a;b=c.pdf", strings.Repeat("long", 1000) + ".pdf", ".", "..", " "} {
		rows = append(rows, row{name: "the name " + name[:min(len(name), 20)], at: []place{createFile}, set: refused(func(s *upload.Source) { s.Name = name }), want: want{stored: true},
			check: func(l *lab, res upload.Result, _ error) { equal(l, "the name", res.Name, upload.BaseName(name)) }})
	}
	runAll(t, rows)
}

// One of several files fails: none is stored, and all that were opened are closed.
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
	spoilt := func(change func(l *lab, src *upload.Source)) func(context.Context, *lab, upload.Uploader) (upload.Result, error) {
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
		{name: "all is well", at: at, call: spoilt(nil), want: want{stored: true}},
		{name: "reset in the middle, once", at: at, fault: first(1, afterHalf(reset)), call: spoilt(nil), want: want{tries: 2, stored: true}},
		{name: "the fourth cannot be opened", at: at, call: spoilt(opens(failing(boom))), want: want{kinds: kinds(upload.ErrInvalid), reached: none}},
		{name: "the fourth fails in the middle", at: at, call: spoilt(opens(half)), want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some}},
		{name: "the fourth shrank", at: at, call: spoilt(func(_ *lab, s *upload.Source) { s.Size++ }), want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some}},
		{name: "the fourth grew", at: at, call: spoilt(func(_ *lab, s *upload.Source) { s.Size-- }), want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some}},
		{name: "the fourth can be read once", at: at, fault: answer(503, ""), want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), status: 503, tries: 1},
			call: spoilt(func(l *lab, s *upload.Source) { *s = l.oneShot() })},
		{name: "the fourth hangs and the caller gives up", at: at, want: want{kinds: kinds(context.Canceled), tries: 1, reached: some},
			call: spoilt(func(l *lab, s *upload.Source) {
				bad := from(hanging(10, func() { l.cancel(nil) }))
				bad.Size = s.Size
				*s = l.countAs(bad, object{})
			})},
		{name: "one answer too few", at: at, call: spoilt(nil), want: want{kinds: unavailable, status: 201, tries: 1},
			fault: afterBody(answer(201, `{"tempRequestId":"t","files":[{"fileName":"report.pdf","fileSize":20000,"fileId":"f"}]}`))},
	})
}

// isError checks that the cause can be asked for.
func isError(target error) func(*lab, upload.Result, error) {
	return func(l *lab, _ upload.Result, err error) {
		if !errors.Is(err, target) {
			l.t.Errorf("the error %v does not hold %v", err, target)
		}
	}
}

// endless gives neither bytes nor an end.
type endless struct{}

func (endless) Read([]byte) (int, error) {
	runtime.Gosched()
	return 0, nil
}

// hesitant gives nothing at every other Read.
type hesitant struct {
	io.Reader
	odd bool
}

func (h *hesitant) Read(p []byte) (int, error) {
	if h.odd = !h.odd; h.odd {
		return 0, nil
	}
	return h.Reader.Read(p)
}

type closeFails struct{ io.Reader }

func (closeFails) Close() error { return errors.New("close: input/output error") }
