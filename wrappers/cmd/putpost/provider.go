package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
)

// provider is all that the program knows of one. Each is an entry of the map
// providers and nothing else.
type provider struct {
	// how the bytes travel, in two or three words
	how string

	// base is the documented address, and baseVar the variable that replaces it.
	base, baseVar string
	// credentials are the variables that say who the client is.
	credentials []string
	// connect makes the client that the environment describes. What is missing
	// there is a usageError that names the variables.
	connect func(env environment, cfg upload.Config) (upload.Uploader, error)
	// account tells apart what one journal must not mix; empty where it cannot
	// be known. It is written down, so no credential may stand in it.
	account func(env environment) string
	// wait is for what an uploaded file becomes; nil where there is no such thing.
	wait func(ctx context.Context, u upload.Uploader, fileID string) (documentID int64, err error)
	// failed is what wait's error is where the provider could not take the file.
	failed error
	// verbs are the provider's other operations.
	verbs []verb

	// standin makes the stand-in for the credentials in the environment.
	standin func(env environment, cfg standinConfig) (standin, error)
	// paths are the beginnings of the paths that the stand-in serves; one may
	// begin with another's, and then the longer one counts.
	paths []string
	// reach is how a client is told of the stand-in at base.
	reach func(base string) []variable
	// fallback are the credentials of a stand-in, all that it looks at, each with
	// its value on loopback where it is not set.
	fallback []variable
	// check says what a stand-in's environment lacks.
	check func(env environment) error
}

// verb is an operation under the name that the provider gives it.
type verb struct {
	name, help string
	takes      string // what an id of it is
	mistaken   string // what to say of an id that is not found, where there are two kinds of ids
	call       func(ctx context.Context, u upload.Uploader, id string) ([]record, error)
}

type variable struct{ name, value string }

// standin is a provider's Handler.
type standin interface {
	http.Handler
	Open(ctx context.Context, fileID string) (io.ReadCloser, store.Info, error)
}

type standinConfig struct {
	store   store.Store
	maxSize int64
	logger  *slog.Logger
}

func providerNames() []string { return slices.Sorted(maps.Keys(providers)) }

// client is the client that the environment describes.
func (p provider) client(env environment, cfg upload.Config) (upload.Uploader, error) {
	if err := env.clean(p.credentials...); err != nil {
		return nil, usageError{err}
	}
	cfg.BaseURL = env(p.baseVar)
	u, err := p.connect(env, cfg)
	if err != nil && errors.Is(err, upload.ErrInvalid) && cfg.BaseURL != "" {
		err = fmt.Errorf("%w (%s is what is set)", err, p.baseVar)
	}
	if err != nil {
		return nil, usageError{err} // a client that cannot be made has been told something wrong
	}
	return u, nil
}

// destination is where the client of p sends to, in the words of a journal. A
// stand-in on loopback is the same one whatever port it got this time.
func (p provider) destination(env environment) string {
	base := p.base
	if set := env(p.baseVar); set != "" {
		base = set
	}
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip.IsLoopback() {
		u.Host = "loopback"
	}
	return u.Scheme + "://" + strings.ToLower(u.Host) + strings.TrimRight(u.Path, "/")
}

// accountOf names the account that a key belongs to, without the key: the hash is
// of this program's own, so that it is found nowhere else.
func accountOf(key string) string {
	sum := sha256.Sum256([]byte("putpost journal account\x00" + key))
	return hex.EncodeToString(sum[:8])
}

// unset says that nothing of what p's stand-in checks is set.
func (p provider) unset(env environment) bool {
	return !slices.ContainsFunc(p.fallback, func(v variable) bool { return env(v.name) != "" })
}

// missing are those of names that are not set.
func (env environment) missing(names ...string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return env(name) != "" })
}

// need says which of names are not set, if any.
func (env environment) need(provider string, names ...string) error {
	switch missing := env.missing(names...); len(missing) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: the environment variable %s is not set", provider, missing[0])
	default:
		return fmt.Errorf("%s: the environment variables %s are not set", provider, and(missing))
	}
}

// clean says which of names has what no credential has in it, and what a secret that is
// mounted as a file often ends with. Sent as it is, it would be refused as wrong.
func (env environment) clean(names ...string) error {
	for _, name := range names {
		if strings.ContainsFunc(env(name), unicode.IsSpace) {
			return fmt.Errorf("%s has a blank or a line break in it", name)
		}
	}
	return nil
}

// or is env, with what is not set taken from values.
func (env environment) or(values []variable) environment {
	return func(name string) string {
		if set := env(name); set != "" {
			return set
		}
		for _, v := range values {
			if v.name == name {
				return v.value
			}
		}
		return ""
	}
}
