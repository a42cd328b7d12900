package upload

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// Sent is the outcome of one source, as [Many] yields it: the source as it was
// handed in and, if the error beside it is nil, the provider's result.
type Sent struct {
	Source Source
	Result Result
}

// Many uploads srcs with u, up to n at once (fewer than one means one), and
// yields each as it completes, in whatever order that is.
//
//	for sent, err := range upload.Many(ctx, client, 16, srcs) {
//		if err != nil {
//			log.Printf("%s: %v", sent.Source.Name, err) // the others go on
//			continue
//		}
//		fmt.Println(sent.Result.ID, sent.Source.Name)
//	}
//
// A source is asked for only when it can be sent at once, and an upload whose
// result has not been taken yet counts as one of the n. So memory does not grow
// with the number of sources, and srcs may be endless. A slow loop body slows
// the uploads, and results do not pile up. A pair of srcs whose error is not
// nil is yielded as it is, and the rest go on.
//
// Yields never overlap. Srcs runs on a goroutine of its own, so that results
// arrive while it waits for its next source. When srcs ends, the uploads in
// flight are finished and yielded. Breaking out of the loop cancels the uploads
// in flight, waits until they have ended and drops their results. When ctx
// ends, no more sources are asked for, and the uploads in flight are yielded
// with their errors. If srcs had not ended, the last yield is an empty Sent
// with ctx's error, so a batch that was cut short never looks complete.
//
// No goroutine outlives the loop. A panic in srcs or u comes out of the loop.
// The loop waits for srcs too, so a srcs that can block for long should end
// with its own context.
func Many(ctx context.Context, u Uploader, n int, srcs iter.Seq2[Source, error]) iter.Seq2[Sent, error] {
	return func(yield func(Sent, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		m := &many{
			ctx: ctx, u: u, free: make(chan struct{}, max(n, 1)), work: make(chan Source), done: make(chan outcome),
		}
		defer func() { // also when yield panics
			cancel()
			for range m.done {
			}
		}()
		go m.feed(srcs)
		for o := range m.done {
			switch {
			case o.panicked != nil:
				panic(o.panicked)
			case o.exited:
				runtime.Goexit()
			}
			<-m.free // only now, so that results do not pile up
			if !yield(o.sent, o.err) {
				return
			}
		}
		if m.cut {
			yield(Sent{}, ctx.Err())
		}
	}
}

// many is one run over the sources. Channels work and done have no buffers.
// With buffers a second processor often takes part in short uploads, and then
// each upload costs three times as much.
type many struct {
	ctx  context.Context
	u    Uploader
	free chan struct{} // holds one element for each source asked for and not yet yielded
	work chan Source   // to the workers, at most cap(free) of them
	done chan outcome  // closed when nothing runs any more
	cut  bool          // srcs had not ended; valid once done is closed
}

type outcome struct {
	sent Sent
	err  error

	panicked any  // what a foreign function panicked with
	exited   bool // it called runtime.Goexit, as t.FailNow does
}

func (m *many) feed(srcs iter.Seq2[Source, error]) {
	var uploads sync.WaitGroup
	defer close(m.done)
	defer uploads.Wait()
	defer close(m.work)
	workers := 0
	m.relayPanic(func() {
		if m.cut = !m.next(); m.cut {
			return
		}
		for src, err := range srcs {
			switch {
			case err != nil:
				m.done <- outcome{sent: Sent{Source: src}, err: err}
			case workers < cap(m.free):
				workers++
				uploads.Go(func() { m.relayPanic(func() { m.serve(src) }) })
			default: // src has a place, so one worker is about to ask for more
				m.work <- src
			}
			// Waiting after the upload has begun, and not before, keeps srcs
			// from making a source that has no place.
			if m.cut = !m.next(); m.cut {
				return
			}
		}
	})
}

// serve uploads src and then the sources of m.work. A new goroutine for each
// source would grow its stack each time.
func (m *many) serve(src Source) {
	for more := true; more; src, more = <-m.work {
		res, err := m.u.Upload(m.ctx, src)
		m.done <- outcome{sent: Sent{Source: src, Result: res}, err: err}
	}
}

// next waits for a place and reports whether the run goes on.
func (m *many) next() bool {
	select {
	case m.free <- struct{}{}:
	case <-m.ctx.Done():
	}
	return m.ctx.Err() == nil
}

// relayPanic runs f. A panic or Goexit of f goes to the goroutine that ranges.
func (m *many) relayPanic(f func()) {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover() // not nil even for panic(nil), so nil means Goexit
		m.done <- outcome{panicked: v, exited: v == nil}
	}()
	f()
	returned = true
}
