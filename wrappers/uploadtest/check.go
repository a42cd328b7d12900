package uploadtest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Check is an http.RoundTripper that holds every exchange which passes to a
// spec, in both directions and on any host: for a program against a real
// service, or a test against a server that is not its own. The URLs that
// answers hand out are recognised, and the presigned step is held to its rules
// wherever it goes.
//
// Spec must be set; a spec that cannot be read is the error of every exchange.
// A Check must not be copied after its first use and is safe for concurrent
// use.
type Check struct {
	Spec  []byte // an OpenAPI 3.0 document in YAML or JSON
	Scope Scope
	Base  http.RoundTripper // sends the requests; nil means http.DefaultTransport

	// Report is told of each broken rule, always a *Violation, and may be
	// called from several goroutines at once. Nil means that the exchange fails
	// with it.
	Report func(error)

	once     sync.Once
	contract *spec
	err      error
}

// RoundTrip implements http.RoundTripper.
func (c *Check) RoundTrip(r *http.Request) (*http.Response, error) {
	c.once.Do(func() { c.contract, c.err = c.Scope.parse(c.Spec) })
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
	violations := x.FinishRequest()
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

// peek returns the body of an answer, which can still be read. It is nil where
// the body is too long to keep, or cannot be read.
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
