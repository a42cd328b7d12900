package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/putpost/putpost/wrappers/upload"
)

// console is standard output and standard error, of which one may show a
// progress bar while lines go to both.
type console struct {
	mu       sync.Mutex
	out, err io.Writer
	bar      *mpb.Progress // nil where standard error is no terminal
	barred   bool          // there is or was one
	above    bool          // standard output is the same terminal: its lines go above the bar
}

// noteEvery is how often progress is told of where there is no bar.
const noteEvery = 10 * time.Second

// watch shows t until the returned func is called: as a bar where standard
// error is a terminal, else as a line now and then.
func (c *console) watch(t *tally) (done func()) {
	if f, ok := c.err.(*os.File); ok && cwriter.IsTerminal(int(f.Fd())) {
		return c.showBar(f, t)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(noteEvery)
		defer ticker.Stop()
		var m meter
		m.sample(time.Now(), 0)
		for {
			select {
			case <-stop:
				return
			case now := <-ticker.C:
				m.sample(now, t.doneBytes.Load())
				c.note("%s, %s", t.amount(), t.pace(&m))
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

func (c *console) showBar(terminal *os.File, t *tally) (done func()) {
	var m meter // used by the goroutine that draws, and by no other
	m.sample(time.Now(), 0)
	filler := mpb.BarStyle().Build()
	p := mpb.New(mpb.WithOutput(terminal))
	bar := p.MustAdd(0,
		mpb.BarFillerFunc(func(w io.Writer, s decor.Statistics) error {
			if !t.whole() {
				return nil // of what is not known there is no part
			}
			s.Total, s.Current = max(t.bytes.Load(), 1), t.doneBytes.Load()
			return filler.Fill(w, s)
		}),
		mpb.BarRemoveOnComplete(), mpb.BarFillerTrim(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return t.amount() + " " })),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
			m.sample(time.Now(), t.doneBytes.Load())
			return " " + t.pace(&m)
		})),
	)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bar, c.barred, c.above = p, true, sameFile(c.out, terminal)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		bar.Abort(true)
		p.Wait()
		c.bar = nil
	}
}

func sameFile(w io.Writer, f *os.File) bool {
	g, ok := w.(*os.File)
	if !ok {
		return false
	}
	a, errA := f.Stat()
	b, errB := g.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// data writes a line to standard output, newline included.
func (c *console) data(line string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.out
	if c.bar != nil && c.above {
		w = c.bar
	}
	if _, err := io.WriteString(w, line); err != nil {
		return fmt.Errorf("standard output: %w", cause(err))
	}
	return nil
}

// caret goes back to the beginning of the line under the bar, where the terminal
// has shown ^C: the bar is redrawn from where the cursor stands.
func (c *console) caret() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		io.WriteString(c.err, "\r")
	}
}

// note is a line for people.
func (c *console) note(format string, args ...any) {
	_, _ = c.Write([]byte("putpost: " + oneLine(fmt.Sprintf(format, args...)) + "\n"))
}

// Write is for whole lines to standard error.
func (c *console) Write(lines []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		return c.bar.Write(lines)
	}
	return c.err.Write(lines)
}

// record is what standard output has of one file: a JSON object, or a line of
// columns.
type record struct {
	Provider      string    `json:"provider"`
	Path          string    `json:"path,omitempty"`
	ID            string    `json:"id"`
	Name          string    `json:"name,omitempty"`
	Size          *int64    `json:"size,omitempty"` // a pointer, since an empty file has one too
	TraceID       string    `json:"traceId,omitempty"`
	TempRequestID string    `json:"tempRequestId,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	Status        string    `json:"status,omitempty"`
	DocumentID    int64     `json:"documentId,omitempty"`

	document bool // the documentId has a column
}

func recordOf(res upload.Result) record {
	return record{
		ID: res.ID, Name: res.Name, Size: &res.Size, TraceID: res.TraceID,
		TempRequestID: res.TempRequestID, Expires: res.Expires,
	}
}

func recordsOf(results []upload.Result) []record {
	var records []record
	for _, res := range results {
		records = append(records, recordOf(res))
	}
	return records
}

// line ends with a newline. As columns these are the id, then the name or the
// status, then, where it is asked for, the documentId or nothing.
func (r record) line(asJSON bool) string {
	if asJSON {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(r) == nil {
			return b.String()
		}
		r.Expires = time.Time{} // of a year beyond 9999, the one thing that JSON does not take
		return r.line(true)
	}
	columns := []string{column(r.ID), column(cmp.Or(r.Status, r.Name))}
	if r.document {
		columns = append(columns, "")
		if r.DocumentID != 0 {
			columns[2] = fmt.Sprint(r.DocumentID)
		}
	}
	return strings.Join(columns, "\t") + "\n"
}

// column keeps a tab or newline from being taken for the end of the column.
func column(s string) string {
	return strings.NewReplacer("\t", `\t`, "\n", `\n`).Replace(s)
}

// oneLine is s for a person: on one line, and without control characters that
// would make a terminal do things.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
}

// shown is a path for a person, in quotes where it would not show as it is.
func shown(path string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if path == "" || !utf8.ValidString(path) || strings.ContainsFunc(path, hidden) {
		return strconv.Quote(path)
	}
	return path
}

// and is "a", "a and b", "a, b and c".
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
