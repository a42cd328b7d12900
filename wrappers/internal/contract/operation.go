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
	Path      Template   // below a base
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
	case c.requeried(host, uri):
		return instance{fault: "a URL that an answer handed out, but with another query: send it byte for byte"}
	}
	return instance{fault: "neither an operation of the spec nor, byte for byte, a URL that an answer handed out"}
}

// Template is the path of an operation, such as /files/{id}/parts/{number}. A
// parameter may have words beside it in its segment, such as in /files/{id}.json.
type Template string

// Names returns the names of the parameters in their order.
func (t Template) Names() (names []string) {
	for _, part := range strings.Split(string(t), "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// Match returns the values of the parameters in an escaped path, or nil if it is
// no path of the template. A value is as long as it can be, and never empty. A
// slash at the end counts for nothing.
func (t Template) Match(path string) map[string]string {
	return match(strings.TrimRight(string(t), "/"), strings.TrimRight(path, "/"))
}

func match(template, path string) map[string]string {
	before, rest, takes := strings.Cut(template, "{")
	path, begins := strings.CutPrefix(path, before)
	switch {
	case !begins, !takes && path != "":
		return nil
	case !takes:
		return map[string]string{}
	}
	name, rest, _ := strings.Cut(rest, "}")
	segment, _, _ := strings.Cut(path, "/")
	for end := len(segment); end > 0; end-- {
		if params := match(rest, path[end:]); params != nil {
			params[strings.TrimSpace(name)] = path[:end]
			return params
		}
	}
	return nil
}

// order returns a text that sorts before the one of each path with a parameter
// where this path has plain words.
func (t Template) order() (key string) {
	for i, part := range strings.Split(string(t)+"/", "{") {
		if i > 0 {
			_, part, _ = strings.Cut(part, "}")
			key += "\xff"
		}
		key += strings.ReplaceAll(part, "/", "\xfe")
	}
	return key
}

// route returns the operation of an escaped path and its parameters.
func (c *Contract) route(method, path string) (*Operation, map[string]string) {
	for _, base := range c.Bases {
		rest, found := strings.CutPrefix(path, base)
		if !found || rest != "" && rest[0] != '/' {
			continue
		}
		for _, op := range c.router {
			if op.Method != method || c.ServeMux && strings.Count(rest, "/") != strings.Count(string(op.Path), "/") {
				continue
			}
			if params := op.Path.Match(rest); params != nil {
				return op, params
			}
		}
		return nil, nil
	}
	return nil, nil
}
