package canned

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// PerRun is how many objects, and how many bytes, f allocates each time, by
// whichever goroutine: a transport's are counted too. It is the mean over many
// runs after some that open connections and fill pools. No garbage is collected
// meanwhile, since that empties pools. Under the race detector, which empties
// pools at random, there is no such figure: the test is skipped.
func PerRun(tb testing.TB, runs int, f func()) (objects, bytes float64) {
	tb.Helper()
	if raceEnabled {
		tb.Skip("pools keep nothing under the race detector")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range 50 {
		f()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	n := float64(runs)
	return float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n
}
