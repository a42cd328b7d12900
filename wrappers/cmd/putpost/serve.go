package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	web "github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

type serveCmd struct {
	Addr    string   `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Listen here; port 0 takes a free port (${default})."`
	Store   string   `default:"memory" placeholder:"STORE" help:"Keep files here: memory, a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=R (${default})."`
	MaxSize byteSize `placeholder:"N" help:"Refuse files larger than this, such as 1048576, 10MB or 10MiB. For NAVER it is the size of all files of a request. Without it there is no limit."`

	StatusDelay    time.Duration `placeholder:"D" help:"Say Pending of a file at 24SevenOffice for this long after its upload, such as 5s."`
	PublicURL      string        `name:"public-url" placeholder:"URL" help:"Give out this address, such as https://files.example, in presigned URLs."`
	BehindProxy    bool          `help:"Believe the proxy in front: take the address in presigned URLs from X-Forwarded-Host, -Proto and -Port, or from Forwarded."`
	MaxHeader      byteSize      `default:"16KiB" placeholder:"N" help:"Refuse requests with more bytes of headers (${default})."`
	MaxConnections int           `default:"1200" placeholder:"N" help:"Hold at most so many connections; further callers wait (${default})."`
	LogFormat      string        `default:"text" enum:"text,json" placeholder:"FORMAT" help:"Write the log on standard error as text or as json (${default})."`
	Verbose        bool          `help:"Log every request, and not only refused ones."`

	Exchanges       int      `default:"1000" placeholder:"N" help:"Keep the last N exchanges for the console (${default})."`
	ExchangesMemory byteSize `default:"32MB" placeholder:"N" help:"Keep them in at most so much memory (${default})."`

	PrintLifecycle bool `help:"Print the rule that deletes NAVER's files in a bucket after a day, and serve nothing. It is for aws s3api put-bucket-lifecycle-configuration."`
}

func (*serveCmd) Help() string {
	return `Runs stand-ins: servers that take uploads like 24SevenOffice and like NAVER Cloud
Outbound Mailer, so that you can try a program without either account.

  putpost serve --store files
  (in a second terminal, paste the export lines that it prints, and then:)
  putpost send --to twentyfourseven invoice.pdf

The first line on standard output is the address, http://HOST:PORT. These paths
are served: /v1/fileUpload, /v1/documents and /oauth/token of 24SevenOffice, and
/api/v1/files, /api/v1-sgn/files and /api/v1-jpn/files of NAVER.

Credentials. Every request must have the right ones. They are taken from
TWENTYFOURSEVEN_TOKEN, or TWENTYFOURSEVEN_CLIENT_ID and
TWENTYFOURSEVEN_CLIENT_SECRET, and from NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY.
If none of a provider's is set and the address is a loopback address, then
test-token, test-client-id, test-client-secret, test-access-key and
test-secret-key are right. On any other address that provider is left out. If
one is set, only those that are set are right.

Files. "memory" holds 1 GiB in all and is lost at the end. The process may then
take twice as much. A folder is created. Each file that arrives is a plain file
below FOLDER/twentyfourseven or FOLDER/ncloudmailer. serve deletes there what a
client or a reset of the console deletes, NAVER's files 24 hours after their
upload, and what an earlier run of serve did not finish, in FOLDER/.incoming. It
deletes nothing else, so 24SevenOffice's files stay. A bucket is used with
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and NAVER's files are deleted by a
rule of the bucket: see --print-lifecycle. Where clients reach the bucket under
another address than serve does, add &public=URL. A browser can upload to a
bucket that has a rule for CORS.

Console. Open http://HOST:PORT/_putpost/ in a browser to see what arrives, to
make the next upload fail, and to start afresh. Tests in any language can do the
same: see specs/console.yaml. "Reset" there deletes the files that arrived. On a
loopback address programs of this machine may use the console. On any other
address, and behind a proxy, it is off unless PUTPOST_CONSOLE_TOKEN is set. It
then asks for that token; in a browser, enter it as the password.

Proxies. A presigned URL has the address that the client's request names. Behind
a proxy that changes it, use --public-url, or --behind-proxy if the proxy sets
the forwarded headers itself and lets nobody else set them.

If something is wrong, serve says so in one line on standard error and ends: with
exit code 2 if a flag or a credential is wrong, and with 1 if it cannot listen or
cannot use the store. A refused request is logged with its reason and the trace
id of its answer. Ctrl-C or SIGTERM lets requests finish for up to 30 seconds. A
second one ends serve at once. If a request is cut off, the exit code is 1.`
}

func (c *serveCmd) Run(p *program) error {
	if c.PrintLifecycle {
		rule, err := lifecycle(c.Store)
		if err == nil {
			err = newOutput(p).data(rule)
		}
		return err
	}
	at, err := net.ResolveTCPAddr("tcp", c.Addr)
	if err != nil {
		return usagef("--addr %q is not an address like 127.0.0.1:8080: %w", c.Addr, err)
	}
	origin, err := c.origin()
	if err != nil {
		return usageError{err}
	}
	if c.MaxHeader < 1 || c.MaxConnections < 1 || c.StatusDelay < 0 {
		return usagef("--max-header and --max-connections must be at least 1, and --status-delay must not be negative")
	}
	env, defaults, err := serveCredentials(p.env, at.IP.IsLoopback())
	if err != nil {
		return usageError{err}
	}
	st, where, err := openStore(p.env, c.Store)
	if err != nil {
		return err
	}
	logger := slog.New(monitor.Refusals(c.logger(p.stderr).Handler()))
	say := func(line string) { p.tell(slog.LevelInfo, line) }
	all, err := newStandins(env, standinConfig{
		store: st, maxSize: int64(c.MaxSize), statusDelay: c.StatusDelay, origin: origin, logger: logger,
	})
	if err != nil {
		return usageError{err}
	}
	if left := slices.DeleteFunc(providerNames(), func(name string) bool { return all[name] != nil }); len(left) > 0 {
		say("left out, since no credentials are set for it: " + and(left))
	}
	release, _ := build()
	local := at.IP.IsLoopback() && origin == nil // only this machine can connect
	con, err := c.console(p.env, all, web.Config{
		Store: where, Version: release, Loopback: local, Origin: origin,
	}, defaults)
	if err != nil {
		return err
	}
	ln, err := net.ListenTCP("tcp", at)
	if err != nil {
		return fmt.Errorf("cannot listen: %w; --addr takes another, and port 0 a free one", err)
	}
	defer ln.Close()
	address := "http://" + reachable(ln.Addr().(*net.TCPAddr))
	announce := func() error {
		// A program that starts a server often closes the streams that it does not read.
		if _, err := fmt.Fprintln(p.stdout, address); err != nil && !errors.Is(err, errClosed) {
			return fmt.Errorf("standard output: %w", err)
		}
		if c.PublicURL != "" {
			address = c.PublicURL
		}
		if p.log != nil {
			logger.Info("serving", "address", address, "providers", slices.Sorted(maps.Keys(all)),
				"store", where, "testCredentials", len(defaults) > 0)
			return nil
		}
		p.welcome(address, where, all, defaults)
		say(con.Where(address))
		return nil
	}
	handler := all.withConsole(con, logger)
	srv := newServer(handler, int(c.MaxHeader), logger)
	srv.RegisterOnShutdown(con.Close)
	return serve(srv, limit(ln, srv, c.MaxConnections), announce, say,
		func(ctx context.Context) { all.reclaim(ctx, logger) })
}

// welcome says what serves where, and how to send to it.
func (p *program) welcome(address, where string, all standins, defaults []variable) {
	names := slices.Sorted(maps.Keys(all))
	p.tell(slog.LevelInfo, fmt.Sprintf("stand-ins of %s; files are kept in %s", and(names), where))
	if len(defaults) > 0 {
		p.tell(slog.LevelInfo, "these credentials are not set, so on loopback the test ones are right:")
		printExports(p.stderr, defaults)
	}
	p.tell(slog.LevelInfo, "to send here, set these for putpost send, or for any program that reads them:")
	for _, name := range names {
		printExports(p.stderr, providers[name].reach(address))
	}
}

func printExports(w io.Writer, values []variable) {
	for _, v := range values {
		fmt.Fprintf(w, "export %s=%s\n", v.name, v.value)
	}
}

// logger returns the log of the server and its stand-ins.
func (c *serveCmd) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelInfo}
	if c.Verbose {
		options.Level = slog.LevelDebug
	}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// serveCredentials returns env with test credentials on a loopback address, and
// those credentials as defaults. A provider gets them only if none of its own
// is set, because a real and a test credential must not mix. On another address
// a provider without credentials is left out. If all are left out, that is an
// error.
func serveCredentials(env environment, loopback bool) (_ environment, defaults []variable, _ error) {
	var left []string
	for _, name := range providerNames() {
		provider := providers[name]
		if err := env.clean(provider.credentials...); err != nil {
			return nil, nil, err
		}
		unset := provider.unset(env)
		if unset && loopback {
			defaults = append(defaults, provider.fallback...)
			continue
		}
		switch err := provider.check(env); {
		case err == nil:
		case unset:
			left = append(left, err.Error())
		default:
			return nil, nil, fmt.Errorf("%w, though another credential of this provider is", err)
		}
	}
	if len(left) == len(providers) {
		return nil, nil, fmt.Errorf("no stand-in has credentials, and only a loopback address goes without: %s",
			strings.Join(left, "; "))
	}
	return env.or(defaults), defaults, nil
}
