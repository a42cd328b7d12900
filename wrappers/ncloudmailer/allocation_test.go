//go:build !race

// The race detector empties pools at random, so the figures differ with it.

package ncloudmailer_test

import (
	"testing"

	"github.com/putpost/putpost/wrappers/internal/canned"
)

// The figures depend on the word size of the machine and on the Go release. If
// one comes near its bound, look for the cause before you raise the bound.
func TestUploadAllocatesLittleWhateverItsSize(t *testing.T) {
	const maxObjects, maxBytes = 110, 9000
	for _, size := range []int{16 << 10, 64 << 10,
		256 << 10} { // in one write, in one that is nearly full, and as a stream
		objects, bytes := canned.PerRun(500, oneUpload(t, size))
		t.Logf("%d KiB: %.1f allocations, %.0f bytes", size>>10, objects, bytes)
		if objects > maxObjects || bytes > maxBytes {
			t.Errorf("one upload of %d KiB makes %.1f allocations of %.0f bytes together, want at most %d and %d",
				size>>10, objects, bytes, maxObjects, maxBytes)
		}
	}
}
