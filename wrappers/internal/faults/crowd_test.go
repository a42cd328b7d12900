package faults

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/putpost/putpost/wrappers/upload"
)

// Many uploads at once through one client, of which every fifth request is
// spoiled: each file that the caller was told of is there, and none has bytes of
// another's.
func TestCrowd(t *testing.T) {
	for _, at := range carriers {
		t.Run(string(at), func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			l := newLab(t, at)
			l.counts = nil
			spoil := []fault{reset, afterHalf(reset), afterBody(closed), done(reset), answer(503, ""), afterHalf(lingering(503)), afterBody(answer(500, "<html>"))}
			l.faults[at] = func(h *hit) {
				if h.n%5 == 0 {
					spoil[h.n/5%len(spoil)](h)
					return
				}
				h.correct()
			}
			l.start()
			u := l.uploader()
			const files, sessions = 200, 16
			content := noise(files + 100_000)
			srcs := make(chan upload.Source, files)
			for i := range files { // around the length up to which a body is read beforehand, and far from it
				size := []int{1, 1000, 68<<10 - 700, 68 << 10, 68<<10 + 1, 100_000}[i%6]
				srcs <- l.count(upload.Bytes(fmt.Sprintf("%d.bin", i), content[i:i+size]))
			}
			close(srcs)
			var wg sync.WaitGroup
			for range sessions {
				wg.Go(func() {
					for src := range srcs {
						res, err := u.Upload(t.Context(), src)
						if err != nil {
							if !errors.Is(err, upload.ErrUnavailable) {
								t.Errorf("%s: %v", src.Name, err)
							}
							continue // four spoiled requests in a row
						}
						rc, _ := src.Open()
						want, _ := digestOf(rc)
						_ = rc.Close()
						if got := l.under(res.ID); got != want {
							t.Errorf("%s: %d bytes of %d are stored, or others", src.Name, got.size, want.size)
						}
					}
				})
			}
			wg.Wait()
			for _, c := range l.counts {
				c.settle(t)
			}
			l.onlyWhole(true)
			if n := l.received(at); n < files*6/5 {
				t.Errorf("%d requests: nothing was spoiled", n)
			}
			l.goesOn(u)
			l.end()
			goleak.VerifyNone(t, before)
		})
	}
}
