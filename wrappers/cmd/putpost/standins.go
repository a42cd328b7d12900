package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/putpost/putpost/specs"
	web "github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/store/s3"
)

// reclaimEvery is the time between two deletions of expired files.
const reclaimEvery = 5 * time.Minute

// standins holds the stand-in of each provider.
type standins map[string]standin

// newStandins makes the stand-ins for the credentials in env. A provider
// without credentials gets no stand-in.
func newStandins(env environment, cfg standinConfig) (standins, error) {
	all := standins{}
	for _, name := range providerNames() {
		if providers[name].unset(env) {
			continue
		}
		s, err := providers[name].standin(env, cfg)
		if err != nil {
			return nil, err
		}
		all[name] = s
	}
	return all, nil
}

// handler returns the handler for all paths of the port.
func (s standins) handler(logger *slog.Logger) http.Handler {
	return s.route(func(name string) http.Handler { return s[name] }, s.elsewhere(logger))
}

// elsewhere returns the handler for paths that no stand-in serves.
func (s standins) elsewhere(logger *slog.Logger) http.Handler {
	return standinhttp.Handler{Next: http.HandlerFunc(s.noSuchPath), Logger: logger}
}

// route returns the handler that calls of for the provider of a path.
func (s standins) route(of func(provider string) http.Handler, elsewhere http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := s.at(r.URL.Path); name != "" {
			of(name).ServeHTTP(w, r)
		} else {
			elsewhere.ServeHTTP(w, r)
		}
	})
}

// at returns the provider whose stand-in serves the path: the one with the
// longest matching prefix. http.ServeMux would redirect a path with two
// slashes, but the path must stay unchanged for its signature.
func (s standins) at(path string) (provider string) {
	longest := ""
	for name := range s {
		for _, beginning := range providers[name].paths {
			if len(beginning) > len(longest) && strings.HasPrefix(path, beginning) {
				provider, longest = name, beginning
			}
		}
	}
	return provider
}

func (s standins) noSuchPath(w http.ResponseWriter, r *http.Request) {
	var there []string
	for _, name := range providerNames() {
		if s[name] != nil {
			there = append(there, fmt.Sprintf("%s of %s", and(slices.Clone(providers[name].calls)), name))
		}
	}
	w.Header().Set("X-Trace-Id", standinhttp.TraceID(r.Context()))
	text := fmt.Sprintf("No stand-in serves this path. There are: %s.\n", strings.Join(there, "; "))
	standinhttp.Refuse(w, r, standinhttp.Answer{
		Status: http.StatusNotFound, ContentType: "text/plain; charset=utf-8", Body: []byte(text),
	}, errors.New("no stand-in serves this path"))
}

// reclaim deletes expired files from time to time until ctx ends.
func (s standins) reclaim(ctx context.Context, logger *slog.Logger) {
	tick := time.NewTicker(reclaimEvery)
	defer tick.Stop()
	for {
		for name, h := range s {
			// Not every provider's files expire.
			if h, ok := h.(interface{ Reclaim(context.Context) error }); ok {
				if err := h.Reclaim(ctx); err != nil && ctx.Err() == nil {
					logger.Warn("expired files could not be deleted", "provider", name, "error", err)
				}
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// console returns the console of the stand-ins.
func (c *serveCmd) console(env environment, all standins, cfg web.Config, defaults []variable) (*web.Console, error) {
	if err := env.clean(consoleToken); err != nil {
		return nil, usageError{err}
	}
	cfg.Token, cfg.Exchanges, cfg.Bytes = env(consoleToken), c.Exchanges, int64(c.ExchangesMemory)
	for _, name := range providerNames() {
		if all[name] == nil {
			continue
		}
		spec, err := specs.FS.ReadFile(name + ".yaml")
		if err != nil {
			return nil, err
		}
		cfg.Providers = append(cfg.Providers, web.Provider{
			Name: name, Spec: spec, Standin: all[name], Credentials: providers[name].credentialsInShell,
			FirstUpload: func(base string) string { return firstUpload(providers[name], base, defaults) },
		})
	}
	return web.New(cfg)
}

// firstUpload returns shell lines that upload a first file. They set the test
// credentials if the stand-in accepts those.
func firstUpload(p provider, base string, defaults []variable) string {
	method, path, _ := strings.Cut(p.calls[0], " ")
	first, options := p.credentialsInShell("", method, path)
	first = append(first, strings.NewReplacer("AUTHENTICATED", strings.Join(options, " \\\n  "), "BASE", base).
		Replace(p.firstUpload))
	text := strings.Join(first, "\n")
	var lines []string
	for _, v := range defaults {
		if slices.Contains(p.credentials, v.name) && strings.Contains(text, "$"+v.name) {
			lines = append(lines, fmt.Sprintf("export %s=%s", v.name, v.value))
		}
	}
	return strings.Join(append(lines, "echo 'hello' > hello.txt", text), "\n")
}

// withConsole serves the console and the stand-ins on one port. The console
// watches all requests but its own.
func (s standins) withConsole(con *web.Console, logger *slog.Logger) http.Handler {
	watched := map[string]http.Handler{}
	for name := range s {
		watched[name] = con.Watch(name)
	}
	next := s.route(func(name string) http.Handler { return watched[name] }, con.WatchOthers(s.elsewhere(logger)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, web.Path):
			con.ServeHTTP(w, r)
		case path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
			web.Link(w, r)
		case path == "/favicon.ico": // a browser asks for it on its own
			http.NotFound(w, r)
		case path+"/" == web.Path:
			http.Redirect(w, r, web.Path, http.StatusMovedPermanently)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

const (
	awsKeyID   = "AWS_ACCESS_KEY_ID"
	awsSecret  = "AWS_SECRET_ACCESS_KEY"
	awsSession = "AWS_SESSION_TOKEN"
)

// openStore opens the store that --store names. It returns a name to show in
// where.
func openStore(env environment, name string) (st store.Store, where string, err error) {
	switch {
	case name == "":
		return nil, "", usagef("--store is empty; it is memory, a folder, or s3://BUCKET/PREFIX?endpoint=URL&region=R")
	case name == "memory":
		return store.Memory(0), "memory", nil
	case strings.HasPrefix(name, "s3:"):
		st, err = openBucket(env, name)
		where, _, _ = strings.Cut(name, "?")
		return st, where, err
	case strings.Contains(name, "://"):
		return nil, "", usagef("--store is an address that is not like s3://BUCKET/PREFIX?endpoint=URL&region=R")
	default:
		st, err = store.Disk(name)
		return st, name, err
	}
}

// lifecycle returns the rule that deletes NAVER's files in the bucket called
// name after one day. NAVER's own files expire after 24 hours. 24SevenOffice
// documents no expiry.
func lifecycle(name string) (string, error) {
	u, err := url.Parse(name)
	if err != nil || u.Scheme != "s3" {
		return "", usagef("--print-lifecycle needs --store s3://BUCKET/PREFIX")
	}
	rule, err := s3.Lifecycle(u.Path+"/ncloudmailer", 1)
	if err != nil {
		return "", usageError{err}
	}
	return rule, nil
}

// openBucket opens a bucket and sends it a request. Otherwise a wrong setting
// would show later, as the failure of an upload.
func openBucket(env environment, address string) (store.Store, error) {
	if err := env.need("--store s3", "", awsKeyID, awsSecret); err != nil {
		return nil, usageError{err}
	}
	if err := env.clean(awsKeyID, awsSecret, awsSession); err != nil {
		return nil, usageError{err}
	}
	cred := s3.Credentials{AccessKeyID: env(awsKeyID), SecretAccessKey: env(awsSecret), SessionToken: env(awsSession)}
	st, err := s3.Open(address, cred)
	if err != nil {
		return nil, usageError{err}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if err := st.Check(ctx); err != nil {
		return nil, err
	}
	return st, nil
}
