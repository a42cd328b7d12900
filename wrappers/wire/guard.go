package wire

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/upload"
)

// guard keeps the headers that a RoundTripper of the caller's adds from a host
// that must not get credentials. It hears of each header when net/http has put
// it into the buffer of a connection, and closes the connection before the
// buffer is sent.
type guard struct {
	own http.Header // of the request as it was handed over

	mu    sync.Mutex
	conn  net.Conn
	added string // the name of a header that may hold credentials
}

// credentialName matches the names of headers that hold credentials.
var credentialName = regexp.MustCompile(`(?i)authorization|cookie|token|secret|passw|credential|signature|session|jwt|` +
	`(api|access|subscription|private)-?key|^x-auth`)

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
	g.added = name
	if g.conn != nil {
		g.conn.Close()
	}
}

// refuses reports whether a header was added that may hold credentials. A
// proxy's own go no further than the proxy.
func (g *guard) refuses(name string, values []string) bool {
	if name == "Proxy-Authorization" || slices.Equal(g.own[name], values) {
		return false
	}
	scheme := func(v string) bool {
		before, _, _ := strings.Cut(v, " ")
		return strings.EqualFold(before, "Bearer") || strings.EqualFold(before, "Basic")
	}
	return credentialName.MatchString(name) || slices.ContainsFunc(values, scheme)
}

// verdict returns an error if credentials were added. A RoundTripper that does
// not use net/http tells nothing before it answers; then the answer's request
// is looked at, so that its caller at least learns of it.
func (g *guard) verdict(resp *http.Response) error {
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if resp != nil && resp.Request != nil && g.added == "" {
		for name, values := range resp.Request.Header {
			if g.refuses(name, values) {
				g.added = name
			}
		}
	}
	if g.added == "" {
		return nil
	}
	return fmt.Errorf("%w: HTTPClient adds the header %s, which the presigned URL's host must not get; "+
		"give the credentials to New, and leave them out of HTTPClient", upload.ErrInvalid, g.added)
}
