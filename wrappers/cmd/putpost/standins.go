package main

import (
	"net/http"
	"strings"
)

// standins are those of all providers on one port.
type standins map[string]standin

// newStandins makes them for the credentials in env; a provider that has none
// there has no stand-in.
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

// ServeHTTP goes by the path's beginning, the longest that fits, and leaves the
// path as it came, which is what a signature is made over: http.ServeMux would
// redirect what it finds unclean.
func (s standins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var to http.Handler
	longest := ""
	for name, h := range s {
		for _, path := range providers[name].paths {
			if len(path) > len(longest) && strings.HasPrefix(r.URL.Path, path) {
				to, longest = h, path
			}
		}
	}
	if to == nil {
		http.Error(w, "no stand-in serves this path", http.StatusNotFound)
		return
	}
	to.ServeHTTP(w, r)
}
