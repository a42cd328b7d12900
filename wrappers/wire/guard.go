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

// guard protects the presigned host from credentials that the caller's
// RoundTripper adds to a request. It sees each header when net/http has written
// it into the buffer of a connection. If one may hold credentials, it closes
// the connection before the buffer is sent.
type guard struct {
	own     http.Header // of the request as it was handed over
	url     *url.URL    // the address of that request
	proxied bool        // net/http gives the proxy its credentials in a header of this request

	mu    sync.Mutex
	conn  net.Conn
	added string // the header that may hold credentials
}

// credentialName matches the names of headers that hold credentials, however
// short. HarmlessName matches those that never do: HTTP's own, and the ids of
// tracing.
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
	trace.WroteHeaderField = g.onWroteHeaderField
}

func (g *guard) onWroteHeaderField(name string, values []string) {
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
// header of an unknown name may hold some if its value has the length of a
// secret.
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

// leak returns an error if credentials were added. A RoundTripper without
// net/http calls no hook, and no hook sees the query. So leak also looks at the
// request of the answer: it is too late to stop that one, but the caller learns
// of it.
func (g *guard) leak(resp *http.Response) error {
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
	return fmt.Errorf("%w: HTTPClient adds the %s, but the presigned URL's host must not get it; "+
		"give credentials to New, and put other headers for the API alone into Config.Header", upload.ErrInvalid, added)
}
