package canned

import (
	"math"
	"runtime"
	"runtime/debug"
)

// PerRun returns how many objects, and how many bytes, all goroutines allocate
// for one call of f. It first runs f to open connections and fill pools. Then
// it returns the lowest mean of several rounds, because a busy machine moves
// goroutines to processors with empty pools. No garbage is collected meanwhile,
// because that empties pools.
func PerRun(runs int, f func()) (objects, bytes float64) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range 50 {
		f()
	}
	const rounds = 5
	objects, bytes = math.Inf(1), math.Inf(1)
	for range rounds {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs / rounds {
			f()
		}
		runtime.ReadMemStats(&after)
		n := float64(runs / rounds)
		objects = min(objects, float64(after.Mallocs-before.Mallocs)/n)
		bytes = min(bytes, float64(after.TotalAlloc-before.TotalAlloc)/n)
	}
	return objects, bytes
}
