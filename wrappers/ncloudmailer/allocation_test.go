package ncloudmailer_test

import (
	"testing"

	"github.com/putpost/putpost/wrappers/internal/canned"
)

// The figures are those of the machine's word size and of one Go release; what is
// near the bound wants a look, not a larger bound.
func TestSmallUploadAllocatesLittle(t *testing.T) {
	const maxObjects, maxBytes = 110, 9000
	objects, bytes := canned.PerRun(t, 500, smallUpload(t))
	t.Logf("%.1f allocations, %.0f bytes", objects, bytes)
	if objects > maxObjects || bytes > maxBytes {
		t.Errorf("one upload of 16 KiB makes %.1f allocations of %.0f bytes together, want at most %d and %d", objects, bytes, maxObjects, maxBytes)
	}
}
