//go:build !race

// The race detector empties pools at random, so the figures differ with it.

package ncloudmailer_test

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/canned"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

// The figures depend on the word size of the machine and on the Go release. If
// one comes near its bound, look for the cause before you raise the bound.
func TestUploadAllocatesLittleWhateverItsSize(t *testing.T) {
	const maxObjects, maxBytes = 110, 9000
	// The client sends these in one write, in one that is nearly full, and as a
	// stream.
	for _, size := range []int{16 << 10, 64 << 10, 256 << 10} {
		objects, bytes := perRun(500, oneUpload(t, size))
		t.Logf("%d KiB: %.1f allocations, %.0f bytes", size>>10, objects, bytes)
		if objects > maxObjects || bytes > maxBytes {
			t.Errorf("one upload of %d KiB makes %.1f allocations of %.0f bytes together, want at most %d and %d",
				size>>10, objects, bytes, maxObjects, maxBytes)
		}
	}
}

// oneUpload returns a func that describes a file of size bytes and uploads it,
// over a real connection of the default transport. The server is in this
// process and allocates nothing.
func oneUpload(tb testing.TB, size int) func() {
	base := canned.Serve(tb, false, `{"tempRequestId":"f355aac1-7776-4c0b-8484-20eaa065cb65-99","files":[`+
		`{"fileName":"invoice.pdf","fileSize":`+strconv.Itoa(size)+
		`,"fileId":"40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"}]}`)
	path := filepath.Join(tb.TempDir(), "invoice.pdf")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		tb.Fatal(err)
	}
	client, err := ncloudmailer.New(ncloudmailer.Credentials{AccessKey: "test-access-key",
		SecretKey: "test-secret-key"},
		upload.Config{BaseURL: base + "/api/v1"})
	if err != nil {
		tb.Fatal(err)
	}
	ctx := tb.Context()
	return func() {
		src, err := upload.File(path)
		if err == nil {
			_, err = client.Upload(ctx, src)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// perRun returns how many objects, and how many bytes, all goroutines allocate
// for one call of f. It first runs f to open connections and fill pools. Then
// it returns the lowest mean of several rounds, because a busy machine moves
// goroutines to processors with empty pools. No garbage is collected meanwhile,
// because that empties pools.
func perRun(runs int, f func()) (objects, bytes float64) {
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
