package canned

import (
	"math"
	"runtime"
	"runtime/debug"
)

// PerRun returns how many objects, and how many bytes, f allocates each time,
// by whichever goroutine: a transport's are counted too. It is the least mean
// of some rounds, after runs that open connections and fill pools. A busy
// machine adds to a round: it moves a goroutine to a processor whose pools are
// empty. No garbage is collected meanwhile, since that empties pools.
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
