package uploadtest

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// Check is an http.RoundTripper that holds every exchange which passes to a
// spec, in both directions and on any host: for a program against a real
// service, or a test against a server that is not its own. The URLs that
// answers hand out are recognised, and the presigned step is held to its rules
// wherever it goes.
//
// Spec must be set; a spec that cannot be read is the error of every exchange.
// A Check must not be copied after its first use and is safe for concurrent use.
type Check struct {
	Spec []byte            // an OpenAPI 3.0 document in YAML or JSON
	Base http.RoundTripper // sends the requests; nil means http.DefaultTransport

	// Report is told of each broken rule, always a *Violation, and may be called
	// from several goroutines at once. Nil means that the exchange fails with it.
	Report func(error)

	once     sync.Once
	contract *contract
	err      error
}

// RoundTrip implements http.RoundTripper.
func (c *Check) RoundTrip(r *http.Request) (*http.Response, error) {
	c.once.Do(func() { c.contract, c.err = parse(c.Spec) })
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
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	var chunk string
	if !empty(r) && r.ContentLength <= 0 {
		chunk = "chunked: the body's length is not said"
	}
	length := r.ContentLength
	if chunk != "" {
		length = -1
	}
	x := c.contract.begin(r, host, r.URL.RequestURI(), length, chunk)
	if x.body != nil {
		r = look(r, x)
	}
	resp, err := base.RoundTrip(r)
	violations := x.finishRequest()
	if err == nil {
		var head []byte
		if x.op.route != nil {
			var again error
			head, again = io.ReadAll(io.LimitReader(resp.Body, keep+1))
			rest := []io.Reader{bytes.NewReader(head)}
			if again != nil {
				rest = append(rest, failing{again})
				head = nil
			} else if len(head) > keep {
				rest = append(rest, resp.Body)
				head = nil
			}
			resp.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(rest...), resp.Body}
		}
		if v := x.finishResponse(resp.StatusCode, resp.Header, head); v != nil {
			violations = append(violations, v)
		}
	}
	for _, v := range violations {
		if c.Report != nil {
			c.Report(v)
			continue
		}
		if resp != nil {
			resp.Body.Close()
		}
		return nil, v
	}
	return resp, err
}

// look has x look at the body of r as it is sent, also where the transport
// begins anew because a kept connection turned out to be dead.
func look(r *http.Request, x *exchange) *http.Request {
	r = r.WithContext(r.Context())
	r.Body = x.body
	if get := r.GetBody; get != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			rc, err := get()
			if err != nil {
				return nil, err
			}
			return x.begun(rc), nil
		}
	}
	return r
}

// failing is a reader that ends as another one did.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
