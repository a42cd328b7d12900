package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
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
	j, err := lockJournal(c.File, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer j.close()
	out := newOutput(p)
	found, err := j.inspect(out, io.Discard)
	if err != nil {
		return fmt.Errorf("journal %s: %w", c.File, err)
	}
	out.note("journal %s: %s; %s", c.File, counted(found.kept, "whole entry"), found)
	if found.damaged > 0 {
		return errReported
	}
	return nil
}

func (c *journalRepairCmd) Run(p *program) error {
	j, err := lockJournal(c.File, os.O_RDWR)
	if err != nil {
		return err
	}
	defer j.close()
	out := newOutput(p)
	aside, err := os.CreateTemp(filepath.Dir(c.File), filepath.Base(c.File)+".repair-")
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name()) // unless it has taken the journal's name
	defer aside.Close()
	found, err := j.inspect(out, aside)
	if err == nil && found.damaged > 0 {
		err = aside.Sync()
	}
	if err != nil {
		return fmt.Errorf("journal %s: %w", c.File, err)
	}
	if found.damaged == 0 {
		out.note("journal %s: %s; it is left as it is", c.File, found)
		return nil
	}
	aside.Close()
	if runtime.GOOS == "windows" { // which gives no new name to an open file
		j.close()
	}
	original, err := keep(c.File)
	if err == nil {
		err = os.Rename(aside.Name(), c.File)
	}
	if err != nil {
		return fmt.Errorf("journal %s: %w", c.File, err)
	}
	syncFolder(filepath.Dir(c.File))
	out.note("journal %s: %s kept; %s; the original is %s", c.File, counted(found.kept, "entry"), found, original)
	return nil
}

// keep gives the file at path a second name, and takes none that is in use.
func keep(path string) (second string, err error) {
	for n := 1; ; n++ {
		second = path + ".damaged"
		if n > 1 {
			second = fmt.Sprintf("%s.%d", second, n)
		}
		if err = os.Link(path, second); !errors.Is(err, os.ErrExist) {
			return second, err
		}
	}
}

// inspection counts what a journal holds. Of a damaged line an entry may be
// left: where the damage is in the line feed, even two.
type inspection struct{ kept, damaged, lost int64 }

func (i inspection) String() string {
	if i.damaged == 0 {
		return "no damage"
	}
	return fmt.Sprintf("%s damaged, %d of them lost", counted(i.damaged, "line"), i.lost)
}

// inspect prints each damaged line to out and copies the entries to good.
func (j *journal) inspect(out *output, good io.Writer) (found inspection, err error) {
	r := bufio.NewReader(j.file)
	w := bufio.NewWriter(good)
	var at int64
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return found, err
		}
		if len(line) == 0 {
			break
		}
		entries, whole := entriesIn(line)
		for _, e := range entries {
			found.kept++
			w.Write(e)
			w.WriteByte('\n')
		}
		if !whole {
			path := ""
			found.damaged++
			if len(entries) == 0 {
				found.lost++
				path = damagedPath(line)
			}
			if err := out.data(fmt.Sprintf("%d\t%d\t%d\t%s\n", number, at, len(line), column(path))); err != nil {
				return found, err
			}
		}
		at += int64(len(line))
	}
	if found.kept == 0 && found.damaged > 0 {
		return found, errors.New("no line can be read; this is no putpost journal; the file is left as it is")
	}
	return found, w.Flush()
}

// entriesIn are the entries that can be read in a line, as they stand there.
// Whole says that the line is one of them and nothing else.
func entriesIn(line []byte) (entries [][]byte, whole bool) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if _, err := parseLine(line); err == nil {
		return [][]byte{line}, true
	}
	magic := []byte(journalMagic)
	for at := bytes.Index(line, magic); at >= 0; {
		line = line[at:]
		next := bytes.Index(line[len(magic):], magic)
		piece := line
		if next >= 0 {
			piece = line[:len(magic)+next]
		}
		dec := json.NewDecoder(bytes.NewReader(piece))
		var raw json.RawMessage
		if dec.Decode(&raw) == nil {
			if _, err := parseLine(raw); err == nil {
				entries = append(entries, raw)
			}
		}
		if next < 0 {
			break
		}
		at = len(magic) + next
	}
	return entries, false
}

// damagedPath is the path of a damaged line, where it can still be read.
func damagedPath(line []byte) string {
	_, after, found := bytes.Cut(line, []byte(`"path":`))
	var path string
	if !found || json.NewDecoder(bytes.NewReader(after)).Decode(&path) != nil {
		return ""
	}
	return path
}
