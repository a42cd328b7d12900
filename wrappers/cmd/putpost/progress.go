package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/putpost/putpost/wrappers/upload"
)

// tally counts the files and bytes to send, and those that are sent. It is safe
// for concurrent use.
type tally struct {
	// files and bytes are the known totals. Unknown counts what may still add
	// to them: the count ahead, and standard input that is not read yet.
	files, bytes atomic.Int64
	unknown      atomic.Int64

	doneFiles, doneBytes atomic.Int64 // sent or failed
	inFlight             atomic.Int64
	answering            atomic.Int64 // files in flight whose bytes are all sent
	waiting              atomic.Int64 // files in flight that wait for a status
}

// expect adds count files of the size to the totals. A negative count removes
// files that need not be sent.
func (t *tally) expect(count, size int64) {
	t.files.Add(count)
	t.bytes.Add(count * size)
}

// countKnown reports whether the totals are final.
func (t *tally) countKnown() bool { return t.unknown.Load() == 0 }

// left returns the number of files that are neither sent nor failed.
func (t *tally) left() int64 { return max(0, t.files.Load()-t.doneFiles.Load()) }

// begin returns src with its progress counted, and a func to call with the
// outcome. A failed file counts as done, and its bytes count neither as sent
// nor as left.
func (t *tally) begin(src upload.Source) (upload.Source, func(err error)) {
	t.inFlight.Add(1)
	var counted atomic.Int64
	var whole atomic.Bool
	count := func(sent, _ int64) {
		t.doneBytes.Add(sent - counted.Swap(sent))
		switch all := sent == src.Size; {
		case all && !whole.Swap(true):
			t.answering.Add(1)
		case !all && whole.Swap(false):
			t.answering.Add(-1)
		}
	}
	return upload.Track(src, count), func(err error) {
		if err != nil {
			t.bytes.Add(-src.Size)
			count(0, 0)
		} else {
			count(src.Size, 0)
		}
		if whole.Load() {
			t.answering.Add(-1)
		}
		t.doneFiles.Add(1)
		t.inFlight.Add(-1)
	}
}

// meter measures the rate of the last ten seconds. A shorter time would show
// too high a rate, because a new connection's buffers take megabytes at once.
type meter struct {
	samples []sample // of the last ten seconds
	rate    float64  // bytes a second
}

type sample struct {
	at    time.Time
	bytes int64
}

const (
	rateSpan  = 10 * time.Second
	leastSpan = 2 * time.Second // a shorter time says nothing about the time left
)

// span returns the time between the first and the last sample.
func (m *meter) span() time.Duration { return m.samples[len(m.samples)-1].at.Sub(m.samples[0].at) }

func (m *meter) sample(now time.Time, bytes int64) {
	m.samples = append(m.samples, sample{now, bytes})
	for len(m.samples) > 2 && now.Sub(m.samples[1].at) >= rateSpan {
		m.samples = m.samples[1:]
	}
	if span := m.span(); span > 0 {
		m.rate = float64(bytes-m.samples[0].bytes) / span.Seconds()
	}
}

// amount returns "12 of 2000 files, 34.5 MiB of 1.2 GiB".
func (t *tally) amount() string {
	files, bytes := t.doneFiles.Load(), t.doneBytes.Load()
	if !t.countKnown() {
		return fmt.Sprintf("%s, %s", counted(files, "file"), byteSize(bytes))
	}
	if t.files.Load() == 1 {
		return fmt.Sprintf("%s of %s", byteSize(bytes), byteSize(t.bytes.Load()))
	}
	return fmt.Sprintf("%d of %d files, %s of %s", files, t.files.Load(), byteSize(bytes), byteSize(t.bytes.Load()))
}

// count returns "12/2000", or "12" if the total is not known.
func (t *tally) count() string {
	if !t.countKnown() {
		return fmt.Sprint(t.doneFiles.Load())
	}
	return fmt.Sprintf("%d/%d", t.doneFiles.Load(), t.files.Load())
}

// fraction returns how much is done, from 0 to 1.
func (t *tally) fraction() float64 {
	done, all := t.doneBytes.Load(), t.bytes.Load()
	if all <= 0 {
		done, all = t.doneFiles.Load(), max(1, t.files.Load())
	}
	return min(1, max(0, float64(done)/float64(all)))
}

// waitReason returns why no bytes move. It is empty if bytes move.
func (t *tally) waitReason() string {
	inFlight, waiting := t.inFlight.Load(), t.waiting.Load()
	switch {
	case inFlight > 0 && waiting == inFlight:
		return "waiting for the status of " + counted(waiting, "file")
	case inFlight > 0 && t.answering.Load() == inFlight:
		return "waiting for the answer"
	}
	return ""
}

// pace returns "12.3 MiB/s, 1m20s left", or why no bytes move.
func (t *tally) pace(m *meter) string {
	if reason := t.waitReason(); reason != "" {
		return reason
	}
	words := []string{byteSize(max(m.rate, 0)).String() + "/s"}
	if left := t.timeLeft(m); left != "" {
		words = append(words, left+" left")
	}
	return strings.Join(words, ", ")
}

// longestLeft is the longest time left that is shown. A lower rate says nothing
// about the end.
const longestLeft = 100 * time.Hour

func (t *tally) timeLeft(m *meter) string {
	left := t.bytes.Load() - t.doneBytes.Load()
	if !t.countKnown() || m.rate <= 0 || left <= 0 || m.span() < leastSpan {
		return ""
	}
	seconds := float64(left) / m.rate
	if seconds >= longestLeft.Seconds() {
		return ""
	}
	d := max(time.Duration(seconds*float64(time.Second)).Round(time.Second), time.Second)
	if d >= time.Hour {
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
	return d.String()
}

// leastBar is the shortest bar that shows something.
const leastBar = 8

// line returns the progress in one line of ASCII that fits into the columns.
// With fewer columns it says less, and leaves the bar out last.
func (t *tally) line(m *meter, columns int) string {
	room := columns - 1 // a full line would wrap on some terminals
	percent := fmt.Sprintf("%d%%", int(100*t.fraction()))
	if !t.countKnown() {
		percent = ""
	}
	for _, words := range [][2]string{
		{t.amount(), t.pace(m)},
		{t.count() + " " + byteSize(t.doneBytes.Load()).String(), t.pace(m)},
		{t.count(), t.pace(m)},
		{t.count(), t.timeLeft(m)},
		{t.count(), ""},
		{percent, ""},
	} {
		used := len(words[0]) + len(words[1]) + 1
		if t.countKnown() {
			if bar := min(room-used-3, 40); bar >= leastBar {
				full := int(t.fraction() * float64(bar))
				drawn := strings.Repeat("#", full) + strings.Repeat("-", bar-full)
				return strings.TrimRight(words[0]+" ["+drawn+"] "+words[1], " ")
			}
		} else if used <= room {
			return strings.TrimRight(words[0]+" "+words[1], " ")
		}
	}
	return percent[:min(len(percent), max(0, room))]
}

// counted returns "1 file", "2 files" or "2 entries".
func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		what = stem + "ie"
	}
	return strconv.FormatInt(n, 10) + " " + what + "s"
}

const (
	// noteEvery is the time between two lines of progress without a status line.
	noteEvery = 10 * time.Second
	// drawEvery is the time between two drawings of the status line.
	drawEvery = 200 * time.Millisecond
)

// statusLine is the last line of a terminal, drawn again and again.
type statusLine struct {
	terminal *os.File
	drawn    int // columns, to be erased before another line is written
}

// newStatusLine returns nil if w is no terminal, or one that cannot redraw a
// line (TERM=dumb), or if NO_COLOR is set.
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

// columns returns the width of the terminal, or no positive number.
func (s *statusLine) columns() int {
	columns, _, _ := term.GetSize(int(s.terminal.Fd()))
	return columns
}

func (s *statusLine) erase() {
	if s.drawn > 0 {
		_, _ = io.WriteString(s.terminal, "\r"+strings.Repeat(" ", s.drawn+len("^C"))+"\r")
		s.drawn = 0
	}
}

func (s *statusLine) draw(line string) {
	// Blanks erase the rest of a longer line, and the ^C that a terminal adds.
	blank := max(0, s.drawn+len("^C")-len(line))
	_, _ = io.WriteString(s.terminal, "\r"+line+strings.Repeat(" ", blank)+strings.Repeat("\b", blank))
	s.drawn = len(line)
}

// watch shows t until done is called: as a status line on a terminal, otherwise
// as a line from time to time. It calls first before it shows anything.
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
	stop := make(chan struct{})
	var showing sync.WaitGroup
	showing.Go(func() {
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
	})
	return func() {
		close(stop)
		showing.Wait()
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
