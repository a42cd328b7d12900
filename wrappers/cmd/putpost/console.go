package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
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
