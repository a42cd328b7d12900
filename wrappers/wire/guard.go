package wire

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// guard keeps what a RoundTripper of the caller's adds from a host that must
// not get credentials. It hears of each header when net/http has put it into
// the buffer of a connection, and closes the connection before the buffer is
// sent.
type guard struct {
	own     http.Header // of the request as it was handed over
	url     *url.URL    // and its address
	proxied bool        // net/http gives the proxy its credentials in a header of this request

	mu    sync.Mutex
	conn  net.Conn
	added string // the header that may hold credentials
}

// credentialName matches the names of headers that hold credentials, however
// short. HarmlessName matches those that never do: HTTP's own, and the ids by
// which traces are put together.
var (
	credentialName = pattern(`(?i)auth|cookie|token|secret|pass|credential|signature|session|jwt|key$`)
	harmlessName   = pattern(`(?i)trace|span|baggage|^b3$|^x-b3-|(request|correlation)-?id|` +
		`sentry|datadog|newrelic|^(user-agent|accept(-.*)?|cache-control|(proxy-)?connection|content-.*|date|expect|` +
		`from|host|keep-alive|pragma|priority|transfer-encoding|via)$|idempotency-key$`)
)

// authenticates reports whether a header's name says that it holds credentials.
func authenticates(name string) bool {
	return credentialName().MatchString(name) && !strings.HasSuffix(name, "Idempotency-Key")
}

// watch adds the guard to a transport's hooks.
func (g *guard) watch(trace *httptrace.ClientTrace) {
	trace.GotConn = func(info httptrace.GotConnInfo) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.conn = info.Conn
	}
	trace.WroteHeaderField = g.wrote
}

func (g *guard) wrote(name string, values []string) {
	name = textproto.CanonicalMIMEHeaderKey(name)
	if !g.refuses(name, values) {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.added = "header " + name
	if g.conn != nil {
		g.conn.Close()
	}
}

// refuses reports whether a header was added that may hold credentials. A
// header of an unknown name may, unless its value is shorter than what is taken
// for a secret elsewhere.
func (g *guard) refuses(name string, values []string) bool {
	switch {
	case slices.Equal(g.own[name], values), name == "Proxy-Authorization" && g.proxied,
		strings.HasPrefix(name, ":"): // HTTP/2 writes the request line so
		return false
	case authenticates(name):
		return true
	case harmlessName().MatchString(name):
		return slices.ContainsFunc(values, func(v string) bool {
			scheme, _, _ := strings.Cut(v, " ")
			return strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Basic")
		})
	}
	return slices.ContainsFunc(values, func(v string) bool { return len(v) >= longestRun })
}

// verdict returns an error if credentials were added. A RoundTripper that does
// not use net/http tells nothing before it answers, and nobody tells of the
// query. So the answer's request is looked at, and the caller at least learns
// of it.
func (g *guard) verdict(resp *http.Response) error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	added := g.added
	if resp != nil && resp.Request != nil && added == "" {
		for name, values := range resp.Request.Header {
			if g.refuses(name, values) {
				added = "header " + name
			}
		}
		if resp.Request.URL != nil && resp.Request.URL.RawQuery != g.url.RawQuery {
			given := g.url.Query()
			for name := range resp.Request.URL.Query() {
				if !given.Has(name) && resp.Request.URL.Query().Get(name) != "" {
					added = "parameter " + oneLine(name, 64)
				}
			}
		}
	}
	if added == "" {
		return nil
	}
	return fmt.Errorf("%w: HTTPClient adds the %s, which the presigned URL's host must not get; "+
		"give credentials to New, and what else only the API should get to Config.Header", upload.ErrInvalid, added)
}
