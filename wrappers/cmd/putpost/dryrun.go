package main

import (
	"context"
	"fmt"

	"github.com/putpost/putpost/wrappers/internal/find"
	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

// planned is the JSON object of a file in a --dry-run.
type planned struct {
	Provider string `json:"provider"`
	Path     string `json:"path"`
	RawPath  []byte `json:"rawPath,omitempty"`
	Plan     string `json:"plan"` // send, wait or sent
	ID       string `json:"id,omitempty"`
	Size     *int64 `json:"size,omitempty"` // nil for standard input
}

// plan prints what run would do. It sends no request, does not write the
// journal and does not read standard input.
func (s *sender) plan(ctx context.Context) error {
	var files, bytes int64
	look := s.search(s.more, s.noteFile)
	for f, err := range look.Files() {
		p, err := planned{Provider: s.To, Path: f.Path, RawPath: journal.RawPath(f.Path), Plan: "send"}, cause(err)
		if err == nil {
			s.seen++
			err = s.describe(ctx, f, &p)
		}
		if err != nil {
			s.fail(f.Path, "", err)
			continue
		}
		if p.Plan == "" {
			continue // named twice
		}
		if p.Plan == "send" {
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

// describe sets p's plan and id from the journal, and checks that f can be
// read.
func (s *sender) describe(ctx context.Context, f find.File, p *planned) error {
	if f.Path == find.Stdin {
		return nil
	}
	size := f.Size()
	p.Size = &size
	if s.journal != nil {
		path := s.absolute(f.Path)
		if s.taken[journal.KeyOf(path)] {
			p.Plan = ""
			return nil
		}
		taken, err := s.mustSend(ctx, f)
		if err != nil {
			return err
		}
		if e, waits := s.pending.LoadAndDelete(f.Path); waits {
			p.Plan, p.ID = "wait", e.(journal.Entry).ID
			return nil
		}
		if !taken {
			e, _, err := s.journal.Lookup(path)
			p.Plan, p.ID = "sent", e.ID
			return err
		}
	}
	_, err := upload.File(f.Path)
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
