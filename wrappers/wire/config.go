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
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/putpost/putpost/wrappers/upload"
)

// NewDoer returns a Doer for one API, set up as cfg says. A setting that cannot
// be used is [upload.ErrInvalid].
func NewDoer(api API, cfg upload.Config) (*Doer, error) {
	d, err := newDoer(api, cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", api.Provider, upload.ErrInvalid, err)
	}
	return d, nil
}

func newDoer(api API, cfg upload.Config) (*Doer, error) {
	base, err := checkBase(cmp.Or(cfg.BaseURL, api.BaseURL))
	if err != nil {
		return nil, err
	}
	header, err := checkHeader(cfg.Header, api.Secret)
	if err != nil {
		return nil, err
	}
	if err := checkSettings(cfg); err != nil {
		return nil, err
	}
	if err := checkClient(cfg); err != nil {
		return nil, err
	}
	api.Secret = slices.Concat(api.Secret, []string{"Authorization", "Proxy-Authorization", "Cookie"})
	d := &Doer{
		BaseURL:  base,
		api:      api,
		agent:    cmp.Or(cfg.UserAgent, "putpost"),
		attempts: cmp.Or(cfg.Retry.Attempts, 4),
		maxWait:  cmp.Or(cfg.Retry.MaxWait, 30*time.Second),
		logger:   cfg.Logger,
	}
	if d.logger == nil {
		d.logger = slog.New(slog.DiscardHandler)
	}
	if c := cfg.HTTPClient; c != nil {
		d.timeout, d.client = c.Timeout, c.Transport
	}
	d.answerTimeout = max(0, cmp.Or(cfg.AnswerTimeout, time.Minute))
	if d.client == nil {
		d.client, d.answerTimeout = sharedTransport(sharedSettings{cfg.Connections, d.answerTimeout}), 0
	}
	d.base, d.authorizes = inspect(d.client)
	if d.base != nil {
		if err := checkTransport(d.base, base); err != nil {
			return nil, err
		}
		if cfg.AnswerTimeout == 0 && d.base.ResponseHeaderTimeout > 0 {
			d.answerTimeout = 0 // the transport's own takes its place
		}
	}
	d.header = http.Header{"User-Agent": {d.agent}, "Accept-Encoding": {"identity"}}
	maps.Copy(d.header, header)
	return d, nil
}

// checkSettings refuses numbers and texts that make no sense.
func checkSettings(cfg upload.Config) error {
	switch {
	case cfg.Retry.Attempts < 0:
		return fmt.Errorf("Retry.Attempts is %d; 0 means 4, and 1 sends nothing twice", cfg.Retry.Attempts)
	case cfg.Retry.MaxWait < 0:
		return fmt.Errorf("Retry.MaxWait is %s; 0 means 30s", cfg.Retry.MaxWait)
	case strings.ContainsFunc(cfg.UserAgent, unfitForHeader):
		return errors.New("UserAgent holds control characters")
	}
	return nil
}

// unfitForHeader reports whether net/http would refuse r in a header's value.
func unfitForHeader(r rune) bool { return unicode.IsControl(r) && r != '\t' }

// checkBase refuses a text that is no base address. Its error shows nothing
// that may be a secret.
func checkBase(base string) (string, error) {
	u, err := url.Parse(base)
	switch {
	case base == "":
		return "", errors.New("BaseURL is empty, and the API has none of its own")
	case err != nil:
		return "", errors.New("BaseURL: the base URL cannot be parsed; it is like https://host/v1")
	case strings.TrimSpace(base) != base:
		return "", errors.New("BaseURL: the base URL has blanks around it")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("BaseURL: the base URL %q does not begin with https:// or http://", redact(base, nil))
	case u.Hostname() == "":
		return "", fmt.Errorf("BaseURL: the base URL %q names no host", redact(base, nil))
	case !usablePort(u):
		return "", fmt.Errorf("BaseURL: the base URL %q has a port that is not from 1 to 65535", redact(base, nil))
	case u.User != nil:
		return "", errors.New("BaseURL: the base URL holds user info; credentials go elsewhere")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("BaseURL: the base URL holds a query or a fragment; " +
			"it ends with the path, like https://host/v1")
	}
	return strings.TrimRight(base, "/#"), nil
}

// usablePort reports whether the port of an address is from 1 to 65535, or
// absent.
func usablePort(u *url.URL) bool {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil && port > 0
}

// checkHeader refuses a header that would change the authentication or the
// body's framing, and one that net/http would refuse only when the first
// request is sent.
func checkHeader(header http.Header, secret []string) (http.Header, error) {
	checked := http.Header{}
	for name, values := range header {
		canonical := http.CanonicalHeaderKey(name)
		signs := slices.ContainsFunc(secret, func(s string) bool { return strings.EqualFold(s, name) })
		switch canonical {
		case "Authorization", "Proxy-Authorization", "Host", "Transfer-Encoding", "Trailer", "Expect",
			"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Upgrade":
			signs = true
		}
		if signs || strings.HasPrefix(canonical, "Content-") {
			return nil, fmt.Errorf("field Header: %s is set by the client itself and cannot be configured", canonical)
		}
		if err := checkField(name, values); err != nil {
			return nil, fmt.Errorf("field Header: %w", err)
		}
		checked[canonical] = slices.Clone(values)
	}
	return checked, nil
}

// checkField refuses a header that cannot be sent. Its error does not show the
// values.
func checkField(name string, values []string) error {
	if name == "" || strings.ContainsFunc(name,
		func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) }) {
		return fmt.Errorf("%q is no header name", name)
	}
	for _, v := range values {
		if strings.ContainsFunc(v, unfitForHeader) {
			return fmt.Errorf("the value of %s holds control characters", http.CanonicalHeaderKey(name))
		}
	}
	return nil
}
