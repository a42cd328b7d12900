package contract

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// Names of requests that no spec describes.
const (
	// Presigned names the step that sends the bytes to a URL from an answer.
	Presigned = "presigned"
	// Token names the call for an OAuth 2 access token.
	Token = "token"
)

// operation says what a request is an instance of.
type operation struct {
	name   string         // empty: nothing that the contract knows
	route  *routers.Route // nil: not the spec's
	params map[string]string
	grant  *grant // of a presigned step
	fault  string // what is wrong with the address
}

// Routes returns the spec's operations: POST first and DELETE last, then in the
// order of their paths.
func (c *Contract) Routes() []*routers.Route {
	var routes []*routers.Route
	for path, item := range c.Doc.Paths.Map() {
		for method, op := range item.Operations() {
			routes = append(routes, &routers.Route{Spec: c.Doc, Path: path, PathItem: item, Method: method, Operation: op})
		}
	}
	turn := map[string]int{http.MethodPost: -2, http.MethodPut: -1, http.MethodPatch: -1, http.MethodDelete: 1}
	slices.SortFunc(routes, func(a, b *routers.Route) int {
		return cmp.Or(turn[a.Method]-turn[b.Method], strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return routes
}

// Name returns the operationId of a route, or its method and path.
func Name(r *routers.Route) string {
	if r.Operation.OperationID != "" {
		return r.Operation.OperationID
	}
	return r.Method + " " + r.Path
}

// Content returns the bodies that an operation takes, or nil.
func Content(op *openapi3.Operation) openapi3.Content {
	if op.RequestBody == nil || op.RequestBody.Value == nil {
		return nil
	}
	return op.RequestBody.Value.Content
}

// Operations returns the names of all that a request can be an instance of.
func (c *Contract) Operations() []string {
	var names []string
	for _, r := range c.Routes() {
		names = append(names, Name(r))
	}
	return append(names, Presigned, Token)
}

// find sorts a request by its method, host and request URI. A URL that was
// handed out comes first: it may well look like an operation's.
func (c *Contract) find(method, host, uri string, header http.Header) operation {
	g, handedOut := c.granted(host + uri)
	if handedOut && g.upload {
		return operation{name: Presigned, grant: &g}
	}
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return operation{fault: "the request URI cannot be parsed"}
	}
	u.Scheme, u.Host, u.User = "", "", nil
	if route, params, err := c.router.FindRoute(&http.Request{Method: method, URL: u}); err == nil {
		return operation{name: Name(route), route: route, params: params}
	}
	switch {
	case handedOut:
		return operation{}
	case c.isTokenCall(method, u.Path, header):
		return operation{name: Token}
	case c.OthersPass:
		return operation{}
	}
	return operation{fault: "neither an operation of the spec nor, byte for byte, a URL that an answer handed out"}
}
