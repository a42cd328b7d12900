// Package console shows and controls the stand-ins. It is a page and a control
// interface under /_putpost/, for people and for tests in any language. It
// shows every exchange with the violations of the provider's contract, and the
// files that arrived. It injects faults and resets everything between two
// tests. The interface is specs/console.yaml.
//
//	c, err := console.New(console.Config{Providers: []console.Provider{{
//		Name: "ncloudmailer", Spec: spec, Standin: standin,
//	}}})
//	...
//	mux.Handle("/_putpost/", c)
//	mux.Handle("/api/", c.Watch("ncloudmailer"))
//
// Package uploadtest has the same recording, checking and faults for Go tests.
package console

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// Path is the console's path on its server.
const Path = "/_putpost/"

// Config describes a console. The zero value of each field but Providers works.
type Config struct {
	Providers []Provider
	Store     string // names the place of the files, to show
	Version   string // the program's, to show

	// Token is required of every caller. If it is empty, the console is open on
	// a loopback address and off on any other.
	Token string
	// Loopback says that the server listens only on a loopback address, and
	// that no proxy stands in front of it.
	Loopback bool
	// Origin returns the address under which a caller reaches the server, such
	// as https://files.example. If it is nil, the address comes from the
	// request.
	Origin func(*http.Request) string

	Exchanges int   // the number that is kept; zero means 1,000
	Bytes     int64 // the memory for them; zero means 32 MiB
}

// Provider is a stand-in with the facts that the console shows of it.
type Provider struct {
	Name    string
	Spec    []byte // the contract, an OpenAPI 3.0 document
	Standin Standin

	// FirstUpload returns shell lines that upload a first file to the server at
	// base, ready to paste.
	FirstUpload func(base string) string
	// Credentials returns how a shell authenticates a request: lines that come
	// first, and options of curl. They contain variables in place of the
	// credentials.
	Credentials func(operation, method, path string) (lines, options []string)
}

// Standin is a provider's stand-in. If it can set the status of a file, it also
// has the method SetStatus. If its presigned URLs outlive it, it also has the
// method Issued. That method recognises a request to such a URL and returns the
// file's id, or none for a download.
type Standin interface {
	http.Handler
	Files(ctx context.Context) iter.Seq2[standinhttp.File, error]
	Open(ctx context.Context, fileID string) (io.ReadCloser, store.Info, error)
	Reset(ctx context.Context) error
}

// Console is an http.Handler for [Path]. Make one with [New]. It is safe for
// concurrent use.
type Console struct {
	cfg       Config
	monitor   *monitor.Monitor
	contracts map[string]*contract.Contract // by provider
	watched   map[string]http.Handler
	handler   http.Handler

	injecting sync.Mutex // held while faults are counted and one is added
	changes   changes
	events    events
	listeners atomic.Int64
	closed    chan struct{}
	close     func()
}

// New returns a console for the stand-ins. It returns an error if a spec cannot
// be used.
func New(cfg Config) (*Console, error) {
	c := &Console{
		cfg:       cfg,
		monitor:   monitor.New(monitor.Config{Count: cfg.Exchanges, Bytes: cfg.Bytes}),
		contracts: map[string]*contract.Contract{},
		watched:   map[string]http.Handler{},
		closed:    make(chan struct{}),
	}
	c.close = sync.OnceFunc(func() { close(c.closed) })
	for _, p := range cfg.Providers {
		spec, err := contract.Parse(p.Spec)
		if err != nil {
			return nil, fmt.Errorf("console: the contract of %s: %w", p.Name, err)
		}
		spec.AnyHost, spec.ServeMux = true, true
		if s, ok := p.Standin.(interface {
			Issued(*http.Request) (fileID string, issued bool)
		}); ok {
			spec.Issued = s.Issued
		}
		c.contracts[p.Name] = spec
		c.watched[p.Name] = c.monitor.Handler(p.Name, spec, p.Standin)
	}
	own, _ := specs.FS.ReadFile("console.yaml") // it is embedded
	spec, err := contract.Parse(own)
	if err != nil {
		return nil, fmt.Errorf("console: its own contract: %w", err)
	}
	spec.ServeMux = true
	c.handler = c.guard(c.routes(spec))
	return c, nil
}

func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// Watch returns the provider's stand-in under observation: its exchanges are
// recorded, held to the contract, and may meet faults. While the console is
// off, nothing is observed.
func (c *Console) Watch(provider string) http.Handler {
	return c.watch(c.watched[provider], c.provider(provider).Standin)
}

// WatchOthers returns the handler of all paths that belong to no provider, also
// under observation. So a client with a wrong address is seen: each of its
// requests breaks the rule of the address.
func (c *Console) WatchOthers(next http.Handler) http.Handler {
	return c.watch(c.monitor.Handler("", contract.New(contract.Spec{}), next), next)
}

func (c *Console) watch(watched, standin http.Handler) http.Handler {
	if c.isOff() {
		return standin // nobody can see a record
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// No spec has the method of a browser's preflight, so the contract would
		// refuse it.
		if r.Method == http.MethodOptions {
			standin.ServeHTTP(w, r)
			return
		}
		// Scripts of other origins may read an injected answer as they may read the
		// stand-in's.
		w.Header()["Access-Control-Allow-Origin"] = standinhttp.AnyOrigin
		watched.ServeHTTP(w, r)
	})
}

// isOff reports whether the console refuses every caller.
func (c *Console) isOff() bool { return c.cfg.Token == "" && !c.cfg.Loopback }

// Close ends the streams of events. An open stream would keep the server from
// shutting down.
func (c *Console) Close() { c.close() }

// provider returns the provider with that name, or nil.
func (c *Console) provider(name string) *Provider {
	i := slices.IndexFunc(c.cfg.Providers, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &c.cfg.Providers[i]
}
