package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// task is what one process does: a peer's round, so that its cost includes
// nothing of another peer's heap, connections or collector.
type task struct {
	Peer        string
	Base        string // scheme, host and port of the server
	CA          string // the PEM file that its certificate goes by
	File        string
	Size        int64
	Count       int    // uploads that are measured
	Warm        int    // uploads before them, which open the connections
	Concurrency int    // uploads at once
	Profile     string // write a CPU profile of the measured uploads here
}

// cost is what the measured uploads of one task took together.
type cost struct {
	CPU       time.Duration // user and system
	Wall      time.Duration
	RSS       int64  // peak of the process, bytes
	Allocated uint64 // objects on the heap; 0 for another program
	Bytes     uint64 // their size
}

// per is the cost of one of count uploads.
func (c cost) per(count int) cost {
	n := max(count, 1)
	c.CPU, c.Wall = c.CPU/time.Duration(n), c.Wall/time.Duration(n)
	c.Allocated, c.Bytes = c.Allocated/uint64(n), c.Bytes/uint64(n)
	return c
}

// run has a process of its own do t.
func (t task) run(ctx context.Context) (cost, error) {
	var c cost
	err := self(ctx, t.CA, &c, "task", t)
	if err != nil {
		err = fmt.Errorf("%s, %s: %w", t.Peer, bytesText(t.Size), err)
	}
	return c, err
}

// self runs this program as a child that is told what to do and answers in JSON.
// Its clients trust the authority in ca, as system settings would have them.
func self(ctx context.Context, ca string, answer any, verb string, what any) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, verb, string(text))
	cmd.Env = append(withoutProxy(os.Environ()), "SSL_CERT_FILE="+ca)
	out, err := cmd.Output()
	if ee, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(ee.Stderr)))
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(out, answer)
}

// withoutProxy keeps on the loopback what measures the loopback.
func withoutProxy(env []string) []string {
	var kept []string
	for _, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			kept = append(kept, e)
		}
	}
	return kept
}

// do is what the process of t does.
func (t task) do(ctx context.Context, out io.Writer) error {
	p, err := peerNamed(t.Peer)
	if err != nil {
		return err
	}
	measure := t.measure
	if p.program != nil {
		measure = t.measureProgram
	}
	c, err := measure(ctx, p)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(c)
}

func (t task) measure(ctx context.Context, p peer) (cost, error) {
	upload, err := p.upload(t)
	if err != nil {
		return cost{}, err
	}
	if err := repeat(ctx, t.Warm, t.Concurrency, upload); err != nil {
		return cost{}, err
	}
	if t.Profile != "" {
		f, err := os.Create(t.Profile)
		if err != nil {
			return cost{}, err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return cost{}, err
		}
		defer pprof.StopCPUProfile()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, begin := used(syscall.RUSAGE_SELF), time.Now()
	err = repeat(ctx, t.Count, t.Concurrency, upload)
	c := cost{CPU: used(syscall.RUSAGE_SELF) - cpu, Wall: time.Since(begin), RSS: peakOf(os.Getpid())}
	runtime.ReadMemStats(&after)
	c.Allocated, c.Bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return c, err
}

// measureProgram takes the cost of another program from what the kernel says of
// it once it has ended, its start included.
func (t task) measureProgram(ctx context.Context, p peer) (cost, error) {
	begin := time.Now()
	peak, err := p.program(ctx, t)
	return cost{CPU: used(syscall.RUSAGE_CHILDREN), Wall: time.Since(begin), RSS: peak}, err
}

// repeat uploads count times, as many at once as it is told.
func repeat(ctx context.Context, count, concurrency int, upload func(context.Context) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var workers sync.WaitGroup
	for range max(1, min(concurrency, count)) {
		workers.Go(func() {
			for failed.Load() == nil && next.Add(1) <= int64(count) {
				if err := upload(ctx); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	workers.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// used is the processor time of this process, or of its children that ended.
func used(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(fmt.Sprint("getrusage: ", err)) // it has no other arguments that could be wrong
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
