package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// sender is one run of send.
type sender struct {
	*sendCmd
	*console
	to      provider
	client  upload.Uploader
	journal *journal // nil without --journal
	stdin   io.Reader

	tally    tally
	quit     chan struct{} // closed when no more files are to be taken up
	once     sync.Once
	pending  sync.Map // path -> entry, of what was sent by an earlier run and has no documentId yet
	document sync.Map // fileId -> documentId, on its way from Upload to report

	// The rest is of one goroutine each, and read when all have ended.

	taken   map[pathKey]bool // with a journal: the paths of this run
	known   int              // files that the journal had
	cut     bool             // files were left that nobody looked at
	release []func()         // when all is sent

	sent, failures int
	failed         []string // the first of them
	fatal          bool     // something failed that is none of the files
}

// halt lets what is in flight finish and takes up nothing more.
func (s *sender) halt() { s.once.Do(func() { close(s.quit) }) }

func (s *sender) run() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer onInterrupt(func() {
		s.halt()
		s.caret()
		s.note("finishing what is in flight (%d); interrupt again to stop now", s.tally.inFlight.Load())
	}, func() {
		cancel()
		s.caret()
		s.note("stopping")
	})()

	began := time.Now()
	unwatch := s.watch(&s.tally)
	unscan := s.scan()
	for sent, err := range upload.Many(ctx, s, s.Concurrency, s.sources(ctx)) {
		switch path := sent.Source.Name; {
		case err == nil:
			s.report(path, sent.Result)
		case path == "" && ctx.Err() != nil:
			s.cut = true // Many's own word
		default:
			s.fail(path, err)
		}
	}
	s.halt()
	unscan()
	unwatch()
	for _, release := range s.release {
		release()
	}
	return s.summary(time.Since(began))
}

// scan counts ahead what there is. A list on standard input cannot be read
// twice: then nobody knows what is left.
func (s *sender) scan() (wait func()) {
	s.tally.unknown.Store(1 + s.stdins())
	if s.FilesFrom == stdinPath {
		return func() {}
	}
	var scanning sync.WaitGroup
	scanning.Go(func() {
		look := s.search(func(string, ...any) {})
		for f, err := range look.files() {
			if err == nil {
				s.tally.expect(1, f.size())
			}
		}
		if !look.cut {
			s.tally.unknown.Add(-1)
		}
	})
	return scanning.Wait
}

// report prints what was sent. Where that cannot be done, the file is one that
// failed, and going on makes no sense.
func (s *sender) report(path string, res upload.Result) {
	r := recordOf(res)
	r.Provider, r.Path, r.document = s.To, path, s.Wait
	if id, ok := s.document.LoadAndDelete(res.ID); ok {
		r.DocumentID = id.(int64)
	}
	if err := s.data(r.line(s.JSON)); err != nil {
		s.fail(path, fmt.Errorf("sent as %s, but %w", res.ID, err))
		s.stop(err)
		return
	}
	s.sent++
}

func (s *sender) fail(path string, err error) {
	s.note("%s: %s", shown(path), told(err))
	s.failures++
	if len(s.failed) < 10 {
		s.failed = append(s.failed, shown(path))
	}
	if errors.Is(err, errJournal) {
		s.stop(errJournal)
	}
}

// stop is halt for a reason that all files share.
func (s *sender) stop(reason error) {
	if !s.fatal {
		s.note("%v: nothing more is sent", reason)
	}
	s.fatal = true
	s.halt()
}

// summary ends the run. One file that was named and has failed needs none.
func (s *sender) summary(took time.Duration) error {
	ok := s.failures == 0 && !s.cut
	if s.known > 0 || s.cut || s.barred || s.failures > 0 && s.sent+s.failures > 1 {
		words := []string{fmt.Sprintf("%d sent", s.sent)}
		if s.known > 0 {
			words = append(words, fmt.Sprintf("%d sent before, as the journal says", s.known))
		}
		if s.failures > 0 {
			names := strings.Join(s.failed, ", ")
			if more := s.failures - len(s.failed); more > 0 {
				names += fmt.Sprintf(" and %d more", more)
			}
			words = append(words, fmt.Sprintf("%d failed: %s", s.failures, names))
		}
		if s.cut {
			words = append(words, "the rest was not looked at")
		}
		s.note("%s; %s in %s", strings.Join(words, "; "), byteSize(s.tally.doneBytes.Load()), took.Round(100*time.Millisecond))
	}
	if !ok {
		return errReported
	}
	return nil
}
