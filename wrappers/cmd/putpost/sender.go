package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/find"
	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/internal/stall"
	"github.com/putpost/putpost/wrappers/upload"
)

// graceTime is how long files under way may take after the first signal. The
// program must end within 30 seconds, so it is a little less.
const graceTime = 25 * time.Second

// sender is one run of send.
type sender struct {
	*sendCmd
	*output
	env     environment
	to      provider
	client  upload.Uploader
	journal *journal.Journal // nil without --journal
	list    *find.List       // nil without --files-from
	stdin   io.Reader
	own     []find.Own
	folder  string // the working directory

	tally    tally
	more     context.Context // after its end no file is begun, and none waits for a documentId
	end      context.CancelCauseFunc
	counting context.Context // after its end the files are not counted any more
	scanOnce sync.Once
	scanning sync.WaitGroup
	pending  sync.Map // path -> entry of a file that an earlier run sent and that has no documentId yet
	document sync.Map // fileId -> documentId; Upload stores it and report takes it

	// Only one goroutine uses each of these until all goroutines have ended.

	taken   map[journal.Key]bool // with a journal: the paths of this run
	known   int                  // files that the journal had
	seen    int                  // files that were found
	cut     bool                 // the search ended early
	release []func()             // to call when all is sent

	sent, failures int
	failed         []string // the first ten that failed
	stopped        bool     // the run stopped for a reason that all files share
}

// halt ends s.more: no new file is begun, files under way are finished, and
// nothing waits for a documentId any more.
func (s *sender) halt() { s.end(errInterrupted) }

func (s *sender) run() error {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var uncount func()
	s.counting, uncount = context.WithCancel(ctx)
	defer onInterrupt(func() {
		s.halt()
		uncount()
		s.note("finishing %s under way within %s; interrupt again to stop now",
			counted(s.tally.inFlight.Load(), "file"), graceTime)
		time.AfterFunc(graceTime, func() {
			cancel(&ending{"interrupted",
				fmt.Sprintf("cut off %s after the interrupt", graceTime)})
		})
	}, func() {
		cancel(errInterrupted)
		s.note("stopping")
	})()

	began := time.Now()
	s.tally.unknown.Store(1 + s.stdins())
	unwatch := s.watch(&s.tally, s.env, s.count)
	for sent, err := range upload.Many(ctx, s, s.Concurrency, s.sources(ctx)) {
		switch path := sent.Source.Name; {
		case err == nil:
			s.report(path, sent.Result)
		case path == "" && ctx.Err() != nil:
			s.cut = true // Many itself ended early
		default:
			s.fail(path, sent.Result.ID, err)
		}
	}
	unwatch()
	s.halt()
	if s.stopped {
		s.count() // the summary says how many files were not sent
	} else {
		uncount()
	}
	s.scanning.Wait()
	for _, release := range s.release {
		release()
	}
	return s.summary(time.Since(began))
}

// count counts all files in the background, once. It counts no list that is a
// pipe, because a pipe can be read only once.
func (s *sender) count() {
	if s.list.Once() {
		return
	}
	s.scanOnce.Do(func() {
		s.scanning.Go(func() {
			look := s.search(s.counting, func(string, string) {})
			for f, err := range look.Files() {
				if err == nil {
					s.tally.expect(1, f.Size())
				}
			}
			if !look.Cut {
				s.tally.unknown.Add(-1)
			}
		})
	})
}

// Upload sends one file, adds it to the journal and waits for its document.
// [upload.Many] calls it. A file is sent twice only if the program was killed
// during its Upload.
func (s *sender) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx = stall.WithCancel(ctx, cancel)
	path := src.Name
	src.Name = s.sentName(path)
	src, done := s.tally.begin(src)
	e, err := s.deliver(ctx, path, src)
	if err != nil && isShared(err) && !s.KeepGoing {
		s.halt() // fail would be called only after the next file was begun
	}
	done(err)
	return e.Result(), err
}

func (s *sender) deliver(ctx context.Context, path string, src upload.Source) (e journal.Entry, err error) {
	if sent, ok := s.pending.LoadAndDelete(path); ok {
		e = sent.(journal.Entry)
	} else if e, err = s.send(ctx, path, src); err != nil || !s.Wait {
		return e, err
	}
	id, err := s.wait(ctx, e.ID)
	if err != nil && !errors.Is(err, s.to.failed) {
		return e, fmt.Errorf("sent as %s: %w", e.ID, err)
	}
	e.DocumentID, e.Failed = id, err != nil
	if s.journal != nil {
		if noted := s.journal.Add(e); noted != nil {
			return e, fmt.Errorf("sent as %s, documentId %d, but %w", e.ID, id, noted)
		}
	}
	if err != nil {
		return e, fmt.Errorf("sent as %s: %w", e.ID, err)
	}
	s.document.Store(e.ID, id)
	return e, nil
}

// wait waits for the documentId until --wait-timeout, or until a signal comes.
func (s *sender) wait(ctx context.Context, fileID string) (int64, error) {
	s.tally.waiting.Add(1)
	defer s.tally.waiting.Add(-1)
	ctx, release := within(ctx, time.Duration(s.WaitTimeout), "--wait-timeout")
	defer release()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.more, func() { cancel(context.Cause(s.more)) })()
	return s.to.wait(ctx, s.client, fileID)
}

// send sends one file and adds it to the journal. It takes the fingerprint
// before it reads the first byte, so the next run notices a later change.
func (s *sender) send(ctx context.Context, path string, src upload.Source) (e journal.Entry, err error) {
	ctx, release := within(ctx, time.Duration(s.Timeout), "--timeout")
	defer release()
	if s.journal == nil {
		res, err := s.client.Upload(ctx, src)
		return journal.EntryOf(res), err
	}
	now := time.Now()
	info, err := os.Stat(path)
	if err != nil {
		return journal.Entry{}, cause(err)
	}
	src, sum := journal.Summed(src)
	res, err := s.client.Upload(ctx, src)
	if err != nil {
		return journal.Entry{}, err
	}
	e = journal.EntryOf(res)
	e.Fingerprint, e.SHA256 = journal.FingerprintOf(info), sum()
	e.Noted, e.Path = journal.JSONTime(now), s.absolute(path)
	if err = s.journal.Add(e); err != nil {
		err = fmt.Errorf("sent as %s, but %w", e.ID, err)
	}
	return e, err
}

func (s *sender) about(path, id string) about { return about{s.To, path, journal.RawPath(path), id} }

// report prints a file that was sent. If that fails, the file counts as failed
// and the run stops.
func (s *sender) report(path string, res upload.Result) {
	r := recordOf(res)
	r.about, r.document = s.about(path, res.ID), s.Wait
	if id, ok := s.document.LoadAndDelete(res.ID); ok {
		r.DocumentID = id.(int64)
	}
	if err := s.data(r.line(s.JSON)); err != nil {
		s.fail(path, res.ID, fmt.Errorf("sent as %s, but %w", res.ID, err))
		return
	}
	s.sent++
}

// fail prints a file that failed. If id is set, the file was sent before the
// failure. A failure that all files share is printed once.
func (s *sender) fail(path, id string, err error) {
	f := failureOf(err)
	f.about = s.about(path, id)
	broken := errors.Is(err, errOutput)
	if s.JSON && !broken {
		if err := s.data(jsonLine(f)); err != nil {
			s.failure("%s", message(err))
			s.stop(err)
		}
	}
	s.failures++
	if len(s.failed) < 10 {
		s.failed = append(s.failed, shown(path))
	}
	shared := isShared(err)
	if id != "" || !s.stopped || !shared {
		s.failure("%s: %s", shown(path), message(err))
	}
	if broken || shared && !s.KeepGoing {
		s.stop(err)
	}
}

// stop halts the run for a reason that all files share.
func (s *sender) stop(reason error) {
	if !s.stopped && !s.single() {
		advice := "; --keep-going would try them"
		if errors.Is(reason, errOutput) {
			advice = ""
		}
		s.failure("every other file would fail for this reason, so no more are sent%s", advice)
	}
	s.stopped = true
	s.halt()
}

// single reports whether the command line names one file and no more.
func (s *sender) single() bool { return len(s.Files) == 1 && !s.Recursive && s.list == nil }

// summary prints the last line and returns the outcome. There is no summary if
// the only file failed.
func (s *sender) summary(took time.Duration) error {
	unsent := s.unsent()
	ok := s.failures == 0 && unsent == ""
	if s.seen == 0 && s.failures == 0 && !s.cut {
		s.failure("nothing was sent: %s", s.nothing())
		return errReported
	}
	if s.known > 0 || unsent != "" || newStatusLine(s.err, s.env) != nil || s.failures > 0 && s.sent+s.failures > 1 {
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
		if unsent != "" {
			words = append(words, unsent)
		}
		s.note("%s; %s in %s", strings.Join(words, "; "), byteSize(s.tally.doneBytes.Load()),
			took.Round(100*time.Millisecond))
	}
	if !ok {
		return errReported
	}
	return nil
}

// unsent returns words for the files that were not tried, if there are any.
func (s *sender) unsent() string {
	switch {
	case !s.cut:
		return ""
	case s.tally.countKnown():
		return fmt.Sprintf("%d not sent", s.tally.left())
	case s.list.Once():
		return "the rest of the list was not read"
	}
	return "the others were not sent"
}

// nothing returns why there was no file to send.
func (s *sender) nothing() string {
	if len(s.Files) == 0 {
		return "the list " + shown(s.FilesFrom) + " names no file"
	}
	var where []string
	for _, path := range s.Files[:min(3, len(s.Files))] {
		where = append(where, shown(path))
	}
	return "there is no file to send in " + and(where)
}
