package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	web "github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

type serveCmd struct {
	Addr  string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Listen here. Port 0 is a free one (${default})."`
	Store string `default:"memory" placeholder:"STORE" help:"Keep files in memory, a folder or a bucket (${default})."`

	MaxSize   byteSize `placeholder:"N" help:"Refuse files larger than N, such as 1048576, 10MB or 10MiB."`
	MaxHeader byteSize `default:"16KiB" placeholder:"N" help:"Refuse a request with larger headers (${default})."`

	MaxConnections int `default:"1200" placeholder:"N" help:"Hold N connections. Further callers wait (${default})."`

	StatusDelay time.Duration `placeholder:"D" help:"Leave a file of 24SevenOffice Pending for D, such as 5s."`
	PublicURL   string        `placeholder:"URL" help:"Use this address in presigned URLs."`
	BehindProxy bool          `help:"Trust the proxy in front: take the address in presigned URLs from its headers."`

	LogFormat       string   `default:"text" enum:"text,json" placeholder:"FORMAT" help:"Log text or json (${default})."`
	Verbose         bool     `help:"Log every request. Without this flag only refused ones are logged."`
	Exchanges       int      `default:"1000" placeholder:"N" help:"Keep N exchanges for the console (${default})."`
	ExchangesMemory byteSize `default:"32MB" placeholder:"N" help:"Keep these in N bytes of memory (${default})."`

	PrintLifecycle bool `help:"Serve nothing. Print the rule by which a bucket deletes NAVER's files after a day."`
}

func (*serveCmd) Help() string {
	return `A stand-in is a server that takes uploads as the provider does. serve runs one
for 24SevenOffice and one for NAVER Cloud Outbound Mailer, so that you can try a
program without an account:

  putpost serve --store files

In a second terminal, paste the export lines that serve prints. Then:

  putpost send --to twentyfourseven invoice.pdf

The first line on standard output is the address, http://HOST:PORT. It serves:

  24SevenOffice  /v1/fileUpload, /v1/documents, /oauth/token
  NAVER          /api/v1/files, /api/v1-sgn/files, /api/v1-jpn/files

Credentials:

  - Every request must have the right ones. serve takes them from
    TWENTYFOURSEVEN_TOKEN, or TWENTYFOURSEVEN_CLIENT_ID and
    TWENTYFOURSEVEN_CLIENT_SECRET, and from NCLOUD_ACCESS_KEY and
    NCLOUD_SECRET_KEY.
  - If no credential of a provider is set, a loopback address takes test ones:
    test-token, test-client-id with test-client-secret, or test-access-key with
    test-secret-key. Any other address leaves this provider out.
  - If one credential of a provider is set, its test ones are wrong.

Files:

  - "--store memory" holds 1 GiB in all. The process may take twice as much
    memory. The files are lost at the end.
  - "--store FOLDER" creates the folder. Each file that arrives is a plain file
    below FOLDER/twentyfourseven or FOLDER/ncloudmailer.
  - In FOLDER serve deletes only: a file that a client or a reset of the console
    deletes, a file of NAVER 24 hours after its upload, and in FOLDER/.incoming
    what an earlier run of serve did not finish. The files of 24SevenOffice
    stay. It also renews its own records in FOLDER/.content-type.
  - "--store s3://BUCKET/PREFIX?endpoint=URL&region=R" needs AWS_ACCESS_KEY_ID
    and AWS_SECRET_ACCESS_KEY. A rule of the bucket deletes the files of NAVER.
    --print-lifecycle prints it, for aws s3api put-bucket-lifecycle-configuration.
  - If clients reach the bucket under another address than serve does, add
    &public=URL. If browsers upload to it, the bucket needs a rule for CORS.
  - Without --max-size there is no limit. For NAVER it is the size of all files
    of a request.

Console: open http://HOST:PORT/_putpost/ in a browser. It shows what arrives. It
can make the next upload fail. Its "Reset" deletes the files that arrived. Tests
in any language can do the same over HTTP: see specs/console.yaml.

  - On a loopback address all programs of this machine may use the console.
  - On any other address, and behind a proxy, the console is off unless
    PUTPOST_CONSOLE_TOKEN is set. Then it asks for this token. In a browser,
    enter the token as the password.

Proxies: a presigned URL has the address of the client's request. If a proxy
changes that address, use --public-url. If the proxy itself sets the forwarded
headers, and no client can set them, you can use --behind-proxy instead. It
reads X-Forwarded-Host, X-Forwarded-Proto and X-Forwarded-Port, or Forwarded.

Log: it goes to standard error. A refused request is logged with its reason and the trace id of its answer.

End: after Ctrl-C or SIGTERM the requests under way may take another 30 seconds.
A second signal ends serve at once.

Exit code:

  - 0: all requests were finished after a signal.
  - 1: a request was cut off, or serve cannot listen or cannot use the store.
  - 2: a flag or a credential is wrong.`
}

func (c *serveCmd) Run(p *program) error {
	if c.PrintLifecycle {
		rule, err := lifecycle(c.Store)
		if err == nil {
			err = newOutput(p).data(rule)
		}
		return err
	}
	at, origin, err := c.check()
	if err != nil {
		return usageError{err}
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
		say("no credentials are set for " + and(left) + ", so it is left out")
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
		return fmt.Errorf("cannot listen: %w; choose another address with --addr, or port 0 for a free port", err)
	}
	defer ln.Close()
	srv := newServer(all.withConsole(con, logger), int(c.MaxHeader), logger)
	srv.RegisterOnShutdown(con.Close)
	announce := func() error {
		own := "http://" + reachable(ln.Addr().(*net.TCPAddr))
		// Closed output is no error: a program that starts a server often
		// closes the streams that it does not read.
		if err := newOutput(p).data(own + "\n"); err != nil && !errors.Is(err, errClosed) {
			return err
		}
		address := cmp.Or(c.PublicURL, own)
		if p.log != nil {
			logger.Info("serving", "address", address, "providers", slices.Sorted(maps.Keys(all)),
				"store", where, "testCredentials", len(defaults) > 0)
			return nil
		}
		p.welcome(address, where, all, defaults)
		say(con.Where(address))
		return nil
	}
	defer runtime.KeepAlive(make([]byte, headroom))
	return serve(srv, limit(ln, srv, c.MaxConnections), announce, say,
		func(ctx context.Context) { all.reclaim(ctx, logger) })
}

// headroom is a number of bytes that serve allocates and never touches, so they
// take no memory. The garbage collector counts them. Without them it collects
// the small heap of a server that just started every few hundred uploads.
const headroom = 32 << 20

// check returns the address to listen on and the function of c.origin, or an
// error for a flag that makes no sense.
func (c *serveCmd) check() (at *net.TCPAddr, origin func(*http.Request) string, err error) {
	if at, err = net.ResolveTCPAddr("tcp", c.Addr); err != nil {
		return nil, nil, fmt.Errorf("--addr %q is not an address like 127.0.0.1:8080: %w", c.Addr, err)
	}
	if c.MaxHeader < 1 || c.MaxConnections < 1 || c.Exchanges < 1 || c.ExchangesMemory < 1 || c.StatusDelay < 0 {
		return nil, nil, errors.New("--max-header, --max-connections, --exchanges and --exchanges-memory must be " +
			"at least 1, and --status-delay must not be negative")
	}
	origin, err = c.origin()
	return at, origin, err
}

// welcome says what serves where, and how to send to it.
func (p *program) welcome(address, where string, all standins, defaults []variable) {
	names := slices.Sorted(maps.Keys(all))
	p.tell(slog.LevelInfo, fmt.Sprintf("stand-ins of %s; files are kept in %s", and(names), where))
	if len(defaults) > 0 {
		p.tell(slog.LevelInfo, "no credentials are set for these, so test ones are valid on loopback:")
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
			return nil, nil, err
		}
	}
	if len(left) == len(providers) {
		return nil, nil, fmt.Errorf("no stand-in has credentials, and only a loopback address works without them: %s",
			strings.Join(left, "; "))
	}
	return env.or(defaults), defaults, nil
}
