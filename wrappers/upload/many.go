package upload

import (
	"context"
	"iter"
	"runtime"
	"sync"
)

// Sent is what [Many] yields for one source: the source as it was handed in,
// and, where the error beside it is nil, what the provider said of it.
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
// with the number of sources, which may be endless, and a slow loop body slows
// the uploads instead of piling up results. A pair of srcs whose error is not
// nil is yielded as it is, and the rest go on.
//
// Yields never overlap. Srcs runs beside the loop on a goroutine of its own, so
// that results arrive while it waits for its next source. When srcs ends, what
// is in flight is finished and yielded. Breaking out of the loop cancels what
// is in flight, waits until it has ended and drops its results. When ctx ends,
// no more sources are asked for, what is in flight is yielded with its error,
// and where srcs had not come to its end, the last yield is an empty Sent with
// ctx's error: a batch cut short never looks like a whole one.
//
// No goroutine outlives the loop, however it ends; a panic in srcs or u comes
// out of the loop. This means that the loop waits for srcs too: one that can
// block for long should end with a context of its own.
func Many(ctx context.Context, u Uploader, n int, srcs iter.Seq2[Source, error]) iter.Seq2[Sent, error] {
	return func(yield func(Sent, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		m := &many{
			ctx: ctx, u: u, free: make(chan struct{}, max(n, 1)),
			work: make(chan Source), done: make(chan outcome),
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
			if !yield(o.sent, o.err) {
				return
			}
		}
		if m.cut {
			yield(Sent{}, ctx.Err())
		}
	}
}

// many is one run over the sources.
type many struct {
	ctx  context.Context
	u    Uploader
	free chan struct{} // holds one element for each source asked for and not yet yielded
	work chan Source   // to the workers, of which there are as many as places at most
	done chan outcome  // closed when nothing runs any more
	cut  bool          // the sources were left before their end; to be read once done is closed
}

type outcome struct {
	sent Sent
	err  error

	panicked any  // what a foreign function panicked with
	exited   bool // it called runtime.Goexit, as t.FailNow does
}

func (m *many) feed(srcs iter.Seq2[Source, error]) {
	var flying sync.WaitGroup
	defer close(m.done)
	defer flying.Wait()
	defer close(m.work)
	workers := 0
	m.guard(func() {
		if m.cut = !m.next(); m.cut {
			return
		}
		for src, err := range srcs {
			switch {
			case err != nil:
				m.report(outcome{sent: Sent{Source: src}, err: err})
			case m.idle(src):
			case workers < cap(m.free):
				workers++
				flying.Go(func() { m.guard(func() { m.serve(src) }) })
			default: // src has a place, so a worker has none and is about to ask for more
				m.work <- src
			}
			// Waiting here and not before the upload is what makes it lazy:
			// srcs goes on only when its next source has a place.
			if m.cut = !m.next(); m.cut {
				return
			}
		}
	})
}

// idle gives src to a worker that waits for one, if any does.
func (m *many) idle(src Source) bool {
	select {
	case m.work <- src:
		return true
	default:
		return false
	}
}

// serve uploads src and then what else there is. A goroutine of its own for
// each source would grow its stack anew each time.
func (m *many) serve(src Source) {
	m.send(src)
	for src := range m.work {
		m.send(src)
	}
}

func (m *many) send(src Source) {
	res, err := m.u.Upload(m.ctx, src)
	m.report(outcome{sent: Sent{Source: src, Result: res}, err: err})
}

// next waits for a place and reports whether there is still a use for it.
func (m *many) next() bool {
	select {
	case m.free <- struct{}{}:
	case <-m.ctx.Done():
	}
	return m.ctx.Err() == nil
}

// report keeps the place until the loop has taken the outcome.
func (m *many) report(o outcome) {
	m.done <- o
	<-m.free
}

// guard carries a panic or Goexit of f over to the goroutine that ranges.
func (m *many) guard(f func()) {
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
