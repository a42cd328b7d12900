package console

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// guard refuses callers that may not use the console.
func (c *Console) guard(next http.Handler) http.Handler {
	foreign := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Content-Security-Policy", pagePolicy)
		header.Set("Cache-Control", "no-store")
		err := c.admit(r)
		if err == nil && foreign.Check(r) != nil && !c.isOwnPage(r) {
			err = refuse(http.StatusForbidden, "a browser may make changes only from the console's own page")
		}
		typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err == nil && mayHaveBody(r) && typ != "application/json" {
			err = refuse(http.StatusUnsupportedMediaType, "a change needs the header Content-Type: application/json")
		}
		if err != nil {
			answerRefusal(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwnPage reports whether a call comes from the console's own page, through a
// proxy that changes the Host header. If the browser sends Sec-Fetch-Site,
// http.CrossOriginProtection has already decided by it.
func (c *Console) isOwnPage(r *http.Request) bool {
	return c.cfg.Origin != nil && r.Header.Get("Sec-Fetch-Site") == "" &&
		strings.EqualFold(r.Header.Get("Origin"), c.origin(r))
}

// admit checks the caller. If there is a token, the caller must have it. If
// there is none, the caller must be on this machine. In both cases the Host
// header must name this server: a page whose name was made to point here (DNS
// rebinding) sends its own name. Without this check, a browser would ask its
// user for the token on such a page.
func (c *Console) admit(r *http.Request) error {
	switch {
	case c.cfg.Token != "":
		if !c.isOwnHost(r.Host) {
			return refuse(http.StatusForbidden, "%.80q in the Host header is no name of this server; "+
				"serve --public-url makes it one", r.Host)
		}
		_, password, _ := r.BasicAuth()
		token, err := standinhttp.Bearer(r)
		if standinhttp.Same(password, c.cfg.Token) || err == nil && standinhttp.Same(token, c.cfg.Token) {
			return nil
		}
		return errNoToken
	case c.isOff():
		return refuse(http.StatusForbidden, "the console is off, because other machines may reach this server; "+
			"set PUTPOST_CONSOLE_TOKEN to open it")
	case proxied(r.Header):
		return refuse(http.StatusForbidden, "the console is off for calls that come through a proxy; "+
			"set PUTPOST_CONSOLE_TOKEN to open it")
	case !isLoopback(r.Host):
		return refuse(http.StatusForbidden, "the Host header is no loopback name such as localhost or 127.0.0.1")
	}
	return nil
}

var errNoToken = errors.New("the console asks for PUTPOST_CONSOLE_TOKEN, as a bearer token " +
	"or as the password of any user")

// mayHaveBody reports whether a call has a body, or must have one.
func mayHaveBody(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return r.Method == http.MethodPost || r.ContentLength != 0 && !reads
}

// proxied reports whether a proxy has passed the request on. Its callers may be
// anywhere.
func proxied(header http.Header) bool {
	for _, name := range []string{
		"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip",
	} {
		if header.Get(name) != "" {
			return true
		}
	}
	return false
}

// hostname returns the name or address in a Host header, without the dot that
// may end a name.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), "."))
}

// isLoopback reports whether a Host header is a loopback name.
func isLoopback(host string) bool {
	name := hostname(host)
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.IsLoopback()
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// localDomains are the ends of names that nobody can register.
var localDomains = []string{".localhost", ".local", ".internal", ".lan", ".test", ".home.arpa"}

// isOwnHost reports whether a Host header can name this server: an address, a
// name that nobody can register, the machine's name, or the name that Origin
// returns. Behind a trusted proxy, the proxy decides about names.
func (c *Console) isOwnHost(host string) bool {
	name := hostname(host)
	_, err := netip.ParseAddr(name)
	local := func(end string) bool { return strings.HasSuffix(name, end) }
	if err == nil || !strings.Contains(name, ".") || slices.ContainsFunc(localDomains, local) {
		return true
	}
	if machine, _ := os.Hostname(); strings.EqualFold(name, machine) {
		return true
	}
	if c.cfg.Origin == nil {
		return false
	}
	origin, err := url.Parse(c.cfg.Origin(&http.Request{Host: host}))
	return err == nil && hostname(origin.Host) == hostname(host)
}

// Where returns a sentence: where the console of the server at base is, or why
// it is off.
func (c *Console) Where(base string) string {
	switch {
	case c.cfg.Token != "":
		return "to see what arrives, open " + base + Path + "; it asks for PUTPOST_CONSOLE_TOKEN"
	case c.isOff():
		return "the console is off; set PUTPOST_CONSOLE_TOKEN to open it"
	}
	return "to see what arrives, open " + base + Path
}
