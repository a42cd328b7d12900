package main

import (
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// tally counts what is to be done and what is done. It is safe for concurrent
// use, its meter apart.
type tally struct {
	// What there is, as far as it is known. Unknown counts what may still add
	// to it: the scan, and standard input until it was read.
	files, bytes atomic.Int64
	unknown      atomic.Int64

	doneFiles, doneBytes atomic.Int64 // sent or failed
	inFlight             atomic.Int64
}

// expect takes note of as many files of that size, or, with a negative count,
// of files that need not be sent.
func (t *tally) expect(count, size int64) {
	t.files.Add(count)
	t.bytes.Add(count * size)
}

// whole reports whether all of it is known.
func (t *tally) whole() bool { return t.unknown.Load() == 0 }

// begin is src with its progress counted. The func is called with what became
// of it: a file that failed counts as done, and its bytes neither as sent nor as
// left.
func (t *tally) begin(src upload.Source) (upload.Source, func(err error)) {
	t.inFlight.Add(1)
	var counted atomic.Int64
	count := func(sent, _ int64) { t.doneBytes.Add(sent - counted.Swap(sent)) }
	return upload.Track(src, count), func(err error) {
		if err != nil {
			t.bytes.Add(-src.Size)
			count(0, 0)
		} else {
			count(src.Size, 0)
		}
		t.doneFiles.Add(1)
		t.inFlight.Add(-1)
	}
}

// meter makes a rate of what a tally has at several times.
type meter struct {
	at    time.Time
	bytes int64
	rate  float64 // bytes a second, mostly those of the last ten seconds
	begun bool
}

func (m *meter) sample(now time.Time, bytes int64) {
	passed := now.Sub(m.at).Seconds()
	switch {
	case m.at.IsZero():
	case passed <= 0:
		return
	case !m.begun:
		m.rate, m.begun = float64(bytes-m.bytes)/passed, true
	default:
		m.rate += (float64(bytes-m.bytes)/passed - m.rate) * (1 - math.Exp(-passed/10))
	}
	m.at, m.bytes = now, bytes
}

// amount is "12 of 2000 files, 34.5 MiB of 1.2 GiB".
func (t *tally) amount() string {
	files, bytes := t.doneFiles.Load(), t.doneBytes.Load()
	if !t.whole() {
		return fmt.Sprintf("%d files, %s", files, byteSize(bytes))
	}
	if t.files.Load() == 1 {
		return fmt.Sprintf("%s of %s", byteSize(bytes), byteSize(t.bytes.Load()))
	}
	return fmt.Sprintf("%d of %d files, %s of %s", files, t.files.Load(), byteSize(bytes), byteSize(t.bytes.Load()))
}

// pace is "12.3 MiB/s, 1m20s left".
func (t *tally) pace(m *meter) string {
	words := []string{byteSize(max(m.rate, 0)).String() + "/s"}
	if left := t.bytes.Load() - t.doneBytes.Load(); t.whole() && m.rate > 0 && left > 0 {
		if seconds := float64(left) / m.rate; seconds < 1e9 {
			words = append(words, max(time.Duration(seconds*float64(time.Second)).Round(time.Second), time.Second).String()+" left")
		}
	}
	return strings.Join(words, ", ")
}
