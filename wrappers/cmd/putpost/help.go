package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// help prints the usage in one write. A terminal tells kong its width, so there
// kong writes each line itself.
func (p *program) help(ctx *kong.Context) error {
	var text strings.Builder
	out := newOutput(p)
	if !out.terminal {
		ctx.Stdout = &text
	}
	if err := ctx.PrintUsage(false); err != nil {
		return fmt.Errorf("%w: %w", errOutput, cause(err))
	}
	return out.data(text.String())
}

// build returns the version and the commit that the go command stored in the
// program.
func build() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel", ""
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))] + commit
		case s.Key == "vcs.modified" && s.Value == "true":
			commit += "+changed"
		}
	}
	return cmp.Or(strings.Trim(info.Main.Version, "()"), "devel"), commit
}

// version returns "putpost v1.2.3 (commit 0123456789ab, go1.26.0)".
func version() string {
	version, commit := build()
	return "putpost " + version + " (commit " + cmp.Or(commit, "unknown") + ", " + runtime.Version() + ")"
}

// userAgent returns "putpost/v1.2.3 (0123456789ab; go1.26.0)".
func userAgent() string {
	version, commit := build()
	return "putpost/" + version + " (" + cmp.Or(commit, "unknown") + "; " +
		strings.ReplaceAll(runtime.Version(), " ", "_") + ")"
}

// manCmd prints the help of all commands as one manual page.
type manCmd struct{}

func (*manCmd) Run(p *program) error {
	return newOutput(p).data(manual(p.parser.Model))
}

func manual(app *kong.Application) string {
	var b strings.Builder
	version, _ := build()
	fmt.Fprintf(&b, ".TH PUTPOST 1 \"\" %q \"User commands\"\n", "putpost "+version)
	b.WriteString(".SH NAME\nputpost \\- send files to 24SevenOffice and NAVER Cloud Outbound Mailer\n")
	b.WriteString(".SH SYNOPSIS\n")
	commands := app.Leaves(true)
	for _, node := range commands {
		fmt.Fprintf(&b, ".B putpost\n%s\n.br\n", roff(node.Summary()))
	}
	b.WriteString(".SH DESCRIPTION\n" + paragraphs(app.Help))
	b.WriteString(".SH FLAGS OF ALL COMMANDS\n")
	writeFlags(&b, app.Flags)
	for _, node := range commands {
		fmt.Fprintf(&b, ".SH %s\n", roff(strings.ToUpper(node.Path())))
		b.WriteString(paragraphs(node.Help))
		for _, arg := range node.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s", roff(arg.Name), paragraphs(arg.Help))
		}
		writeFlags(&b, node.Flags)
		b.WriteString(".PP\n" + paragraphs(node.Detail))
	}
	return b.String()
}

func writeFlags(b *strings.Builder, flags []*kong.Flag) {
	for _, f := range flags {
		fmt.Fprintf(b, ".TP\n.B %s\n%s", roff(f.String()), paragraphs(f.Help))
	}
}

// paragraphs returns help text as roff, with its lists. Other indented lines
// stay as they are, for code and tables.
func paragraphs(text string) string {
	var b strings.Builder
	inList, inCode := false, false
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		item, begins := strings.CutPrefix(line, "  - ")
		code, indented := strings.CutPrefix(line, "  ")
		inList = begins || inList && line != ""
		if isCode := indented && !inList || inCode && line == ""; isCode != inCode {
			inCode = isCode
			b.WriteString(map[bool]string{true: ".RS 2\n.nf\n", false: ".fi\n.RE\n"}[inCode])
		}
		switch {
		case line == "":
			b.WriteString(".PP\n")
		case begins:
			b.WriteString(".IP \\(bu 2\n" + roff(item) + "\n")
		case inList:
			b.WriteString(roff(strings.TrimSpace(line)) + "\n")
		case inCode:
			b.WriteString(roff(code) + "\n")
		default:
			b.WriteString(roff(line) + "\n")
		}
	}
	if inCode {
		b.WriteString(".fi\n.RE\n")
	}
	return b.String()
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`)

// roff escapes s. A line that begins with a dot or a quote would be a command
// of roff.
func roff(s string) string {
	s = roffEscapes.Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
