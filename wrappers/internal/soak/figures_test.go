//go:build unix

package soak

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// measure returns the figures of this process.
func measure() figures {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return figures{RSS: rss(), Heap: int64(m.HeapAlloc), Goroutines: runtime.NumGoroutine()}
}

// collect collects garbage twice, because pools are emptied only then.
func collect() {
	runtime.GC()
	runtime.GC()
}

func rss() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(text, []byte("\nVmRSS:"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	kb, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(line)), " kB"), 10, 64)
	return kb << 10
}

// both holds the figures of the two processes at one time.
type both struct{ clients, standins figures }

// raise sets each figure of b to the larger one.
func (b *both) raise(other both) {
	for _, pair := range [][2]*figures{{&b.clients, &other.clients}, {&b.standins, &other.standins}} {
		pair[0].RSS = max(pair[0].RSS, pair[1].RSS)
		pair[0].Heap = max(pair[0].Heap, pair[1].Heap)
		pair[0].Goroutines = max(pair[0].Goroutines, pair[1].Goroutines)
	}
}

// calm measures both processes without uploads and connections. The peer of a
// closed connection needs a moment to notice. So calm waits until the number of
// goroutines stops falling. It also waits, but not long, until the number is
// near goal's.
func calm(t *testing.T, s *server, goal both) (b both) {
	t.Helper()
	settle := func(goal figures, look func() figures) (f figures) {
		f = look()
		for begun, still := time.Now(), 0; still < 3 || f.Goroutines > goal.Goroutines+spare; {
			if time.Since(begun) > 5*time.Second {
				break
			}
			time.Sleep(10 * time.Millisecond)
			next := look()
			if still++; next.Goroutines < f.Goroutines {
				still = 0
			}
			f = next
		}
		return f
	}
	b.standins = settle(goal.standins, func() figures { return s.ask(t, "/calm") })
	b.clients = settle(goal.clients, func() figures { s.ask(t, "/calm"); collect(); return measure() })
	return b
}

// spare is the number of additional goroutines that are no leak: the one that
// answers the request, and the runtime's own.
const spare = 3

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
