package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" name:"SHELL" help:"The shell: ${enum}."`
}

func (*completionCmd) Help() string {
	return `Put the line for your shell where the shell reads it when it starts:

  source <(putpost completion bash)                           # ~/.bashrc
  source <(putpost completion zsh)                            # ~/.zshrc
  putpost completion fish > ~/.config/fish/completions/putpost.fish`
}

func (c *completionCmd) Run(p *program) error {
	script := bashCompletion(p.parser.Model)
	switch c.Shell {
	case "zsh":
		script = "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" + script
	case "fish":
		script = fishCompletion(p.parser.Model)
	}
	return newOutput(p).data(script)
}

// commandPaths returns all visible commands, with those of "journal".
func commandPaths(app *kong.Application) []*kong.Node {
	return app.Leaves(true)
}

func words(node *kong.Node) string {
	_, words, _ := strings.Cut(node.FullPath(), " ")
	return words
}

// flagsOf returns the flags of a command and the flags that all commands have.
func flagsOf(node *kong.Node) (flags []*kong.Flag) {
	for _, group := range node.AllFlags(true) {
		flags = append(flags, group...)
	}
	return flags
}

// valuesOf returns the values that a flag or an argument may have. It returns
// nil if there is no such list.
func valuesOf(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return v.EnumSlice()
}

// bashCompletion returns a function for bash. It completes the next word of a
// command, a flag, the value of a flag, or a file.
func bashCompletion(app *kong.Application) string {
	var b strings.Builder
	b.WriteString(`_putpost() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} path="" flags="" values="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* ]] || path+="${COMP_WORDS[i]} "
  done
  case "$path" in
`)
	next := map[string][]string{}
	for _, node := range commandPaths(app) {
		parts := strings.Fields(words(node))
		for i, part := range parts {
			before := strings.Join(parts[:i], " ")
			if i > 0 {
				before += " "
			}
			if !slices.Contains(next[before], part) {
				next[before] = append(next[before], part)
			}
		}
	}
	for _, node := range commandPaths(app) {
		var flags, values []string
		for _, f := range flagsOf(node) {
			flags = append(flags, "--"+f.Name)
			if list := valuesOf(f.Value); list != nil {
				fmt.Fprintf(&b, "    %q*) [[ $before == --%s ]] && values=%q ;;&\n", words(node)+" ", f.Name,
					strings.Join(list, " "))
			}
		}
		for _, arg := range node.Positional {
			values = append(values, valuesOf(arg)...)
		}
		fmt.Fprintf(&b, "    %q*) flags=%q; : ${values:=%q} ;;\n", words(node)+" ", strings.Join(flags, " "),
			strings.Join(values, " "))
	}
	for before, list := range next {
		fmt.Fprintf(&b, "    %q) values=%q ;;\n", before, strings.Join(list, " "))
	}
	b.WriteString(`  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags --help --version" -- "$word"))
  elif [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _putpost putpost
`)
	return b.String()
}

// fishCompletion returns a line of fish for each word and each flag.
func fishCompletion(app *kong.Application) string {
	var b strings.Builder
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'" }
	seen := map[string]bool{}
	for _, node := range commandPaths(app) {
		parts := strings.Fields(words(node))
		condition := "__fish_use_subcommand"
		for i, part := range parts {
			help := node.Help
			if i+1 < len(parts) {
				help = node.Parent.Help
			}
			if line := condition + part; !seen[line] {
				seen[line] = true
				fmt.Fprintf(&b, "complete -c putpost -f -n %s -a %s -d %s\n", quote(condition), quote(part), quote(help))
			}
			condition = "__fish_seen_subcommand_from " + part
		}
		for _, f := range flagsOf(node) {
			line := fmt.Sprintf("complete -c putpost -n %s -l %s -d %s", quote(condition), f.Name, quote(f.Help))
			if f.Short != 0 {
				line += " -s " + string(f.Short)
			}
			if list := valuesOf(f.Value); list != nil {
				line += " -x -a " + quote(strings.Join(list, " "))
			} else if !f.IsBool() {
				line += " -r"
			}
			fmt.Fprintln(&b, line)
		}
		for _, arg := range node.Positional {
			if list := valuesOf(arg); list != nil {
				fmt.Fprintf(&b, "complete -c putpost -f -n %s -a %s\n", quote(condition), quote(strings.Join(list, " ")))
			}
		}
	}
	return b.String()
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

// roff escapes s. A line that begins with a dot or a quote would be a command
// of roff.
func roff(s string) string {
	s = roffEscapes.Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
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
