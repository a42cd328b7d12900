package bench

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/canned"
	"github.com/putpost/putpost/wrappers/upload"
)

// BenchmarkUpload sends a file through a peer. The server is another process.
func BenchmarkUpload(b *testing.B) {
	each(b, "Upload/", func(b *testing.B, of func(string) string, atOnce int) {
		p, path := peerNamed(of("peer")), file(of("size"))
		base := strings.Fields(*at)[slices.Index(ways, of("way"))]
		switch {
		case p.holds && of("size") == "1GiB" && kernel("/proc/meminfo", "MemAvailable:") < 10e6:
			b.Skip("less than 10 GB of memory are free")
		case p.client != nil:
			uploads(b, usage(syscall.RUSAGE_SELF), p.client(base, stock(atOnce)), path, atOnce)
		default:
			cmd := curl(p.Name, base, slices.Repeat([]string{path}, b.N), atOnce)
			measure(b, usage(syscall.RUSAGE_CHILDREN), func() { finish(b, cmd) })
		}
	})
}

// BenchmarkSolo sends a small file over TLS on one processor, with the server
// in the same process.
func BenchmarkSolo(b *testing.B) {
	base := canned.Serve(b, true, `{"tempRequestId":"f355aac1-99","files":[{"fileName":"x.pdf","fileSize":16384,`+
		`"fileId":"40fe58bd-99"}]}`)
	each(b, "Solo/", func(b *testing.B, of func(string) string, _ int) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // here: the package testing sets it before each sub-benchmark
		uploads(b, usage(syscall.RUSAGE_SELF), peerNamed(of("peer")).client(base, stock(1)), file("16KiB"), 1)
	})
}

// BenchmarkServe compares serve with bare handlers. One makes a file durable
// with one fsync. The other, named, makes its name durable, too, with a second
// fsync.
func BenchmarkServe(b *testing.B) {
	each(b, "Serve/", func(b *testing.B, of func(string) string, atOnce int) {
		where := of("store")
		if where == "disk" {
			where = b.TempDir()
		}
		cmd := exec.Command(os.Args[0], "-keep="+of("peer")+":"+where)
		if of("peer") == "putpost" {
			cmd = exec.Command(thing("putpost", ""), "serve", "--addr", "127.0.0.1:0", "--store", where)
		}
		urls, stop := start(cmd)
		defer stop()
		client := peerNamed("putpost-"+of("way")).client(urls[0], stock(atOnce))
		uploads(b, running(cmd), client, file(of("size")), atOnce)
	})
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
	each(b, "Many/", func(b *testing.B, of func(string) string, _ int) {
		run := func() {
			for range b.N {
				must(deep{}.Upload(b.Context(), src))
			}
		}
		if of("peer") == "many" {
			sources := func(yield func(upload.Source, error) bool) {
				for i := 0; i < b.N && yield(src, nil); i++ {
				}
			}
			run = func() {
				for _, err := range upload.Many(b.Context(), deep{}, 16, sources) {
					check(err)
				}
			}
		}
		measure(b, usage(syscall.RUSAGE_SELF), run)
	})
}

// measure reports the processor time of run for each of its b.N operations.
func measure(b *testing.B, cpu func() float64, run func()) {
	b.ResetTimer()
	before := cpu()
	run()
	b.StopTimer()
	b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ns/op")
}

// uploads measures uploads of the file at path.
func uploads(b *testing.B, cpu func() float64, upload send, path string, atOnce int) {
	repeat(upload, file("16KiB"), 4*atOnce, atOnce) // opens connections
	b.ReportAllocs()
	var took []time.Duration
	measure(b, cpu, func() { took = repeat(upload, path, b.N, atOnce) })
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(peakMB(os.Getpid()), "peak-MB")
}

// repeat uploads path count times and returns how long each took, sorted.
func repeat(upload send, path string, count, atOnce int) []time.Duration {
	took := make([]time.Duration, count)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(atOnce, count) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(count); i = next.Add(1) - 1 {
				begin := time.Now()
				upload(path)
				took[i] = time.Since(begin)
			}
		})
	}
	workers.Wait()
	slices.Sort(took)
	return took
}

// finish runs a program to its end and returns what it printed. It reports the
// peak of its memory, and reads that while the program runs, because getrusage
// would count the memory of this process. It does not read often, because that
// takes the program's time.
func finish(b *testing.B, cmd *exec.Cmd) (said string) {
	if cmd.Err != nil {
		b.Skip(cmd.Err) // this machine lacks the program
	}
	var peak float64
	var text strings.Builder
	cmd.Stdout, cmd.Stderr = &text, &text
	check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			if err != nil {
				log.Panicf("%s: %v: %.300s", cmd.Args[0], err, &text)
			}
			b.ReportMetric(peak, "peak-MB")
			return text.String()
		case <-time.After(5 * time.Millisecond):
			peak = max(peak, peakMB(cmd.Process.Pid))
		}
	}
}

// usage returns a function for the processor time of this process so far, or of
// its processes that ended, in nanoseconds.
func usage(who int) func() float64 {
	return func() float64 {
		var u syscall.Rusage
		check(syscall.Getrusage(who, &u))
		return float64(u.Utime.Nano() + u.Stime.Nano())
	}
}

// running returns a function for the processor time of all threads of a running
// process.
func running(cmd *exec.Cmd) func() float64 {
	return func() (ns float64) {
		for _, path := range must(filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", cmd.Process.Pid))) {
			ns += kernel(path, "")
		}
		return ns
	}
}

// peakMB returns the peak memory of a running process.
func peakMB(pid int) float64 {
	return kernel(fmt.Sprintf("/proc/%d/status", pid), "VmHWM:") * kib / 1e6
}

// kernel reads the number after a word in a file of the kernel. It returns 0 if
// there is none.
func kernel(path, word string) float64 {
	text, _ := os.ReadFile(path)
	_, after, _ := strings.Cut(string(text), word)
	n, _ := strconv.ParseFloat(strings.Fields(after + " 0")[0], 64)
	return n
}
