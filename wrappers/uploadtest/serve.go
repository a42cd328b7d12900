package uploadtest

import (
	"cmp"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// Names of requests that no spec describes.
const (
	// Presigned names the step that sends the bytes to a URL from an answer.
	Presigned = contract.Presigned
	// Token names the call for an OAuth 2 access token: a POST of a URL-encoded
	// form to an address that the spec does not have.
	Token = contract.Token
)

// Violation is one rule of a contract that an exchange broke. Spec is the
// spec's title, Op the operation, Rule the name of the rule, such as "request
// length", At the method and path, and Detail the finding. It repeats no
// credential, no query and no content of a file.
type Violation = contract.Violation

// Server is a handler on a loopback socket. It holds every exchange to a spec,
// remembers it, and takes faults. Get one from [Serve].
type Server struct {
	URL     string // scheme, host and port
	BaseURL string // URL and the path of the spec's first server: the base URL for a client

	t        testing.TB
	contract *apispec.Spec
	monitor  *monitor.Monitor
	told     tally.Told
	said     atomic.Pointer[tally.Told] // in a whole [Run]
}

// Scope says which calls a spec covers. The zero value is what the spec itself
// says.
type Scope struct {
	// BasePath is the path above the operations, such as "/v1". It replaces the
	// paths of the spec's servers.
	BasePath string

	// OthersPass lets calls pass that are no operation of the spec, and does
	// not look at them: a client of the same service may have other calls, too.
	// Without it each of them breaks a rule.
	OthersPass bool
}

// Serve starts handler on a loopback socket until t ends. Spec is an OpenAPI
// 3.0 document in YAML or JSON. Every exchange of one of its operations is
// checked in both directions. So are the presigned step and the token call, by
// the rules in the package documentation. A broken rule fails t once, with the
// one line of a [Violation].
//
// The handler gets requests under the paths of the spec's servers: for a server
// https://api.example.com/v1 it receives /v1/... . A [Scope] changes that.
// Bodies stream through. [Request] and [File] say how much of them is kept.
func Serve(t testing.TB, handler http.Handler, spec []byte, scope ...Scope) *Server {
	t.Helper()
	in := append(scope, Scope{})[0]
	c, err := apispec.Parse(spec, in.BasePath, in.OthersPass)
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
	ts.Config.ErrorLog = log.New(io.Discard, "", 0) // tests cut connections on purpose
	ts.Start()
	t.Cleanup(func() {
		ts.CloseClientConnections()
		ts.Close()
	})
	s.URL, s.BaseURL = ts.URL, ts.URL+c.Bases[0]
	return s
}

// report fails the test for each violation, once however often it happens.
func (s *Server) report(v *contract.Violation) {
	s.t.Helper()
	switch said := s.said.Load(); {
	case !s.told.First(v.Key()):
	case said == nil || said.First(v.Key()):
		s.t.Error(v.Error())
	default:
		said.Also(cmp.Or(v.Op, "no operation")+": "+v.Rule, filepath.Base(s.t.Name()))
		s.t.Fail()
	}
}

// quiet waits until no request is being answered: a handler may still work
// after its client gave up.
func (s *Server) quiet() {
	if !s.monitor.Quiet(5 * time.Second) {
		s.t.Errorf("uploadtest: a handler is still at work 5 s after its client has gone")
	}
}
