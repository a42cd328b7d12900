package uploadtest

import (
	"cmp"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
)

// Names of requests that no spec describes.
const (
	// Presigned names the step that sends the bytes to a URL from an answer.
	Presigned = contract.Presigned
	// Token names the call for an OAuth 2 access token: a POST of a URL-encoded
	// form to an address that the spec does not have.
	Token = contract.Token
)

// Violation is one rule of a contract that an exchange broke: its Spec is the
// spec's title, Op the operation, Rule what was broken ("request length"), At
// the method and path, and Detail what was found. Nothing in it repeats a
// credential, a query or what was in a file.
type Violation = contract.Violation

// Server is a handler on a loopback socket whose every exchange is held to a
// spec, remembered, and open to faults. Get one from [Serve].
type Server struct {
	URL     string // scheme, host and port
	BaseURL string // URL and the path of the spec's first server: the base URL for a client

	t        testing.TB
	contract *spec
	monitor  *monitor.Monitor
	close    func()
	told     told
}

// Scope says which calls a spec is about. The zero value is the spec's own
// word.
type Scope struct {
	// BasePath is where the operations lie, in place of the paths of the spec's
	// servers: "/v1".
	BasePath string

	// OthersPass lets calls pass that are no operation of the spec: a client of
	// the same service has other calls, too. They are not looked at. Without it
	// each of them breaks a rule.
	OthersPass bool
}

// parseAt reads a spec whose operations lie at a base URL.
func parseAt(t testing.TB, baseURL string, spec []byte) (c *spec, host string) {
	t.Helper()
	base, err := url.Parse(baseURL)
	if err != nil || base.Host == "" {
		t.Fatal("uploadtest: the base URL cannot be parsed")
	}
	if c, err = (Scope{BasePath: cmp.Or(base.EscapedPath(), "/")}).parse(spec); err != nil {
		t.Fatal(err)
	}
	return c, base.Host
}

// Serve starts handler on a loopback socket until t ends. Every exchange of an
// operation of spec, an OpenAPI 3.0 document in YAML or JSON, is validated in
// both directions; so are the presigned step and the token call, as far as any
// such call has rules (see the package documentation). A broken rule fails t
// with the one line of a [Violation], once.
//
// The handler is mounted where the spec's servers are: for a server
// https://api.example.com/v1 it receives /v1/... . A [Scope] changes that.
// Bodies stream through; what is kept of them is bounded, see [Request] and
// [File].
func Serve(t testing.TB, handler http.Handler, spec []byte, scope ...Scope) *Server {
	t.Helper()
	c, err := append(scope, Scope{})[0].parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, contract: c}
	s.monitor = monitor.New(monitor.Config{
		Count: 10_000, Bytes: 256 << 20,
		Watch:    contract.Watch{Head: contract.Keep, Sum: true},
		Report:   s.report,
		Panicked: func(p any) { t.Errorf("uploadtest: the handler panicked: %v", p) },
	})
	ts := httptest.NewUnstartedServer(s.monitor.Handler(c.Title, c.Contract, handler))
	ts.Config.ErrorLog = log.New(io.Discard, "", 0) // cut connections are the daily bread here
	ts.Start()
	s.close = sync.OnceFunc(func() {
		ts.CloseClientConnections()
		ts.Close()
	})
	t.Cleanup(s.close)
	s.URL, s.BaseURL = ts.URL, ts.URL+c.Bases[0]
	return s
}

// report fails the test by each violation, once however often it happens.
func (s *Server) report(v *contract.Violation) {
	s.t.Helper()
	if s.told.first(v.Key()) {
		s.t.Error(v.Error())
	}
}

// quiet waits until no request is being answered: after a client gave up on
// one, the handler may still be at it.
func (s *Server) quiet() {
	if !s.monitor.Quiet(5 * time.Second) {
		s.t.Errorf("uploadtest: a handler is still at work 5 s after its client has gone")
	}
}

// ops returns the operations that were asked for, in the order of their first
// request.
func (s *Server) ops() []string {
	var ops []string
	for _, x := range s.monitor.Exchanges() {
		if x.Op != "" && !slices.Contains(ops, x.Op) {
			ops = append(ops, x.Op)
		}
	}
	return ops
}
