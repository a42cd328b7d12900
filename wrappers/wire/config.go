package wire

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/putpost/putpost/wrappers/upload"
)

// NewDoer returns a Doer for one API, set up as cfg says. A setting that cannot be
// used is [upload.ErrInvalid].
func NewDoer(api API, cfg upload.Config) (*Doer, error) {
	base, err := checkBase(cmp.Or(cfg.BaseURL, api.BaseURL))
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", api.Provider, upload.ErrInvalid, err)
	}
	header, err := checkHeader(cfg.Header, api.Secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", api.Provider, upload.ErrInvalid, err)
	}
	api.Secret = slices.Concat(api.Secret, []string{"Authorization", "Proxy-Authorization", "Cookie"})
	d := &Doer{
		BaseURL:  base,
		api:      api,
		client:   sharedTransport(cfg.Connections),
		agent:    cmp.Or(cfg.UserAgent, "putpost"),
		attempts: 4,
		maxWait:  30 * time.Second,
		logger:   slog.New(slog.DiscardHandler),
	}
	if c := cfg.HTTPClient; c != nil {
		d.timeout = c.Timeout
		if c.Transport != nil {
			d.client = c.Transport
		}
	}
	if cfg.Retry.Attempts > 0 {
		d.attempts = cfg.Retry.Attempts
	}
	if cfg.Retry.MaxWait > 0 {
		d.maxWait = cfg.Retry.MaxWait
	}
	if cfg.Logger != nil {
		d.logger = cfg.Logger
	}
	d.header = http.Header{"User-Agent": {d.agent}}
	maps.Copy(d.header, header)
	return d, nil
}

// checkBase refuses what is no base address. Its error repeats nothing that may
// be a secret.
func checkBase(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case base == "":
		return "", errors.New("there is no base URL")
	case err != nil:
		return "", errors.New("the base URL cannot be parsed; it is like https://host/v1")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("the base URL %q does not begin with https:// or http://", redact(base, nil))
	case u.Hostname() == "":
		return "", fmt.Errorf("the base URL %q names no host", redact(base, nil))
	case u.User != nil:
		return "", errors.New("the base URL holds user info; credentials go elsewhere")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("the base URL holds a query or a fragment; it ends with the path, like https://host/v1")
	}
	return strings.TrimRight(base, "/#"), nil
}

// checkHeader refuses what would undo the authentication or the body's framing,
// and what net/http would refuse only when the first request is sent.
func checkHeader(header http.Header, secret []string) (http.Header, error) {
	checked := http.Header{}
	for name, values := range header {
		canonical := http.CanonicalHeaderKey(name)
		signs := slices.ContainsFunc(secret, func(s string) bool { return strings.EqualFold(s, name) })
		switch canonical {
		case "Authorization", "Proxy-Authorization", "Host", "Connection", "Transfer-Encoding", "Trailer", "Expect":
			signs = true
		}
		if signs || strings.HasPrefix(canonical, "Content-") {
			return nil, fmt.Errorf("the header %s is set by the client itself and cannot be configured", canonical)
		}
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }) {
			return nil, fmt.Errorf("%q is no header name", name)
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }) {
				return nil, fmt.Errorf("the value of header %s holds control characters", canonical)
			}
		}
		checked[canonical] = slices.Clone(values)
	}
	return checked, nil
}
