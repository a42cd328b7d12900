package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/putpost/putpost/wrappers/internal/find"
	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

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

// absolute returns the absolute path. Unlike filepath.Abs it does not ask the
// system for the working directory each time, because asking would double its
// cost.
func (s *sender) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(s.folder, path)
}

// planned is the JSON object of a file in a --dry-run.
type planned struct {
	about
	Plan string `json:"plan"`
	Size *int64 `json:"size,omitempty"` // nil for standard input
}

// plan prints what run would do. It sends no request, does not write the
// journal and does not read standard input.
func (s *sender) plan(ctx context.Context) error {
	var files, bytes int64
	look := s.search(s.more, s.noteFile)
	for f, err := range look.Files() {
		p := planned{about: s.about(f.Path, "")}
		if err = cause(err); err == nil {
			s.seen++
			err = s.describe(ctx, f, &p)
		}
		switch {
		case err != nil:
			s.fail(f.Path, "", err)
			continue
		case p.Plan == isTwice:
			continue
		case p.Plan == toSend:
			files, bytes = files+1, bytes+f.Size()
		}
		if err := s.data(p.line(s.JSON)); err != nil {
			return err
		}
	}
	if s.seen == 0 && s.failures == 0 {
		s.failure("nothing would be sent: %s", s.nothing())
		return errReported
	}
	s.note("nothing was sent (--dry-run); without it: %s to send, %s", counted(files, "file"), byteSize(bytes))
	if s.failures > 0 {
		return errReported
	}
	return nil
}

// describe sets the plan of f in p. If f is to be sent, it checks that f can be
// read.
func (s *sender) describe(ctx context.Context, f find.File, p *planned) error {
	plan, e, err := s.planFor(ctx, f)
	p.Plan = plan
	if f.Path == find.Stdin || err != nil {
		return err
	}
	size := f.Size()
	p.Size = &size
	if plan != toSend {
		p.ID = e.ID
		return nil
	}
	_, err = upload.File(f.Path)
	return reason(err)
}

// line returns "PLAN<TAB>SIZE<TAB>PATH", with the id as fourth column if there
// is one.
func (p planned) line(asJSON bool) string {
	if asJSON {
		return jsonLine(p)
	}
	size := ""
	if p.Size != nil {
		size = fmt.Sprint(*p.Size)
	}
	line := p.Plan + "\t" + size + "\t" + column(p.Path)
	if p.ID != "" {
		line += "\t" + column(p.ID)
	}
	return line + "\n"
}
