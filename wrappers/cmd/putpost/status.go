package main

import (
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

const (
	// noteEvery is how often progress is told of where there is no status line.
	noteEvery = 10 * time.Second
	// drawEvery is how often a status line is drawn.
	drawEvery = 200 * time.Millisecond
)

// statusLine is the last line of a terminal, drawn again and again.
type statusLine struct {
	terminal *os.File
	drawn    int // columns, to be erased before another line is written
}

// newStatusLine returns nil if w is no terminal on which a line can be drawn
// again, or if the user wants none: TERM=dumb, NO_COLOR.
func newStatusLine(w io.Writer, env environment) *statusLine {
	if !isTerminal(w) || env("TERM") == "dumb" || env("NO_COLOR") != "" {
		return nil
	}
	s := &statusLine{terminal: w.(*os.File)}
	if s.columns() <= 0 {
		return nil
	}
	return s
}

func (s *statusLine) columns() int {
	columns, _, err := term.GetSize(int(s.terminal.Fd()))
	if err != nil {
		return 0
	}
	return columns
}

func (s *statusLine) erase() {
	if s.drawn > 0 {
		_, _ = io.WriteString(s.terminal, "\r"+strings.Repeat(" ", s.drawn+len("^C"))+"\r")
		s.drawn = 0
	}
}

func (s *statusLine) draw(line string) {
	// A longer line is written over, and the ^C that a terminal has put after it.
	blank := max(0, s.drawn+len("^C")-len(line))
	_, _ = io.WriteString(s.terminal, "\r"+line+strings.Repeat(" ", blank)+strings.Repeat("\b", blank))
	s.drawn = len(line)
}

// shares reports whether w is the terminal of s.
func (s *statusLine) shares(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	a, errA := f.Stat()
	b, errB := s.terminal.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// watch shows t until the returned func is called: as a status line on a
// terminal, otherwise as a line from time to time. It calls first some time
// before that.
func (o *output) watch(t *tally, env environment, first func()) (done func()) {
	if o.quiet {
		return func() {}
	}
	every := noteEvery
	status := newStatusLine(o.err, env)
	if status != nil {
		every = drawEvery
	}
	o.mu.Lock()
	o.status = status
	o.mu.Unlock()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		defer time.AfterFunc(every/2, first).Stop()
		var m meter
		m.sample(time.Now(), 0)
		for {
			select {
			case <-stop:
				return
			case now := <-ticker.C:
				m.sample(now, t.doneBytes.Load())
				o.show(t, &m)
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.status != nil {
			o.status.erase()
			o.status = nil
		}
	}
}

func (o *output) show(t *tally, m *meter) {
	o.mu.Lock()
	if s := o.status; s != nil {
		s.draw(t.line(m, s.columns()-len("^C")))
		o.mu.Unlock()
		return
	}
	o.mu.Unlock()
	o.note("%s, %s", t.amount(), t.pace(m))
}
