package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/putpost/putpost/wrappers/internal/find"
	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/internal/stall"
	"github.com/putpost/putpost/wrappers/upload"
)

func (s *sender) search(ctx context.Context, note func(path, why string)) *find.Search {
	return &find.Search{Named: s.Files, List: s.list, Recursive: s.Recursive, Own: s.own, Quit: ctx.Done(), Note: note}
}

// ownFiles returns the files that are never sent: those that this run writes,
// and the file of its credentials.
func (s *sender) ownFiles(envFile string) (own []find.Own) {
	add := func(is string, info fs.FileInfo, err error) {
		if err == nil && info.Mode().IsRegular() {
			own = append(own, find.Own{Info: info, Is: is})
		}
	}
	if f, ok := s.out.(*os.File); ok {
		info, err := f.Stat()
		add("standard output of this run", info, err)
	}
	if f, ok := s.err.(*os.File); ok {
		info, err := f.Stat()
		add("standard error of this run", info, err)
	}
	if s.journal != nil {
		info, err := s.journal.Info()
		add("the journal", info, err)
	}
	if envFile != "" {
		info, err := os.Stat(envFile)
		add("the file of --env-file", info, err)
	}
	return own
}

// noteFile writes a note about a file.
func (s *sender) noteFile(path, why string) { s.note("%s: %s", shown(path), why) }

// sources yields the files for upload.Many. Source.Name is the path. The client
// sends its last element.
func (s *sender) sources(ctx context.Context) iter.Seq2[upload.Source, error] {
	return func(yield func(upload.Source, error) bool) {
		look := s.search(s.more, s.noteFile)
		for f, err := range look.Files() {
			src, taken, err := upload.Source{}, true, cause(err)
			if err == nil {
				s.seen++
				if s.list.Once() { // it was not counted ahead
					s.tally.expect(1, f.Size())
				}
				src, taken, err = s.source(ctx, f)
				if !taken || err != nil {
					s.tally.expect(-1, f.Size())
				}
			}
			src.Name = f.Path
			if taken && !yield(src, err) {
				return
			}
		}
		s.cut = look.Cut
	}
}

// source returns the source of f. If taken is false, f need not be sent.
func (s *sender) source(ctx context.Context, f find.File) (src upload.Source, taken bool, err error) {
	if f.Path == find.Stdin {
		src, done, err := stdinSource(s.sentName(f.Path), s.stdin, s.more.Done())
		s.tally.unknown.Add(-1)
		if err == nil {
			s.release = append(s.release, done)
			s.tally.bytes.Add(src.Size)
		}
		return src, true, err
	}
	switch plan, e, err := s.planFor(ctx, f); {
	case err != nil:
		return src, true, err
	case plan == wasSent:
		s.known++
		return src, false, nil
	case plan == isTwice:
		return src, false, nil
	case plan == toWait:
		s.pending.Store(f.Path, e)
	}
	src, err = upload.File(f.Path)
	if err != nil {
		return src, true, reason(err)
	}
	if s.Name != "" {
		// The new name decides the type.
		if t := upload.Reader(s.Name, nil, 0).ContentType; t != upload.OctetStream {
			src.ContentType = t
		}
	}
	return src, true, nil
}

// absolute returns the absolute path. Unlike filepath.Abs it does not ask the
// system for the working directory each time, which would double its cost.
func (s *sender) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.folder, path)
}

// A plan is what a run does with a file.
const (
	toSend  = "send"
	toWait  = "wait" // for the document of a file that was sent before
	wasSent = "sent"
	isTwice = "" // this run has had the file before
)

// planFor returns the plan for f by the journal, and the entry of a file that
// was sent before.
func (s *sender) planFor(ctx context.Context, f find.File) (plan string, e journal.Entry, err error) {
	if s.journal == nil || f.Path == find.Stdin {
		return toSend, e, nil
	}
	path := s.absolute(f.Path)
	key := journal.KeyOf(path)
	if s.taken[key] {
		s.noteFile(f.Path, "named twice; sent once")
		return isTwice, e, nil
	}
	s.taken[key] = true
	e, sent, err := s.journal.Lookup(path)
	if err != nil || !sent {
		return toSend, e, err
	}
	same, err := e.Same(ctx, f.Path, journal.FingerprintOf(f.Info))
	switch {
	case err != nil || !same:
		return toSend, e, cause(err)
	case s.Wait && e.DocumentID == 0:
		return toWait, e, nil
	}
	return wasSent, e, nil
}

// sentName returns the name that the provider gets for the file at path.
func (s *sender) sentName(path string) string {
	switch {
	case s.Name != "":
		return s.Name
	case path == find.Stdin:
		return "stdin"
	}
	return path
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
