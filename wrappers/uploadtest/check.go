package uploadtest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// Check is an http.RoundTripper that holds every exchange to a spec, in both
// directions and on any host. Use it for a program with a real service, or for
// a test with somebody else's server. It recognises the URLs that answers hand
// out, and holds the presigned step to its rules on any host.
//
// Spec is required. If it cannot be read, every exchange fails with the reason.
// A Check is safe for concurrent use. It must not be copied after its first
// use.
type Check struct {
	Spec  []byte // an OpenAPI 3.0 document in YAML or JSON
	Scope Scope
	Base  http.RoundTripper // sends the requests; nil means http.DefaultTransport

	// Report gets each broken rule, always as a *Violation. Several goroutines
	// may call it at once. If it is nil, an exchange that breaks a rule fails
	// with the first violation.
	Report func(error)

	once     sync.Once
	contract *apispec.Spec
	err      error
}

// RoundTrip implements http.RoundTripper.
func (c *Check) RoundTrip(r *http.Request) (*http.Response, error) {
	c.once.Do(func() { c.contract, c.err = apispec.Parse(c.Spec, c.Scope.BasePath, c.Scope.OthersPass) })
	if c.err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, c.err
	}
	base := c.Base
	if base == nil {
		base = http.DefaultTransport
	}
	x := c.contract.Begin(r, contract.Watch{})
	resp, err := base.RoundTrip(x.Watching(r.Context(), r))
	violations := x.CheckRequest(true)
	if err == nil {
		var head []byte
		if x.Operation() != nil {
			head = peek(resp)
		}
		violations = append(violations, x.FinishResponse(resp.StatusCode, resp.Header, head)...)
	}
	if c.Report == nil && len(violations) > 0 {
		if resp != nil {
			resp.Body.Close()
		}
		return nil, violations[0]
	}
	for _, v := range violations {
		c.Report(v)
	}
	return resp, err
}

// peek returns the body of an answer, and leaves the answer readable. It
// returns nil if the body is too long to keep, or cannot be read.
func peek(resp *http.Response) []byte {
	head, err := io.ReadAll(io.LimitReader(resp.Body, contract.Keep+1))
	rest := []io.Reader{bytes.NewReader(head)}
	switch {
	case err != nil:
		rest, head = append(rest, iotest.ErrReader(err)), nil
	case len(head) > contract.Keep:
		rest, head = append(rest, resp.Body), nil
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(rest...), resp.Body}
	return head
}
