package uploadtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The properties of uploads that succeed.

func bytesArrive(t *trial) {
	for _, size := range []int{0, 1, 16 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 1 << 20, 16<<20 + 1} {
		t.about("%d bytes", size).arrives(file(size))
	}
	for _, r := range t.requests() {
		if _, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); params["boundary"] != "" {
			content := []byte("a\r\n--" + params["boundary"] + "--\r\n")
			src := newSource("file.bin", "", content, nil)
			t.about("a file that has the boundary of an earlier form in it").arrives(src)
			return
		}
	}
}

func namesArrive(t *trial) {
	for _, name := range []string{
		"plain.txt",
		"송장 2026년.pdf",
		`a "quoted" name.txt`,
		`it's; a=b, (c) [d] & e.txt`,
		"two  spaces and a dot at the end.",
		"100% of it%20all%22.txt",
		"no-extension",
		"Report FINAL.PDF",
		"1+1=2?a&b;c#d.txt",
		" between spaces .txt ",
		strings.Repeat("길다", 30) + ".txt",
		".hidden",
		"테스트\u0301 e\u0301 é 😀.txt",
		`test\resources\test.txt`,
		"/home/user/dir/test.txt",
		`C:\dir/other\..\test.txt`,
	} {
		t.about("name %q", name).arrives(newSource(name, "text/plain", []byte(name), nil))
	}
}

// oddNames checks a name that no header can hold. The client refuses it, or
// sends it in a way that changes nothing else.
func oddNames(t *trial) {
	for _, name := range []string{
		"line\r\nContent-Type: text/html\r\n\r\nbreak.txt", "line\nbreak.txt", "nul\x00.txt", "\xff\xfe.txt",
		"folder/", "",
	} {
		t := t.about("name %q", name)
		src, before := newSource(name, "text/plain", []byte("odd name"), nil), len(t.requests())
		res, err := t.send(t.Context(), src)
		if err != nil {
			t.fails(err, upload.ErrInvalid)
			t.seen.Note(aContent)
			continue
		}
		t.holds(res.ID, src)
		sent := t.requests()[before:]
		for _, r := range sent {
			changed := func(f File) bool { return f.ContentType != t.expects(src) || !src.whole(f) }
			if !t.place(r, sent).known && slices.ContainsFunc(r.Files, changed) {
				t.broke("wire: under this name other bytes or another media type arrived")
			}
		}
	}
}

func mediaTypesArrive(t *trial) {
	// A client that reads it as text or as JSON and writes it again changes it.
	const short = "{ \"b\": 1.00,\r\n\t\"a\": \"<\u00e9\" }\n \r\n\n"
	for _, typ := range []string{
		"application/pdf",
		"text/plain; charset=utf-8",
		"image/svg+xml",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		`text/plain; title="a b"`,
		"application/json", // of the file: nobody reads its content as JSON
		"",                 // stands for application/octet-stream
	} {
		content := short
		if strings.HasPrefix(typ, "text/") {
			// A client that packs texts may leave short ones as they are. Some
			// drop the byte order mark, and some what is no UTF-8.
			content = "\ufeff" + strings.Repeat(short, 1000) + "\xff"
		}
		t.about("media type %q", typ).arrives(newSource("typed.bin", typ, []byte(content), nil))
	}
	t = t.about("a media type with a line break in it")
	const added = "\r\nX-Uploadtest: 1"
	before := len(t.requests())
	_, _ = t.send(t.Context(), newSource("typed.bin", "text/plain"+added, []byte(short), nil))
	for _, r := range t.requests()[before:] {
		if bytes.Contains(r.Body, []byte(added)) || r.Header.Get("X-Uploadtest") != "" {
			t.broke("wire: the text behind the line break became a header")
			return
		}
	}
}

func idsDiffer(t *trial) {
	t = t.about("the same file twice")
	src := newSource("same.txt", "text/plain", []byte("same"), nil)
	first, _ := t.arrives(src)
	if second, _ := t.arrives(src); first.ID == second.ID && first.ID != "" && !t.chosen(first.ID) {
		t.broke("result: both uploads have the ID %q", first.ID)
	}
}

// uploadsAtOnce checks that no upload gets anything of another one, whether they
// have names of their own or one name.
func uploadsAtOnce(t *trial) {
	first := t.atOnce("at once", "file %d.bin")
	if !t.chosen(first.ID) { // else a file takes the place of another one
		t.atOnce("of one name at once", "file.bin")
	}
}

func (t *trial) atOnce(how, name string) upload.Result {
	t.Helper()
	const n, size = 16, 256 << 10 // larger than a buffer that is filled once
	var (
		wg      sync.WaitGroup
		trials  [n]*trial
		sources [n]*source
		results [n]upload.Result
		errs    [n]error
		lost    = errors.New("it did not return")
	)
	before, requests := t.count(), len(t.requests())
	for i := range n {
		content, typ := payload.Noise(size+i), []string{"application/pdf", "text/plain", "image/png"}[i%3]
		trials[i] = t.about("upload %d of %d %s", i, n, how)
		sources[i] = newSource(strings.Replace(name, "%d", fmt.Sprint(i), 1), typ, content, polite(content))
		errs[i] = lost
		wg.Go(func() { results[i], errs[i] = trials[i].send(t.Context(), sources[i]) })
	}
	wg.Wait()
	ids, types := map[string]bool{}, map[string]string{}
	own := t.requests()[requests:]
	files := accepted(own)
	for _, r := range own {
		for _, f := range r.Files {
			if !t.place(r, nil).known { // else it is a part
				types[f.SHA256] = cmp.Or(f.ContentType, "none")
			}
		}
	}
	for i, res := range results {
		switch t, typ := trials[i], types[sources[i].hash()]; {
		case errs[i] == lost: // why is told
		case errs[i] != nil:
			t.broke("upload: %v", errs[i])
		case res.ID != "" && ids[res.ID]:
			t.broke("result: another upload has the ID %q too", res.ID)
		case !t.describes(res, sources[i].Source), !t.holds(res.ID, sources[i]):
		case len(files) > 0 && !sources[i].came(files):
			t.broke("wire: no request carried its %d bytes as they are", sources[i].Size)
		case typ != "" && typ != t.expects(sources[i]):
			t.broke("wire: the media type is %q, want %q", typ, t.expects(sources[i]))
		default:
			t.traces(res.TraceID, res.ID, results[:]...)
		}
		ids[res.ID] = true
	}
	t = t.about("%d uploads %s", n, how)
	if after := t.count(); t.Count != nil && after-before != n && errors.Join(errs[:]...) == nil {
		t.broke("count: %d more files are stored, want %d", after-before, n)
	}
	if tokens := len(t.of(Token)); tokens > 1 {
		t.broke("token: the client asked for %d tokens, and one is enough for all uploads", tokens)
	}
	return results[0]
}

// polite reads a content, and lets others go on before the reader can use what
// it read: they may have the same buffer.
func polite(content []byte) func(<-chan struct{}) io.Reader {
	return func(<-chan struct{}) io.Reader {
		r := bytes.NewReader(content)
		return faulty.ReaderFunc(func(p []byte) (int, error) {
			n, err := r.Read(p)
			runtime.Gosched()
			return n, err
		})
	}
}

func progressEnds(t *trial) {
	for _, size := range []int{0, 1, 300 << 10} {
		t, src := t.about("progress of %d bytes", size), file(size)
		p := src.tracked()
		if _, ok := t.arrives(src); ok {
			p.check(t, src)
		}
	}
}
