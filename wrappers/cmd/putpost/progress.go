package main

import (
	"fmt"
	"math"
	"strconv"
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

// byteSize is a number of bytes as people write it: 1048576, 10MB, 10MiB.
type byteSize int64

var units = []struct {
	name  string
	bytes float64
}{
	// Longer names first: "10MiB" ends with a B as well.
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1}, {"", 1},
}

// UnmarshalText is how kong reads a flag.
func (s *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if n *= unit.bytes; err != nil || !(n >= 0 && n < math.MaxInt64) || n != math.Trunc(n) || strings.ContainsAny(digits, "xXpP_") {
			break
		}
		*s = byteSize(n)
		return nil
	}
	return fmt.Errorf("%q is no size like 1048576, 10MB or 10MiB", text)
}

// String has three digits or a few more: "34.5 MiB".
func (s byteSize) String() string {
	n := float64(s)
	for _, unit := range []string{"bytes", "KiB", "MiB", "GiB"} {
		if n < 1000 {
			if unit == "bytes" {
				return fmt.Sprintf("%d bytes", int64(s))
			}
			return fmt.Sprintf("%.1f %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.1f TiB", n)
}
