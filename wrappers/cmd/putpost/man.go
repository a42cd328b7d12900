package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// manCmd prints the help of all commands as one manual page.
type manCmd struct{}

func (*manCmd) Run(p *program) error {
	_, err := io.WriteString(p.stdout, manual(p.parser.Model))
	return err
}

func manual(app *kong.Application) string {
	var b strings.Builder
	version, _ := build()
	fmt.Fprintf(&b, ".TH PUTPOST 1 \"\" %q \"User commands\"\n", "putpost "+version)
	fmt.Fprintf(&b, ".SH NAME\nputpost \\- send files to 24SevenOffice and NAVER Cloud Outbound Mailer\n")
	b.WriteString(".SH SYNOPSIS\n")
	for _, node := range commandPaths(app) {
		fmt.Fprintf(&b, ".B putpost %s\n%s\n.br\n", roff(words(node)), roff(arguments(node)))
	}
	b.WriteString(".SH DESCRIPTION\n" + paragraphs(app.Help))
	b.WriteString(".SH FLAGS OF ALL COMMANDS\n")
	writeFlags(&b, app.Flags)
	for _, node := range commandPaths(app) {
		fmt.Fprintf(&b, ".SH %s\n", roff(strings.ToUpper(words(node))))
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
		if !f.Hidden {
			fmt.Fprintf(b, ".TP\n.B %s\n%s", roff(f.String()), paragraphs(f.Help))
		}
	}
}

func arguments(node *kong.Node) string {
	_, after, _ := strings.Cut(node.Summary(), words(node))
	return strings.TrimSpace(after)
}

// paragraphs returns help text as roff. Indented lines stay as they are.
func paragraphs(text string) string {
	var b strings.Builder
	asItIs := false
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		line = strings.TrimSuffix(line, "\n")
		switch indented := strings.HasPrefix(line, "  "); {
		case indented && !asItIs:
			b.WriteString(".nf\n")
			asItIs = true
		case !indented && line != "" && asItIs:
			b.WriteString(".fi\n")
			asItIs = false
		}
		if line == "" {
			b.WriteString(".PP\n")
			continue
		}
		b.WriteString(roff(line) + "\n")
	}
	if asItIs {
		b.WriteString(".fi\n")
	}
	return b.String()
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`)

// roff returns s as text. A line that begins with a dot or a quote would be a
// command of roff.
func roff(s string) string {
	s = roffEscapes.Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}
