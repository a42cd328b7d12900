package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" name:"SHELL" help:"The shell: ${enum}."`
}

func (*completionCmd) Help() string {
	return `Put one of these lines where your shell reads it when it starts:

  source <(putpost completion bash)                           # ~/.bashrc
  source <(putpost completion zsh)                            # ~/.zshrc
  putpost completion fish > ~/.config/fish/completions/putpost.fish`
}

func (c *completionCmd) Run(p *program) error { return newOutput(p).data(completionScripts[c.Shell]) }

// Each script asks the command "complete", and takes files if there is no
// candidate.
var completionScripts = map[string]string{
	"bash": `_putpost() {
  COMPREPLY=($("$1" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
}
complete -o default -F _putpost putpost
`,
	"zsh": `_putpost() {
  local -a found
  found=(${${(f)"$("$words[1]" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)"}%%$'\t'*})
  if (( $#found )); then compadd -a found; else _files; fi
}
(( $+functions[compdef] )) || { autoload -U compinit && compinit; }
compdef _putpost putpost
`,
	"fish": `function __putpost
  set -l words (commandline -opc) (commandline -ct)
  $words[1] complete -- $words[2..-1] 2>/dev/null
end
complete -c putpost -f -n 'count (__putpost) > /dev/null' -a '(__putpost)'
`,
}

// completeCmd prints the candidates for the last of Words. Each is a line
// "WORD<TAB>HELP".
type completeCmd struct {
	Words []string `arg:"" optional:"" help:"The words behind putpost, up to the cursor."`
}

func (c *completeCmd) Run(p *program) error {
	return newOutput(p).data(strings.Join(candidates(p.parser.Model.Node, c.Words), ""))
}

// candidates returns the lines of completeCmd. Node is the whole program.
func candidates(node *kong.Node, words []string) (lines []string) {
	var word string
	var open *kong.Flag // it has no value yet
	arguments := 0
	for i, w := range words {
		switch child := childOf(node, w); {
		case w == "=": // bash makes three words of --to=x
		case i == len(words)-1:
			word = w
		case open != nil:
			open = nil
		case strings.HasPrefix(w, "-"):
			open = valueFlag(node, w)
		case child != nil:
			node = child
		default:
			arguments++
		}
	}
	flag, _, inOneWord := strings.Cut(word, "=")
	add := func(candidate, help string) {
		if strings.HasPrefix(candidate, word) {
			lines = append(lines, candidate+"\t"+help+"\n")
		}
	}
	switch {
	case open != nil:
		addValues(add, "", open.Value)
	case inOneWord:
		if f := valueFlag(node, flag); f != nil {
			addValues(add, flag+"=", f.Value)
		}
	case strings.HasPrefix(word, "-"):
		for _, f := range flagsOf(node) {
			add("--"+f.Name, f.Help)
		}
	default:
		for _, child := range node.Children {
			if !child.Hidden {
				add(child.Name, child.Help)
			}
		}
		if arguments < len(node.Positional) {
			addValues(add, "", node.Positional[arguments])
		}
	}
	return lines
}

// addValues adds the values that a flag or an argument may have.
func addValues(add func(candidate, help string), before string, v *kong.Value) {
	if v.Enum != "" {
		for _, value := range v.EnumSlice() {
			add(before+value, "")
		}
	}
}

func childOf(node *kong.Node, name string) *kong.Node {
	i := slices.IndexFunc(node.Children, func(child *kong.Node) bool { return child.Name == name })
	if i < 0 {
		return nil
	}
	return node.Children[i]
}

// flagsOf returns the flags of a command and the flags that all commands have.
func flagsOf(node *kong.Node) []*kong.Flag { return slices.Concat(node.AllFlags(true)...) }

// valueFlag returns the flag of that name if it takes a value.
func valueFlag(node *kong.Node, name string) *kong.Flag {
	for _, f := range flagsOf(node) {
		if !f.IsBool() && (name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short)) {
			return f
		}
	}
	return nil
}
