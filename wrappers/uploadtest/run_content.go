package uploadtest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of uploads that succeed.

func bytesArrive(t *trial) {
	const ki = 1 << 10
	for i, size := range []int{0, 1, 16 * ki, 64*ki - 1, 64 * ki, 64*ki + 1, 1 << 20, 5<<20 + 1} {
		t.arrives(fmt.Sprintf("%d bytes", size), newSource("bytes.bin", upload.OctetStream, noise(size, byte(i)), nil))
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
		what := fmt.Sprintf("name %q", name)
		t.arrives(what, newSource(name, "text/plain", []byte(name), nil))
	}
}

// oddNames: a name that no header can hold is refused, or what is sent holds it
// in a way that changes nothing else.
func oddNames(t *trial) {
	for _, name := range []string{"line\r\nContent-Type: text/html\r\n\r\nbreak.txt", "line\nbreak.txt", "nul\x00.txt",
		"\xff\xfe.txt", "folder/", ""} {
		what := fmt.Sprintf("name %q", name)
		src, before := newSource(name, "text/plain", []byte("odd name"), nil), t.requests()
		res, err := t.send(t.Context(), what, src)
		if err != nil {
			t.fails(what, err, upload.ErrInvalid)
			t.seen.note(aContent)
			continue
		}
		t.holds(what, res.ID, src)
		for _, r := range t.requestsSince(before) {
			for _, f := range r.Files {
				if f.ContentType != src.ContentType || f.SHA256 != sum(src.content) {
					t.Errorf("%s: wire: the name changed what arrived beside it", what)
				}
			}
		}
	}
}

func mediaTypesArrive(t *trial) {
	for _, typ := range []string{
		"application/pdf",
		"text/plain; charset=utf-8",
		"image/svg+xml",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"application/json", // of the file: its content is nobody's business
		"",                 // stands for application/octet-stream
	} {
		t.arrives(fmt.Sprintf("media type %q", typ), newSource("typed.bin", typ, []byte("{not what it says"), nil))
	}
}

func idsDiffer(t *trial) {
	const what = "the same file twice"
	first, ok := t.arrives(what, newSource("same.txt", "text/plain", []byte("same"), nil))
	second, again := t.arrives(what, newSource("same.txt", "text/plain", []byte("same"), nil))
	if ok && again && first.ID == second.ID && first.ID != "" {
		t.Errorf("%s: result: both uploads have the ID %q", what, first.ID)
	}
}

// uploadsAtOnce: what belongs to one upload is never another's.
func uploadsAtOnce(t *trial) {
	const n = 16
	var (
		wg      sync.WaitGroup
		results [n]upload.Result
		sources [n]*source
		errs    [n]error
	)
	before := t.count()
	for i := range n {
		sources[i] = newSource(fmt.Sprintf("file %d.bin", i), upload.OctetStream, noise(32<<10+i, byte(i)), nil)
		wg.Go(func() {
			results[i], errs[i] = t.send(t.Context(), fmt.Sprintf("upload %d of %d at once", i, n), sources[i])
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for i, res := range results {
		what := fmt.Sprintf("upload %d of %d at once", i, n)
		if errs[i] != nil {
			t.Errorf("%s: upload: %v", what, t.masked(errs[i]))
			continue
		}
		if !t.describes(what, res, sources[i].Source) || !t.holds(what, res.ID, sources[i]) || !t.tracesOwn(what, res) {
			continue
		}
		if res.ID != "" && ids[res.ID] {
			t.Errorf("%s: result: another one has the ID %q too", what, res.ID)
		}
		ids[res.ID] = true
	}
	if after := t.count(); t.Count != nil && after-before != n {
		t.Errorf("%d uploads at once: count: %d files are stored", n, after-before)
	}
	if tokens := t.received(Token); tokens > 1 {
		t.Errorf("%d uploads at once: token: %d tokens were fetched, and one serves them all", n, tokens)
	}
}

// tracesOwn compares a trace id with the one of the answer that gave the id.
func (t *trial) tracesOwn(what string, res upload.Result) bool {
	t.Helper()
	for _, r := range t.requestsSince(0) {
		want := r.AnswerHeader.Get(t.Server.contract.TraceHeader)
		if want != "" && res.TraceID != "" && res.TraceID != want && r.Op != Presigned && r.Status/100 == 2 &&
			has(r.Answer, res.ID) {
			t.Errorf("%s: trace id: %q, but the answer that gave the ID said %q", what, res.TraceID, want)
			return false
		}
	}
	return true
}

func progressEnds(t *trial) {
	for _, size := range []int{0, 1, 300 << 10} {
		what := fmt.Sprintf("progress of %d bytes", size)
		var p progress
		src := newSource("progress.bin", upload.OctetStream, noise(size, 1), nil)
		src.Source = upload.Track(src.Source, p.note)
		if _, ok := t.arrives(what, src); ok {
			p.check(t, what, int64(size))
		}
	}
}

// progress remembers what upload.Track said last.
type progress struct {
	mu          sync.Mutex
	begun       bool
	sent, total int64
}

func (p *progress) note(sent, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun, p.sent, p.total = true, sent, total
}

func (p *progress) check(t *trial, what string, size int64) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	t.seen.note(aProgress)
	switch {
	case !p.begun:
		t.Errorf("%s: progress: the source was never opened", what)
	case p.sent != size || p.total != size:
		t.Errorf("%s: progress: it ended at %d of %d", what, p.sent, p.total)
	}
}
