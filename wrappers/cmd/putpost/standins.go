package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// reclaimEvery is how often stand-ins are told to delete what expired.
const reclaimEvery = 5 * time.Minute

// standins holds the stand-in of each provider.
type standins map[string]standin

// newStandins makes the stand-ins for the credentials in env. A provider that
// has none there has no stand-in.
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

// handler puts all that answers on the port together.
func (s standins) handler(logger *slog.Logger) http.Handler {
	elsewhere := standinhttp.Handler{Next: http.HandlerFunc(s.noSuchPath), Logger: logger}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name := s.at(r.URL.Path); name != "" {
			s[name].ServeHTTP(w, r)
		} else {
			elsewhere.ServeHTTP(w, r)
		}
	})
}

// at returns the provider whose stand-in serves the path: the one with the
// longest beginning that fits. The path stays as it came, because a signature is
// made over it. http.ServeMux would redirect a path that it finds unclean.
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

// reclaim has expired files deleted until ctx ends.
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
