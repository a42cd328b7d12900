// Command putpost sends files to 24SevenOffice and NAVER Cloud Outbound Mailer,
// and serves stand-ins of both to try it against.
//
//	putpost demo
//	putpost send --to twentyfourseven invoice.pdf
//	putpost serve --store files
//
// Standard output holds data only. Messages for people go to standard error.
// The exit code is 0 when all is done, 1 when something failed, 2 when the
// command line or the environment is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() {
	// Without this a closed pipe would end the process without a message.
	signal.Ignore(syscall.SIGPIPE)
	log.SetOutput(io.Discard) // net/http logs there when a peer breaks the protocol
	var stdin io.Reader = os.Stdin
	var stdout io.Writer = os.Stdout
	if wasClosed(os.Stdin) {
		stdin = closedFile{}
	}
	// A parent that closes both streams does so on purpose, and sees no error.
	if wasClosed(os.Stdout) && !wasClosed(os.Stderr) {
		stdout = closedFile{}
	}
	os.Exit(run(os.Args[1:], os.Getenv, stdin, stdout, os.Stderr))
}

const (
	exitFailed = 1
	exitUsage  = 2
)

// usageError is an error of the command line or the environment: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errReported is a failure that is already on standard error.
var errReported = errors.New("failed")

// program holds all that a command may touch.
type program struct {
	env            environment
	envFile        string // of --env-file
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *slog.Logger // with --log-format json; then standard error has nothing else
	parser         *kong.Kong
}

// flags are the flags that all commands have.
type flags struct {
	Help    bool   `short:"h" help:"Show this help."`
	Version bool   `help:"Print the version, the commit, and the release of Go that built it."`
	EnvFile string `placeholder:"FILE" help:"Read credentials and addresses from FILE: see putpost send --help."`
}

type subcommand struct {
	name, help string
	run        any // an action, or a struct with commands
	tag        string
}

func subcommands() []subcommand {
	const hidden = `hidden:""`
	return append([]subcommand{
		{"demo", "Upload a file to both stand-ins in this process, and compare what arrived.", &demoCmd{}, ""},
		{"send", "Send files to a provider. Print the id of each.", &sendCmd{}, ""},
		{"serve", "Serve both stand-ins on one port.", &serveCmd{}, ""},
		{"journal", "Look for damage in a journal of send, and repair it.", &journalCmd{}, ""},
		{"completion", "Print a script that completes putpost commands in a shell.", &completionCmd{}, ""},
		{"complete", "Print what may stand for the last word, for a shell.", &completeCmd{}, hidden},
		{"man", "Print the manual page.", &manCmd{}, hidden},
	}, providerCommands()...)
}

// named returns the commands for kong. It leaves out the flags of a command
// that args do not name, unless all are needed. Reading all flags takes a fifth
// of the program's start.
func named(args []string) (options []kong.Option) {
	for _, c := range subcommands() {
		_, parent := c.run.(*journalCmd)
		if !parent && !slices.Contains(args, c.name) && !slices.Contains(args, "man") {
			c.run = &struct{}{}
		}
		options = append(options, kong.DynamicCommand(c.name, c.help, "", c.run, c.tag))
	}
	return options
}

const description = `Sends files to 24SevenOffice (twentyfourseven) and NAVER Cloud Outbound Mailer (ncloudmailer).
Serves stand-ins of both, so that you can try it without an account.

Exit code: 0 when all is done, 1 when something failed, 2 when the command line or the environment is wrong.`

func run(args []string, env environment, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr}
	options := append(named(args),
		kong.Name("putpost"),
		kong.Description(description),
		kong.Writers(stdout, stderr),
		kong.NoDefaultHelp(),
		kong.KindMapper(reflect.String, rawString),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Vars{"providers": strings.Join(providerNames(), ",")},
	)
	var f flags
	parser, err := kong.New(&f, options...)
	if err != nil {
		return p.exit(err)
	}
	p.parser = parser
	parser.Model.HelpFlag = parser.Model.Flags[0] // so that the help names it
	ctx, err := parse(parser, args)
	switch {
	case err != nil:
		return p.exit(usageError{err})
	case f.Help:
		return p.exit(p.help(ctx))
	case f.Version:
		return p.exit(newOutput(p).data(version() + "\n"))
	}
	var run action
	if node := ctx.Selected(); node != nil {
		run, _ = node.Target.Addr().Interface().(action)
	}
	if serve, ok := run.(*serveCmd); ok && serve.LogFormat == "json" {
		p.log = serve.logger(stderr)
	}
	if err := validate(ctx); err != nil {
		return p.exit(usageError{err})
	}
	if f.EnvFile != "" {
		if p.env, err = envFile(f.EnvFile, env); err != nil {
			return p.exit(usageError{err})
		}
		p.envFile = f.EnvFile
	}
	return p.exit(run.Run(p))
}

// exit prints err in one line and returns the exit code.
func (p *program) exit(err error) int {
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &wrong):
		p.tell(slog.LevelError, err.Error()+" (putpost --help shows the usage)")
		return exitUsage
	default:
		p.tell(slog.LevelError, message(err))
		return exitFailed
	}
}

// tell writes a line to the log. Without a log it writes to standard error.
func (p *program) tell(level slog.Level, text string) {
	if p.log != nil {
		p.log.Log(context.Background(), level, oneLine(text))
		return
	}
	writeLine(p.stderr, text)
}

// onInterrupt calls first at the first SIGINT or SIGTERM, and second at the
// second. A third one ends the process. Release restores the default.
func onInterrupt(first, second func()) (release func()) {
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for _, act := range []func(){first, second} {
			select {
			case <-ch:
				act()
			case <-done:
				return
			}
		}
		signal.Stop(ch)
	}()
	return func() {
		signal.Stop(ch)
		close(done)
	}
}
