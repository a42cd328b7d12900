//go:build unix

package soak

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// inMiddle is how many uploads of each client have sent one half when the
// server is killed. Others go on beside them.
const inMiddle = 25

// half is the source of an upload that stays in its middle until goOn is
// closed. A shorter file would be read before it is sent.
func half(n int, goOn <-chan struct{}) upload.Source {
	const size = 192 << 10
	r, w := io.Pipe()
	go func() {
		_, _ = w.Write(make([]byte, size/2))
		<-goOn
		_, _ = w.Write(make([]byte, size/2))
		w.Close()
	}()
	return upload.Reader(fmt.Sprintf("half-%d.bin", n), r, size)
}

func TestAKillLosesNothingThatWasAcknowledgedAndLeavesNothingInPart(t *testing.T) {
	dir, never := t.TempDir(), 1<<30
	srv := startServer(t, dir, never)
	lines := newLines(t, srv, upload.Retry{Attempts: 1})
	killed := make(chan struct{})
	more := func() bool {
		select {
		case <-killed:
			return false
		default:
			return true
		}
	}
	var done atomic.Int64
	crowd := func(yield func(upload.Source, error) bool) {
		for n := range inMiddle {
			if !yield(half(n, killed), nil) {
				return
			}
		}
		small(0, 1<<30, more)(yield)
	}
	var running sync.WaitGroup
	for _, l := range lines {
		running.Go(func() {
			failed := 0
			for sent, err := range upload.Many(t.Context(), l.client, 2*inMiddle,
				iter.Seq2[upload.Source, error](crowd)) {
				if done.Add(1); err == nil {
					l.acknowledge(sent)
				} else if failed++; !errors.Is(err, upload.ErrUnavailable) {
					t.Errorf("%s: %v", l.name, err)
				}
			}
			if failed < inMiddle {
				t.Errorf("%s: %d uploads failed, and %d were in their middle", l.name, failed, inMiddle)
			}
		})
	}
	earlier, goal := map[string]bool{}, int64(100)
	inTheirs := func() (n int) { // uploads that are aside still, though a hundred others are done
		for name := range aside(t, dir) {
			if earlier[name] {
				n++
			}
		}
		return n
	}
	until(t, "uploads in their middle, and others beside them", func() bool {
		if done.Load() < goal {
			return false
		}
		if inTheirs() >= 2*inMiddle {
			return true
		}
		earlier, goal = aside(t, dir), done.Load()+100
		return false
	})
	_ = srv.cmd.Process.Kill()
	_ = srv.cmd.Wait()
	close(killed)
	running.Wait()
	if n := inTheirs(); n < 2*inMiddle {
		t.Errorf("%d files are aside: the kill did not come in the middle of %d", n, 2*inMiddle)
	}

	srv = startServer(t, dir, never)
	if n := len(aside(t, dir)); n > 0 {
		t.Errorf("%d files that were written aside are left after the restart", n)
	}
	again := newLines(t, srv, upload.Retry{Attempts: 1})
	run(t, again, 0, 10, func() bool { return true })
	srv.stop(t)
	stored := check(t, dir, append(lines, again...))
	for i, l := range lines {
		if acked := l.acknowledged + again[i].acknowledged; again[i].acknowledged != 10 || stored[l] < acked {
			t.Errorf("%s: %d files are visible, and %d were acknowledged, %d of them after the restart",
				l.name, stored[l], acked, again[i].acknowledged)
		}
	}
}

// aside returns the names of the unfinished files.
func aside(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(dir, ".incoming"))
	if err != nil {
		t.Error(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		names[file.Name()] = true
	}
	return names
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begun := time.Now(); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("waited in vain for ", what)
		}
	}
}
