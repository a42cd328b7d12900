package main

import (
	"fmt"

	"github.com/putpost/putpost/wrappers/internal/journal"
)

type journalCmd struct {
	Check  journalCheckCmd  `cmd:"" help:"Look for damage in a journal. Print which lines and which files are lost."`
	Repair journalRepairCmd `cmd:"" help:"Write a journal again without its damaged lines. Keep the original beside it."`
}

type journalCheckCmd struct {
	File string `arg:"" name:"FILE" help:"A journal of putpost send."`
}

func (*journalCheckCmd) Help() string {
	return `For example:

  putpost journal check sent.journal

For each damaged line it prints LINE<TAB>OFFSET<TAB>BYTES<TAB>PATH. PATH is the
file whose entry is lost, if the path can still be read. The journal is not
changed.

Exit code:

  - 0: there is no damage.
  - 1: there is damage, or the journal cannot be read.`
}

type journalRepairCmd struct {
	File string `arg:"" name:"FILE" help:"A journal of putpost send."`
}

func (*journalRepairCmd) Help() string {
	return `For example:

  putpost journal repair sent.journal

The original becomes FILE.damaged, or FILE.damaged.2 and so on. It is never
deleted. FILE then has all lines that can be read. What is lost is printed as by
"putpost journal check". The next run sends the files of lost lines again. A
journal without damage is not changed.`
}

func (c *journalCheckCmd) Run(p *program) error {
	out := newOutput(p)
	found, err := journal.Check(c.File, out.damage)
	if err != nil {
		return err
	}
	out.note("journal %s: %s; %s", c.File, counted(found.Kept, "whole entry"), damaged(found))
	if found.Damaged > 0 {
		return errReported
	}
	return nil
}

func (c *journalRepairCmd) Run(p *program) error {
	out := newOutput(p)
	found, original, err := journal.Repair(c.File, out.damage)
	switch {
	case err != nil:
		return err
	case original == "":
		out.note("journal %s: %s; it is left as it is", c.File, damaged(found))
	default:
		out.note("journal %s: %s kept; %s; the original is %s", c.File, counted(found.Kept, "entry"), damaged(found),
			original)
	}
	return nil
}

func (o *output) damage(d journal.Damage) error {
	return o.data(fmt.Sprintf("%d\t%d\t%d\t%s\n", d.Line, d.Offset, d.Bytes, column(d.Path)))
}

func damaged(found journal.Found) string {
	if found.Damaged == 0 {
		return "no damage"
	}
	return fmt.Sprintf("%s damaged, %d of them lost", counted(found.Damaged, "line"), found.Lost)
}
