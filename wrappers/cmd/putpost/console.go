package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/putpost/putpost/specs"
	web "github.com/putpost/putpost/wrappers/console"
)

// console returns the console of the stand-ins.
func (c *serveCmd) console(env environment, all standins, cfg web.Config, fallen []variable) (*web.Console, error) {
	if err := env.clean(consoleToken); err != nil {
		return nil, usageError{err}
	}
	if c.Exchanges < 1 || c.ExchangesMemory < 1 {
		return nil, usagef("--exchanges and --exchanges-memory must be at least 1")
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
			FirstUpload: func(base string) string { return firstUpload(providers[name], base, fallen) },
		})
	}
	return web.New(cfg)
}

// firstUpload returns shell lines that upload a first file. They set the test
// credentials, where those are the right ones.
func firstUpload(p provider, base string, fallen []variable) string {
	var lines []string
	for _, v := range fallen {
		if slices.Contains(p.credentials, v.name) && strings.Contains(p.firstUpload, "$"+v.name) {
			lines = append(lines, fmt.Sprintf("export %s=%s", v.name, v.value))
		}
	}
	lines = append(lines, "echo 'hello' > hello.txt")
	return strings.Join(lines, "\n") + "\n" + strings.ReplaceAll(p.firstUpload, "BASE", base)
}

// withConsole puts the console and the stand-ins on one port. The stand-ins are
// watched.
func (s standins) withConsole(con *web.Console, rest func(standins) http.Handler) http.Handler {
	all := standins{}
	for name, h := range s {
		all[name] = watched{h, con.Watch(name)}
	}
	next := rest(all)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case strings.HasPrefix(path, web.Path):
			con.ServeHTTP(w, r)
		case path == "/" && r.Method == http.MethodGet:
			web.Link(w, r)
		case path+"/" == web.Path:
			http.Redirect(w, r, web.Path, http.StatusMovedPermanently)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// watched is a stand-in whose exchanges the console sees.
type watched struct {
	standin
	handler http.Handler
}

func (w watched) ServeHTTP(out http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(out, r) }
