package bench

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/canned"
	"github.com/putpost/putpost/wrappers/upload"
)

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// setting is one row of the table: how, how much, how many at once.
type setting struct {
	way    string
	size   int64
	atOnce int
}

// String is the setting in a benchmark's name.
func (s setting) String() string {
	return fmt.Sprintf("way=%s/size=%s/at=%d", s.way, inUnits(s.size), s.atOnce)
}

func inUnits(n int64) string {
	for i, unit := range []string{"GiB", "MiB", "KiB"} {
		if of := int64(gib) >> (10 * i); n >= of {
			return fmt.Sprint(n/of, unit)
		}
	}
	return fmt.Sprint(n, "B")
}

var settings = func() (all []setting) {
	for _, way := range []string{plain, tlsH1, tlsH2} {
		for _, size := range []int64{kib, 16 * kib, 64 * kib, 256 * kib, mib, 10 * mib, 32 * mib, gib} {
			for _, atOnce := range []int{1, 16} {
				all = append(all, setting{way, size, atOnce})
			}
		}
	}
	return all
}()

// BenchmarkUpload has one sub-benchmark for each setting and peer.
func BenchmarkUpload(b *testing.B) {
	for _, s := range settings {
		for _, p := range peers {
			b.Run(s.String()+"/peer="+p.name, func(b *testing.B) { p.measure(b, s) })
		}
	}
}

func (p peer) measure(b *testing.B, s setting) {
	srv := shared()
	if srv.Control == "" {
		b.Skip("no server: run this through TestGoals, or set " + envServer)
	}
	path := file(b, s.size)
	if p.program != nil {
		cmd := p.program(srv.Base[s.way], srv.CA, path, b.N, s.atOnce)
		b.ResetTimer()
		cost(b, cmd)
		return
	}
	upload, err := p.client(srv.Base[s.way], s.atOnce)
	must(b, err)
	repeat(b, upload, path, min(4*s.atOnce, b.N), s.atOnce)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	took := repeat(b, upload, path, b.N, s.atOnce)
	b.StopTimer()
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(proc(os.Getpid(), true), "peak-B")
}

// cost runs another program and reports its price.
func cost(b *testing.B, cmd *exec.Cmd) {
	u := usage(b, cmd)
	b.ReportMetric(float64(u.Utime.Nano()+u.Stime.Nano())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(u.Maxrss)*kib, "peak-B")
}

// usage runs a program to its end and returns what it took.
func usage(tb testing.TB, cmd *exec.Cmd) *syscall.Rusage {
	tb.Helper()
	text, err := cmd.CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v: %.300s", cmd.Args[0], err, text)
	}
	return cmd.ProcessState.SysUsage().(*syscall.Rusage)
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
				if err := upload(b.Context(), path); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(begin)
			}
		})
	}
	workers.Wait()
	slices.Sort(took)
	return took
}

// BenchmarkSolo is a small upload over TLS on one processor, the server in the
// same process.
func BenchmarkSolo(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	list := `{"tempRequestId":"f355aac1-99","files":[{"fileName":"x.pdf","fileSize":16384,"fileId":"40fe58bd-99"}]}`
	base := canned.ServeTLS(b,
		canned.Answer{Request: "POST /api/v1/files ", Status: "201 Created", Body: list},
		canned.Answer{Request: "PUT /put/file ", Status: "200 OK"})
	path := file(b, 16*kib)
	for _, p := range peers {
		if p.name != "put" && p.name != "putpost-M" {
			continue
		}
		b.Run("peer="+p.name, func(b *testing.B) {
			upload, err := p.client(base, 1)
			must(b, err)
			repeat(b, upload, path, min(10, b.N), 1)
			b.ResetTimer()
			before := cpu()
			repeat(b, upload, path, b.N, 1)
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// deep is an Uploader that does nothing, far down its stack, as a real one is.
type deep struct{}

func (deep) Upload(context.Context, upload.Source) (upload.Result, error) {
	descend(20)
	return upload.Result{}, nil
}

//go:noinline
func descend(n int) (sum byte) {
	var frame [512]byte
	if n > 0 {
		frame[n] = descend(n - 1)
	}
	return frame[n] + 1
}

// BenchmarkMany is the price of upload.Many for one item.
func BenchmarkMany(b *testing.B) {
	src := upload.Bytes("x.pdf", nil)
	sources := func(n int) iter.Seq2[upload.Source, error] {
		return func(yield func(upload.Source, error) bool) {
			for range n {
				if !yield(src, nil) {
					return
				}
			}
		}
	}
	for name, run := range map[string]func(n int){
		"many": func(n int) {
			for _, err := range upload.Many(b.Context(), deep{}, 16, sources(n)) {
				must(b, err)
			}
		},
		"direct": func(n int) {
			for range n {
				deep{}.Upload(b.Context(), src)
			}
		},
	} {
		b.Run("how="+name, func(b *testing.B) {
			before := cpu()
			run(b.N)
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// BenchmarkBatch sends files of 100 KB through upload.Many to a server that
// takes its time.
func BenchmarkBatch(b *testing.B) {
	for _, p := range []string{"M", "P"} {
		b.Run("way="+p, func(b *testing.B) {
			base := shared().Base[tlsH1]
			u, err := mailer(base)
			if p == "P" {
				u, err = fetching(b, base)
			}
			must(b, err)
			path := file(b, 100_000)
			sent := 0
			for _, err := range upload.Many(b.Context(), u, 32, func(yield func(upload.Source, error) bool) {
				for range b.N {
					if !yield(upload.File(path)) {
						return
					}
				}
			}) {
				must(b, err)
				sent++
			}
			if sent != b.N {
				b.Fatalf("%d of %d files were sent", sent, b.N)
			}
			b.ReportMetric(proc(os.Getpid(), true), "peak-B")
		})
	}
}
