package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// peakOf is the most memory that a process had, in bytes, by the kernel's count
// for it alone; 0 where there is no /proc. The figure that comes with a child's
// exit will not do: on Linux it begins with what the parent had when it started
// the child.
func peakOf(pid int) int64 { return statusLine(fmt.Sprint("/proc/", pid, "/status"), "VmHWM:") }

// freeMemory is what the machine could still give away, in bytes; 0 where it
// cannot be known.
func freeMemory() int64 { return statusLine("/proc/meminfo", "MemAvailable:") }

func statusLine(path, name string) int64 {
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name); found {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// watchPeak looks at a process that cannot be asked at its end, until the
// function that it returns is called.
func watchPeak(pid int) func() int64 {
	end, peak := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-tick.C:
				most = max(most, peakOf(pid))
			case <-end:
				tick.Stop()
				peak <- most
				return
			}
		}
	}()
	return func() int64 { close(end); return <-peak }
}
