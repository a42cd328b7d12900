package uploadtest

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// good returns the same request with good credentials.
func (p *prober) good(r *operation, s sample) *http.Request { return p.authorized(p.build(r, s)) }

// valid returns the same request, or nil if it breaks a rule of the spec.
func (p *prober) valid(r *operation, s sample) *http.Request {
	req := p.good(r, s)
	if len(p.faults(req)) > 0 {
		return nil
	}
	return req
}

// build returns the request of an operation with a sample.
func (p *prober) build(r *operation, s sample) *http.Request {
	query, header := url.Values{}, http.Header{}
	for _, param := range required(r) {
		value := p.valueOf(param, s)
		switch param.In {
		case openapi3.ParameterInQuery:
			query.Set(param.Name, value)
		case openapi3.ParameterInHeader:
			header.Set(param.Name, value)
		}
	}
	req := p.request(r.Method, p.pathOf(r, s), s.contentType, s.body)
	req.URL.RawQuery = query.Encode()
	maps.Copy(req.Header, header)
	return req
}

// valueOf returns the value of a parameter: the sample's own, or in a path what
// an answer gave, or the spec's example.
func (p *prober) valueOf(param *openapi3.Parameter, s sample) string {
	value := textOf(examples(param.Example, param.Examples, param.Schema)[""])
	if param.In == openapi3.ParameterInPath {
		value = cmp.Or(p.learned[param.Name], value)
	} else if param.In == openapi3.ParameterInHeader && onceOnly.MatchString(param.Name) {
		value = newKey()
	} else if content := s.content(); content != nil {
		value = textOf(stated(param.Name, value, param.Schema, content))
	}
	return cmp.Or(s.params[param.Name], value)
}

// pathOf returns the escaped path of an operation with a sample.
func (p *prober) pathOf(r *operation, s sample) string {
	path := r.Path
	for _, param := range required(r) {
		if param.In == openapi3.ParameterInPath {
			path = strings.ReplaceAll(path, "{"+param.Name+"}", url.PathEscape(p.valueOf(param, s)))
		}
	}
	return path
}

// known reports whether each parameter of the path names something: it came out
// of an earlier answer, or the operation makes what it names.
func (p *prober) known(r *operation) bool {
	return r.Method == http.MethodPut || r.Method == http.MethodPost || !p.strange[r.Path] &&
		!slices.ContainsFunc(required(r), func(param *openapi3.Parameter) bool {
			return param.In == openapi3.ParameterInPath && p.learned[param.Name] == ""
		})
}

// request returns a request. An empty body means that it has none.
func (p *prober) request(method, path, contentType string, body []byte) *http.Request {
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, bytes.NewReader(body))
	if err != nil {
		p.Fatal("uploadtest: the base URL makes no request")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func (p *prober) authorized(req *http.Request) *http.Request {
	bare := req.Header.Clone()
	p.authorize(req)
	for name, values := range req.Header {
		_, token, _ := strings.Cut(values[0], " ")
		if token = cmp.Or(token, values[0]); bare.Get(name) == "" && len(token) >= 16 && !ordinary.MatchString(name) {
			p.secrets[token] = true
		}
	}
	return req
}

// faults returns the violations of the spec in a request, without sending it.
func (p *prober) faults(req *http.Request) (broken []*contract.Violation) {
	probe := req.Clone(req.Context())
	if req.GetBody != nil {
		probe.Body, _ = req.GetBody()
	}
	x := p.contract.Begin(probe, contract.Watch{})
	if watched := x.Watching(probe.Context(), probe); watched.Body != nil {
		_, _ = io.Copy(io.Discard, watched.Body)
	}
	return x.CheckRequest(true)
}

// parameters returns the parameters of an operation.
func parameters(r *operation) (params []*openapi3.Parameter) {
	for _, ref := range slices.Concat(r.PathItem.Parameters, r.Operation.Parameters) {
		params = append(params, ref.Value)
	}
	return params
}

// required returns the parameters that an operation cannot do without.
func required(r *operation) []*openapi3.Parameter {
	return slices.DeleteFunc(parameters(r), func(param *openapi3.Parameter) bool { return !param.Required })
}

// reading reports whether an operation only tells of what is there.
func reading(r *operation) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// inPath returns the parameters in a route's path, in their order. It runs for
// each value of each answer, so it uses no regexp.
func inPath(r *operation) (params []string) {
	for part := range strings.SplitSeq(r.Path, "{") {
		if name, _, ok := strings.Cut(part, "}"); ok {
			params = append(params, name)
		}
	}
	return params
}

// lastParam returns the last parameter of a route's path, or nothing.
func lastParam(r *operation) (name string) {
	for _, param := range inPath(r) {
		name = param
	}
	return name
}

// unslashed returns a path without the slash that some frameworks put at its
// end.
func unslashed(path string) string { return strings.TrimSuffix(path, "/") }

// lastPart returns what is behind the last slash of a route's path.
func lastPart(r *operation) string {
	path := unslashed(r.Path)
	return path[strings.LastIndex(path, "/")+1:]
}

// at returns the operation of a path and a method, or nil.
func (p *prober) at(path, method string) *operation {
	for _, r := range p.contract.routes {
		if unslashed(r.Path) == unslashed(path) && r.Method == method {
			return r
		}
	}
	return nil
}

// matches returns the parameters of a route in a path, or nil.
func (p *prober) matches(r *operation, path string) map[string]string {
	base, _ := url.Parse(p.base)
	pattern := regexp.QuoteMeta(r.Path)
	for _, param := range inPath(r) {
		pattern = strings.Replace(pattern, regexp.QuoteMeta("{"+param+"}"), "([^/]+)", 1)
	}
	found := regexp.MustCompile("^" + pattern + "$").
		FindStringSubmatch("/" + strings.TrimLeft(strings.TrimPrefix(path, base.Path), "/"))
	if found == nil {
		return nil
	}
	params := map[string]string{}
	for i, param := range inPath(r) {
		params[param] = found[i+1]
	}
	return params
}
