package main

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

type action interface{ Run(p *program) error }

// parse sets the flags and the arguments of a command. parse, validate and
// action replace kong's Parse and Run. Kong's look up methods by name, so the
// linker would keep all methods of all packages, and the program would be 2 MB
// larger.
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

// validate returns an error for a value that is not in its list, and for a
// missing flag, argument or command.
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

// byteSize is a number of bytes. People write it as 1048576, 10MB or 10MiB.
type byteSize int64

var units = []struct {
	name  string
	bytes float64
}{
	// Longer names first: "10MiB" ends with a B as well.
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"B", 1}, {"", 1},
}

// UnmarshalText reads a flag.
func (s *byteSize) UnmarshalText(text []byte) error {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(string(text), unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if n *= unit.bytes; err != nil || !(n >= 0 && n < math.MaxInt64) || n != math.Trunc(n) ||
			strings.ContainsAny(digits, "xXpP_") {
			break
		}
		*s = byteSize(n)
		return nil
	}
	return fmt.Errorf("%q is not a size like 1048576, 10MB or 10MiB", text)
}

// String returns a size like "34.5 MiB".
func (s byteSize) String() string {
	n := float64(s)
	for _, unit := range []string{"bytes", "KiB", "MiB", "GiB"} {
		if n < 1000 {
			if unit == "bytes" {
				return counted(int64(s), "byte")
			}
			return fmt.Sprintf("%.1f %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.1f TiB", n)
}

// rawString takes an argument unchanged. Kong would convert it through JSON,
// and JSON changes bytes that are not UTF-8. File names may have such bytes.
var rawString = kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
	token, err := ctx.Scan.PopValue("string")
	if err != nil {
		return err
	}
	value, ok := token.Value.(string)
	if !ok {
		return fmt.Errorf("expected a string, and not %v", token.Value)
	}
	target.SetString(value)
	return nil
})

// duration is a time limit on the command line.
type duration time.Duration

// UnmarshalText reads a flag.
func (d *duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read <= 0 {
		return fmt.Errorf("%q is not a duration like 90s, 5m or 2h", text)
	}
	*d = duration(read)
	return nil
}
