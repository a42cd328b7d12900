package main

import (
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// write is the run's text: the table of ratios, then the goals.
func (b *bench) write(w io.Writer, goals []goal) {
	fmt.Fprintf(w, "putpost's benchmark (%s), %s, %s/%s, %d processors\n", b.name, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if curlFound() {
		out, _ := exec.Command("curl", "--version").Output()
		version, _, _ := strings.Cut(string(out), " (")
		fmt.Fprintln(w, version)
	}
	fmt.Fprint(w, `
Processor time of the client for one upload, as a multiple of net/http's PUT of
the same file, and where the middle half of the rounds lies. x16: 16 at once.

`)
	for _, group := range b.groups() {
		b.writeColumns(w, group)
	}
	b.writeMemory(w)
	if len(goals) > 0 {
		writeGoals(w, goals, b.judged)
	}
}

// groups are the columns that stand beside each other.
func (b *bench) groups() [][]column {
	var groups [][]column
	for _, way := range []string{plain, tlsH1, tlsH2} {
		var group []column
		for _, c := range b.columns {
			if c.way == way {
				group = append(group, c)
			}
		}
		if len(group) > 0 {
			groups = append(groups, group)
		}
	}
	return groups
}

func (b *bench) writeColumns(w io.Writer, columns []column) {
	rows := [][]string{{""}}
	for _, c := range columns {
		rows[0] = append(rows[0], c.String())
	}
	for _, k := range []kind{putOnly, form, twoCall} {
		section := [][]string{{string(k)}}
		for _, name := range b.peers {
			p, err := peerNamed(name)
			if err != nil || p.kind != k {
				continue
			}
			row := []string{"  " + name}
			for _, c := range columns {
				row = append(row, b.cell(c, name))
			}
			section = append(section, row)
		}
		if len(section) > 1 {
			rows = append(rows, section...)
		}
	}
	writeRows(w, rows)
}

func (b *bench) cell(c column, name string) string {
	if name == barePut {
		return "1 = " + duration(b.cpu(c, name))
	}
	r, measured := b.ratio(c, name, barePut)
	switch {
	case !measured:
		return "-"
	case r.low == r.high:
		return fmt.Sprintf("%.2f", r.median)
	}
	return fmt.Sprintf("%.2f (%.2f-%.2f)", r.median, r.low, r.high)
}

func duration(d time.Duration) string {
	if d < time.Millisecond {
		return fmt.Sprintf("%.1f us", float64(d)/1e3)
	}
	return fmt.Sprintf("%.1f ms", float64(d)/1e6)
}

func (b *bench) hugeColumn() (column, bool) {
	for _, c := range b.columns {
		if c.size == b.huge {
			return c, true
		}
	}
	return column{}, false
}

func (b *bench) writeMemory(w io.Writer) {
	c, measured := b.hugeColumn()
	if !measured {
		return
	}
	rows := [][]string{{"", "peak RSS, " + bytesText(c.size), "of 16 KiB"}}
	small := column{c.way, 16 * kib, 16}
	for _, name := range b.peers {
		if n := b.rss(c, name); n > 0 {
			rows = append(rows, []string{"  " + name, megabytes(int64(n)), megabytes(int64(b.rss(small, name)))})
		}
	}
	writeRows(w, rows)
}

func writeGoals(w io.Writer, goals []goal, judged bool) {
	rows := [][]string{{"goal", "", "seen", "wanted", ""}}
	for _, g := range goals {
		rows = append(rows, []string{g.number, g.what, g.got, g.limit, g.verdict(judged)})
	}
	writeRows(w, rows)
}

// writeRows lines up columns.
func writeRows(w io.Writer, rows [][]string) {
	var width []int
	for _, row := range rows {
		for i, text := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			if len(row) > 1 {
				width[i] = max(width[i], utf8.RuneCountInString(text))
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			fmt.Fprintf(&line, "%-*s  ", width[i], text)
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	fmt.Fprintln(w)
}
