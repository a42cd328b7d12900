package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// drainTime is what requests in flight have to end after the first signal.
const drainTime = 30 * time.Second

type serveCmd struct {
	Addr    string   `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen; port 0 takes a free one (${default})."`
	Store   string   `default:"memory" placeholder:"STORE" help:"Where files are kept: memory, which takes 1 GiB in all (and the process up to twice as much), a folder, which is created, or s3://BUCKET/PREFIX?endpoint=URL&region=R (${default})."`
	MaxSize byteSize `placeholder:"N" help:"Largest file, as 1048576, 10MB or 10MiB, for NAVER all files of a request together; there is no limit unless one is set."`

	PrintLifecycle bool `help:"Print the rule by which a bucket forgets NAVER's files after a day, for aws s3api put-bucket-lifecycle-configuration, and serve nothing."`
}

func (*serveCmd) Help() string {
	return `The first line on standard output is the address, http://HOST:PORT. Served are
/v1/fileUpload and /oauth/token of 24SevenOffice, and /api/v1/files of NAVER
(/api/v1-sgn and /api/v1-jpn too). SIGTERM or Ctrl-C finishes what is in flight;
a second one ends at once. What it cuts off makes the exit code 1.

Credentials are always checked. They are taken from TWENTYFOURSEVEN_TOKEN,
TWENTYFOURSEVEN_CLIENT_ID, TWENTYFOURSEVEN_CLIENT_SECRET, NCLOUD_ACCESS_KEY and
NCLOUD_SECRET_KEY. On a loopback address what is not set is test-token,
test-client-id, test-client-secret, test-access-key and test-secret-key;
elsewhere a service of which nothing is set is left out.
A bucket is used with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; what NAVER
would forget after 24 hours goes by a rule of the bucket: see --print-lifecycle.`
}

func (c *serveCmd) Run(p *program) error {
	if c.PrintLifecycle {
		rule, err := lifecycle(c.Store)
		if err == nil {
			_, err = io.WriteString(p.stdout, rule)
		}
		return err
	}
	at, err := net.ResolveTCPAddr("tcp", c.Addr)
	if err != nil {
		return usagef("--addr %q is no address like 127.0.0.1:8080: %w", c.Addr, err)
	}
	env, fallen, err := serveCredentials(p.env, at.IP.IsLoopback())
	if err != nil {
		return usageError{err}
	}
	st, where, err := openStore(p.env, c.Store)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(p.stderr, nil))
	handler, err := newStandins(env, standinConfig{store: st, maxSize: int64(c.MaxSize), logger: logger})
	if err != nil {
		return usageError{err}
	}
	if left := slices.DeleteFunc(providerNames(), func(name string) bool { return handler[name] != nil }); len(left) > 0 {
		fmt.Fprintf(p.stderr, "putpost: left out, since no credentials are set for it: %s\n", and(left))
	}
	ln, err := net.ListenTCP("tcp", at)
	if err != nil {
		return fmt.Errorf("cannot listen: %w; --addr takes another, and port 0 a free one", err)
	}
	defer ln.Close()
	base := "http://" + ln.Addr().String()
	if _, err := fmt.Fprintln(p.stdout, base); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	names := slices.Sorted(maps.Keys(handler))
	fmt.Fprintf(p.stderr, "putpost: stand-ins of %s; files are kept in %s\n", and(names), where)
	if len(fallen) > 0 {
		fmt.Fprintln(p.stderr, "putpost: credentials that are not set are, on loopback only:")
		printExports(p.stderr, fallen)
	}
	fmt.Fprintln(p.stderr, "putpost: to send here, set for putpost send, and for programs that read these (any organization does):")
	for _, name := range names {
		printExports(p.stderr, providers[name].reach(base))
	}
	return p.serve(ln, handler, logger)
}

func printExports(w io.Writer, values []variable) {
	for _, v := range values {
		fmt.Fprintf(w, "export %s=%s\n", v.name, v.value)
	}
}

// serveCredentials is env with the fall-backs of a loopback address, and the
// variables that came into force with them. Elsewhere each provider has all of its
// credentials or nothing of them, which leaves it out; one at least has them.
func serveCredentials(env environment, loopback bool) (_ environment, fallen []variable, _ error) {
	var left []string
	for _, name := range providerNames() {
		provider := providers[name]
		if err := env.clean(provider.credentials...); err != nil {
			return nil, nil, err
		}
		if loopback {
			for _, v := range provider.fallback {
				if env(v.name) == "" {
					fallen = append(fallen, v)
				}
			}
			env = env.or(provider.fallback)
		}
		switch err := provider.check(env); {
		case err == nil:
		case provider.unset(env):
			left = append(left, err.Error())
		default:
			return nil, nil, fmt.Errorf("%w, and only a loopback address goes without", err)
		}
	}
	if len(left) == len(providers) {
		return nil, nil, fmt.Errorf("no stand-in has credentials, and only a loopback address goes without: %s", strings.Join(left, "; "))
	}
	return env, fallen, nil
}

// serve ends with nil when a signal has ended it and all that was in flight was finished.
func (p *program) serve(ln net.Listener, handler http.Handler, logger *slog.Logger) error {
	srv := &http.Server{
		Handler: handler,
		// No ReadTimeout: a large file takes as long as it takes.
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	drained := make(chan error, 2) // whoever comes first
	release := onInterrupt(func() {
		fmt.Fprintln(p.stderr, "putpost: finishing what is in flight; interrupt again to stop now")
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), drainTime)
			defer cancel()
			drained <- srv.Shutdown(ctx)
		}()
	}, func() {
		drained <- errInterrupted // before Shutdown can find that all is gone
		srv.Close()
	})
	defer release()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("cannot serve: %w", err)
	}
	switch err := <-drained; {
	case errors.Is(err, context.DeadlineExceeded):
		srv.Close()
		return fmt.Errorf("what was still in flight after %s is cut off", drainTime)
	case errors.Is(err, errInterrupted):
		return errors.New("interrupted: what was still in flight is cut off")
	}
	return nil
}
