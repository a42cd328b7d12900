package bench

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/canned"
	"github.com/putpost/putpost/wrappers/upload"
)

const kib = 1 << 10

var sizes = map[string]int64{"1KiB": kib, "16KiB": 16 * kib, "64KiB": 64 * kib, "256KiB": 256 * kib,
	"10MiB": 10 << 20, "1GiB": 1 << 30}

// sized returns a file of that size, or a smaller one in a quick run.
func sized(size string) string {
	if *quick {
		return file(min(sizes[size], 32<<20))
	}
	return file(sizes[size])
}

// BenchmarkUpload sends a file through a peer. The server is another process.
func BenchmarkUpload(b *testing.B) {
	each(b, "Upload/", func(b *testing.B, of settings) {
		p := peerNamed(of["peer"])
		if p.holds && of["size"] == "1GiB" && kernel("/proc/meminfo", "MemAvailable:") < 10e6 {
			b.Skip("less than 10 GB of memory are free")
		}
		base := strings.Fields(os.Getenv(envSink))[slices.Index(ways, of["way"])]
		p.measure(b, base, sized(of["size"]), must(strconv.Atoi(of["at"])))
	})
}

// BenchmarkSolo sends a small file over TLS on one processor, with the server
// in the same process.
func BenchmarkSolo(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	list := `{"tempRequestId":"f355aac1-99","files":[{"fileName":"x.pdf","fileSize":16384,"fileId":"40fe58bd-99"}]}`
	base := canned.Serve(b, true, canned.Answer{Request: "PUT /put/file ", Status: "200 OK"},
		canned.Answer{Request: "POST /api/v1/files ", Status: "201 Created", Body: list})
	each(b, "Solo/", func(b *testing.B, of settings) { peerNamed(of["peer"]).measure(b, base, sized("16KiB"), 1) })
}

func (p peer) measure(b *testing.B, base, path string, atOnce int) {
	if p.client == nil {
		cmd := curl(p.Name, base, slices.Repeat([]string{path}, b.N), atOnce)
		if cmd.Err != nil {
			b.Skip(cmd.Err)
		}
		b.ResetTimer()
		cpu, peak, _ := cost(cmd)
		b.ReportMetric(cpu/float64(b.N), "cpu-ns/op")
		b.ReportMetric(peak, "peak-MB")
		return
	}
	send := p.client(base, stock(atOnce))
	first := path
	if must(os.Stat(path)).Size() > 1<<20 {
		first = file(kib)
	}
	repeat(b, send, first, min(4*atOnce, b.N), atOnce) // opens connections
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	took := repeat(b, send, path, b.N, atOnce)
	b.StopTimer()
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(peakMB("self"), "peak-MB")
}

// repeat uploads path count times and returns how long each took, sorted.
func repeat(b *testing.B, upload send, path string, count, atOnce int) []time.Duration {
	took := make([]time.Duration, count)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(atOnce, count) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				begin := time.Now()
				upload(b.Context(), path)
				took[i] = time.Since(begin)
			}
		})
	}
	workers.Wait()
	slices.Sort(took)
	return took
}

// deep is an Uploader that only uses a deep stack, as a real one does.
type deep struct{}

func (deep) Upload(_ context.Context, src upload.Source) (upload.Result, error) {
	var stack [10 * kib]byte
	stack[src.Size%kib]++
	return upload.Result{Size: int64(stack[0])}, nil
}

// BenchmarkMany measures the cost of upload.Many for one item.
func BenchmarkMany(b *testing.B) {
	src := upload.Bytes("x.pdf", nil)
	each(b, "Many/", func(b *testing.B, of settings) {
		before := cpu()
		if of["peer"] == "no-op" {
			for range b.N {
				must(deep{}.Upload(b.Context(), src))
			}
		} else {
			sources := func(yield func(upload.Source, error) bool) {
				for i := 0; i < b.N && yield(src, nil); i++ {
				}
			}
			for _, err := range upload.Many(b.Context(), deep{}, 16, sources) {
				check(err)
			}
		}
		b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ns/op")
	})
}
