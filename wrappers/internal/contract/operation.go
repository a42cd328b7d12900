package contract

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Names of requests that no spec describes.
const (
	// Presigned names the step that sends the bytes to a URL from an answer.
	Presigned = "presigned"
	// Token names the call for an OAuth 2 access token.
	Token = "token"
)

// Operation is one operation of a spec.
type Operation struct {
	Name      string // the operationId, or method and path
	Method    string
	Path      string     // below a base; {name} stands for a parameter
	TakesBody bool       // its requests have a body
	Security  [][]Scheme // a request needs all schemes of any one element; empty: it needs none
	Rules
}

// private reports whether each request of the operation needs credentials.
func (o *Operation) private() bool {
	return len(o.Security) > 0 && !slices.ContainsFunc(o.Security, func(all []Scheme) bool { return len(all) == 0 })
}

// Rules are the rules of a document for the requests and answers of one
// operation.
type Rules interface {
	// Media returns the rules for a request's body of a media type, or nil if
	// such a body is not declared.
	Media(contentType string) *Media
	// Request returns the rule that a request breaks, if any.
	Request(Request) (rule, detail string)
	// Response returns the rule that the answer to a request breaks, if any.
	// The body is nil if it is not to be looked at.
	Response(head *http.Request, status int, header http.Header, body *Text) (rule, detail string)
}

// Media holds the facts that a document gives of a body.
type Media struct {
	Bytes   bool     // it may be any bytes
	Fields  []string // the fields that a form may have; nil: any
	Example []byte   // in JSON, or nil
}

// Request is a request that arrived or is sent.
type Request struct {
	*http.Request // its body is not to be read
	Params        map[string]string
	Whole         bool    // the body came whole; else it is not to be looked at
	Form          []*Part // of a form
	Body          *Text   // of anything else
}

// instance says which known step a request is: an operation, the presigned step
// or the token call.
type instance struct {
	name   string     // empty: nothing that the contract knows
	op     *Operation // nil: not the spec's
	params map[string]string
	grant  *grant // of a presigned step
	fault  string // what is wrong with the address
}

// Names returns the names of all steps that a request can be.
func (c *Contract) Names() []string {
	var names []string
	for _, op := range c.Operations {
		names = append(names, op.Name)
	}
	return append(names, Presigned, Token)
}

// Operation returns the operation with a name, or nil.
func (c *Contract) Operation(name string) *Operation {
	for _, op := range c.Operations {
		if op.Name == name {
			return op
		}
	}
	return nil
}

// find returns the step of a request that goes to a host and a request URI. It
// looks among the handed-out URLs first, since such a URL may look like an
// operation's.
func (c *Contract) find(r *http.Request, host, uri string) instance {
	g := c.granted(host, uri)
	if g == nil && c.Issued != nil {
		if id, issued := c.Issued(r); issued {
			g = &grant{upload: id != "", ids: []string{id}}
		}
	}
	u := r.URL
	if u.Opaque != "" {
		if plain, err := url.ParseRequestURI(uri); err == nil {
			u = plain
		}
	}
	op, params := c.route(r.Method, u.EscapedPath())
	if op == nil && c.ServeMux && r.Method == http.MethodHead {
		op, params = c.route(http.MethodGet, u.EscapedPath())
	}
	if g != nil && g.upload && (op == nil || !op.private()) {
		return instance{name: Presigned, grant: g}
	}
	if op != nil {
		return instance{name: op.Name, op: op, params: params}
	}
	switch {
	case g != nil:
		return instance{}
	case c.isTokenCall(r.Method, u.Path, r.Header):
		return instance{name: Token}
	case c.OthersPass:
		return instance{}
	}
	return instance{fault: "neither an operation of the spec nor, byte for byte, a URL that an answer handed out"}
}

// template is the path of an operation, and the names of its parameters.
type template struct {
	op    *Operation
	path  string // each parameter is {}
	names []string
}

// router sorts the paths of operations. If several paths fit, the first one
// counts.
func router(ops []*Operation) []template {
	var list []template
	for _, op := range ops {
		t := template{op: op}
		before, rest, found := strings.Cut(strings.TrimRight(op.Path, "/"), "{")
		for t.path = before; found; t.path += "{}" + before {
			var name string
			name, rest, _ = strings.Cut(rest, "}")
			t.names = append(t.names, strings.TrimSpace(name))
			before, rest, found = strings.Cut(rest, "{")
		}
		list = append(list, t)
	}
	// A path with a plain word counts before one with a parameter there.
	last := func(path string) string { return strings.ReplaceAll(path, "{", "\xff") }
	slices.SortFunc(list, func(a, b template) int { return strings.Compare(last(a.path), last(b.path)) })
	return list
}

// route returns the operation of an escaped path and its parameters.
func (c *Contract) route(method, path string) (*Operation, map[string]string) {
	for _, base := range c.Bases {
		rest, found := strings.CutPrefix(path, base)
		if !found || rest != "" && rest[0] != '/' {
			continue
		}
		bare := strings.TrimRight(rest, "/")
		for _, t := range c.router {
			if t.op.Method == method {
				params, fits := t.match(bare)
				if !fits && bare != rest { // the last parameter is empty
					params, fits = t.match(bare + "/")
				}
				if fits && !(c.ServeMux && strings.Count(rest, "/") != strings.Count(t.path, "/")) {
					return t.op, params
				}
			}
		}
		return nil, nil
	}
	return nil, nil
}

// match compares a path with a template. A parameter takes the rest of its
// segment, even if that is empty.
func (t template) match(path string) (map[string]string, bool) {
	var params map[string]string
	names := t.names
	for want := t.path; want != "" || path != ""; {
		switch {
		case want == "":
			return nil, false
		case want[0] == '{':
			if params == nil {
				params = map[string]string{}
			}
			end := strings.IndexByte(path, '/')
			if end < 0 {
				end = len(path)
			}
			params[names[0]], names = path[:end], names[1:]
			want, path = want[len("{}"):], path[end:]
		case path == "" || path[0] != want[0]:
			return nil, false
		default:
			want, path = want[1:], path[1:]
		}
	}
	return params, true
}
