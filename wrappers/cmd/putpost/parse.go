package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// action is a command that can be run.
type action interface{ Run(p *program) error }

// parse sets the flags and the arguments of a command. With validate and action
// it stands in for Parse and Run of kong. Those look up methods by name. The
// linker would then keep all methods of all packages, and the program would be
// 2 MB larger.
func parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	ctx, err := kong.Trace(parser, args)
	if err == nil {
		err = ctx.Error
	}
	if err != nil {
		return nil, err
	}
	if err := ctx.Reset(); err != nil {
		return nil, err
	}
	_, err = ctx.Apply()
	return ctx, err
}

// validate refuses values that are not in a list, and what is missing.
func validate(ctx *kong.Context) error {
	for _, path := range ctx.Path {
		value := path.Positional
		if path.Flag != nil {
			value = path.Flag.Value
		}
		if value == nil || value.Enum == "" {
			continue
		}
		if got, allowed := value.Target.String(), value.EnumSlice(); !slices.Contains(allowed, got) {
			return fmt.Errorf("%s must be one of %s but got %q", value.ShortSummary(), quoted(allowed, ","), got)
		}
	}
	for _, flag := range ctx.Flags() {
		if flag.Required && !flag.Set {
			return fmt.Errorf("missing flags: %s", flag.Summary())
		}
	}
	node := ctx.Selected()
	if node == nil {
		node = ctx.Model.Node
	}
	for _, arg := range node.Positional {
		if arg.Required && !arg.Set {
			return fmt.Errorf("expected %q", arg.Summary())
		}
	}
	var commands []string
	for _, child := range node.Children {
		if !child.Hidden {
			commands = append(commands, child.Name)
		}
	}
	if len(commands) > 0 {
		return fmt.Errorf("expected one of %s", quoted(commands, ", "))
	}
	return nil
}

func quoted(words []string, separator string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = strconv.Quote(word)
	}
	return strings.Join(quoted, separator)
}
