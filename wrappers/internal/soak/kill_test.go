//go:build unix

package soak

import (
	"iter"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

const (
	inFlight = 50 // uploads at once through each client: a hundred
	waiting  = 25 // of these wait in their middle, while the others go on
)

// crowd uploads through both clients. Some uploads wait in their middle at the
// gate. The others go on until there are enough.
type crowd struct {
	gate   *gate
	enough atomic.Bool
	begun  atomic.Int64
	done   atomic.Int64 // acknowledged or failed

	running sync.WaitGroup
	mu      sync.Mutex
	acked   map[string][]upload.Sent
	failed  map[string]int
}

func begin(t *testing.T, p *program) *crowd {
	t.Helper()
	c := &crowd{gate: newGate(), acked: map[string][]upload.Sent{}, failed: map[string]int{}}
	first, second := p.clients(t)
	for provider, client := range map[string]upload.Uploader{"twentyfourseven": first, "ncloudmailer": second} {
		c.running.Go(func() {
			for sent, err := range upload.Many(t.Context(), client, inFlight, c.sources()) {
				c.mu.Lock()
				c.done.Add(1)
				if err == nil {
					c.acked[provider] = append(c.acked[provider], sent)
				} else if c.failed[provider]++; !failedAsIt(err) {
					t.Errorf("%s: %v", provider, err)
				}
				c.mu.Unlock()
			}
		})
	}
	c.gate.await(t, 2*waiting)
	until(t, "uploads that go on beside those that wait", func() bool { return c.done.Load() >= 100 })
	return c
}

func (c *crowd) sources() iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		for n := 0; !c.enough.Load(); n++ {
			src := upload.Bytes(name(n), content(n, fileSize))
			if n < waiting {
				src = c.gate.source(n)
			}
			c.begun.Add(1)
			if !yield(src, nil) {
				return
			}
		}
	}
}

func (c *crowd) has(provider string, number int) bool {
	for _, sent := range c.acked[provider] {
		if numberOf(sent.Source.Name) == number {
			return true
		}
	}
	return false
}

func TestAKillLosesNothingThatWasAcknowledgedAndLeavesNothingInPart(t *testing.T) {
	dir := t.TempDir()
	p := startProgram(t, dir, "127.0.0.1:0")
	c := begin(t, p)
	p.end(syscall.SIGKILL)
	c.enough.Store(true)
	close(c.gate.open)
	c.running.Wait()
	for _, provider := range []string{"twentyfourseven", "ncloudmailer"} {
		if n := c.failed[provider]; n < waiting {
			t.Errorf("%s: %d uploads failed, and %d were in their middle", provider, n, waiting)
		}
		if c.has(provider, 0) {
			t.Errorf("%s: an upload in its middle was acknowledged", provider)
		}
	}
	if n := aside(t, dir); n < 2*waiting {
		t.Errorf("%d files are aside: the kill did not come in the middle of %d", n, 2*waiting)
	}
	if n, acked := visible(t, dir), len(c.acked["twentyfourseven"])+len(c.acked["ncloudmailer"]); n < acked {
		t.Errorf("%d files are visible, and %d were acknowledged", n, acked)
	}

	p = startProgram(t, dir, "127.0.0.1:0")
	if n := aside(t, dir); n > 0 {
		t.Errorf("%d files that were written aside are left after the restart", n)
	}
	// The API knows them, too.
	first, second := p.clients(t)
	for _, sent := range c.acked["twentyfourseven"] {
		if st, err := first.Status(t.Context(), sent.Result.ID); err != nil || st.Status != "Completed" {
			t.Errorf("getFileUploadStatus of what was acknowledged: %+v, %v", st, err)
		}
	}
	for _, sent := range c.acked["ncloudmailer"] {
		batch, err := second.GetFile(t.Context(), sent.Result.TempRequestID)
		if err != nil || len(batch.Files) != 1 || batch.Files[0].ID != sent.Result.ID || batch.Files[0].Size != fileSize {
			t.Errorf("getFile of what was acknowledged: %+v, %v", batch, err)
		}
	}
	for _, client := range []upload.Uploader{first, second} {
		if _, err := client.Upload(t.Context(), upload.Bytes(name(1), content(1, fileSize))); err != nil {
			t.Errorf("an upload after the restart: %v", err)
		}
	}
	if code := p.end(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	inFolder(t, dir, c.acked)
	visible(t, dir)
}
