package main

import (
	"fmt"

	"github.com/putpost/putpost/wrappers/internal/journal"
)

type journalCmd struct {
	Check  journalCheckCmd  `cmd:"" help:"Look for damage in a journal. Print the line, the place and the path of what is lost."`
	Repair journalRepairCmd `cmd:"" help:"Write the undamaged lines of a journal anew. Keep the original beside it."`
}

type journalCheckCmd struct {
	File string `arg:"" name:"FILE" help:"A journal of putpost send."`
}

func (*journalCheckCmd) Help() string {
	return `For example:

  putpost journal check sent.journal

Each damaged line is a line on standard output,
"LINE<TAB>OFFSET<TAB>BYTES<TAB>PATH". PATH is the file whose entry is lost, if it
can still be read. The journal is not changed. Exit code: 0 when there is no
damage, 1 when there is.`
}

type journalRepairCmd struct {
	File string `arg:"" name:"FILE" help:"A journal of putpost send."`
}

func (*journalRepairCmd) Help() string {
	return `For example:

  putpost journal repair sent.journal

The original becomes FILE.damaged (or FILE.damaged.2 and so on) and is never
deleted. FILE then holds all lines that can be read. What is lost is printed as
by "putpost journal check". The files of lost lines are sent again by the next
run. A journal without damage is left as it is.`
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
