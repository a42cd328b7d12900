package probe

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// good returns the same request with good credentials.
func (p *prober) good(r *operation, s sample) *http.Request { return p.authorized(p.build(r, s)) }

// valid reports whether the same request, with its length, breaks no rule of the
// spec.
func (p *prober) valid(r *operation, s sample) bool {
	s.unsized = false
	return len(p.faults(p.good(r, s))) == 0
}

// build returns the request of an operation with a sample.
func (p *prober) build(r *operation, s sample) *http.Request {
	query, header := url.Values{}, http.Header{}
	for _, param := range slices.Concat(r.required, s.options) {
		value := p.valueOf(r, param, s)
		switch param.In {
		case openapi3.ParameterInQuery:
			query.Set(param.Name, value)
		case openapi3.ParameterInHeader:
			header.Set(param.Name, value)
		}
	}
	if r.Method == http.MethodPatch {
		s = p.identified(r, s)
	}
	req := p.request(r.Method, p.pathOf(r, s), s.contentType, s.body)
	if s.unsized {
		req.ContentLength = -1
	}
	req.URL.RawQuery = query.Encode()
	maps.Copy(req.Header, header)
	return req
}

// identified returns the sample with the id of its path in its data, where it tells
// what it changes, as in JSON:API.
func (p *prober) identified(r *operation, s sample) sample {
	for _, param := range r.required {
		id := p.valueOf(r, param, s)
		for _, in := range s.objects() {
			said, _ := in.object["id"].(string)
			if param.Name == r.last && wraps.MatchString(in.name) && said != "" && said != id {
				object := maps.Clone(in.object)
				object["id"] = id
				s = in.of(object)
			}
		}
	}
	return s
}

// valueOf returns the value of a parameter: the sample's own, or in a path what
// an answer gave, or the spec's example.
func (p *prober) valueOf(r *operation, param *openapi3.Parameter, s sample) string {
	value := apispec.TextOf(apispec.ExampleOf(param))
	switch content := s.content(); {
	case param.In == openapi3.ParameterInPath, param.In == openapi3.ParameterInQuery && foreign.MatchString(param.Name):
		if param.Name != "id" || !r.ofParent {
			value = cmp.Or(p.learned[param.Name], value)
		}
	case param.In == openapi3.ParameterInHeader && onceOnly.MatchString(param.Name):
		value = newKey()
	case content != nil && (isSize(param.Name) || checksums.MatchString(param.Name)): // that of no other file
		return apispec.TextOf(stated(param.Name, value, param.Schema, content))
	}
	return cmp.Or(s.params[param.Name], value)
}

// pathOf returns the escaped path of an operation with a sample.
func (p *prober) pathOf(r *operation, s sample) string {
	path := r.Path
	for _, param := range r.required {
		if param.In == openapi3.ParameterInPath {
			path = strings.ReplaceAll(path, "{"+param.Name+"}", url.PathEscape(p.valueOf(r, param, s)))
		}
	}
	return path
}

// known reports whether each parameter of the path names something: it came out
// of an earlier answer, or the operation makes what it names.
func (p *prober) known(r *operation) bool {
	return r.Method == http.MethodPut || r.Method == http.MethodPost || !p.strange[r.Path] &&
		!slices.ContainsFunc(r.params, func(param string) bool { return p.learned[param] == "" })
}

// request returns a request to a path of the service.
func (p *prober) request(method, path, contentType string, body []byte) *http.Request {
	return p.requestTo(method, p.base+path, contentType, body)
}

// requestTo returns a request. An empty body means that it has none.
func (p *prober) requestTo(method, address, contentType string, body []byte) *http.Request {
	req, err := http.NewRequestWithContext(p.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		p.Fatal("uploadtest: a URL makes no request") // each was parsed before
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
func (p *prober) faults(req *http.Request) []*contract.Violation {
	return p.exchange(req).CheckRequest(true)
}

// exchange returns the exchange that begins with a request, whose body is in
// memory.
func (p *prober) exchange(req *http.Request) *contract.Exchange {
	begun := req.Clone(req.Context())
	begun.Body, _ = req.GetBody()
	x := p.contract.Begin(begun, contract.Watch{})
	if watched := x.Watching(begun.Context(), begun); watched.Body != nil {
		_, _ = io.Copy(io.Discard, watched.Body)
	}
	return x
}
