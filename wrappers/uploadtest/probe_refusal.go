package uploadtest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// What operations must refuse.

// wrong are bodies that are made from a right one. The spec says whether such a
// body is wrong indeed: one that breaks none of its rules is not sent.
var wrong = map[string]func(*sample){
	"no body":                      func(s *sample) { s.body = []byte{} },
	"a body of another media type": func(s *sample) { s.contentType = "application/x-uploadtest" },
	"a body without a media type":  func(s *sample) { s.contentType = "" },
	"a body that is cut off":       func(s *sample) { s.body = s.body[:len(s.body)/2] },
	"a form whose boundary is not said": func(s *sample) {
		s.contentType, _, _ = strings.Cut(s.contentType, "; boundary")
	},
	"a list instead of the object": func(s *sample) {
		if strings.HasSuffix(s.typ, "json") {
			s.body = slices.Concat([]byte("["), s.body, []byte("]"))
		}
	},
}

// refusesRequests asks with requests that are wrong.
func (p *prober) refusesRequests(r *routers.Route) {
	for _, s := range samples(r) {
		if len(p.faults(p.good(r, s))) > 0 {
			continue // nobody could say what is wrong with one made from it
		}
		for _, what := range slices.Sorted(maps.Keys(wrong)) {
			if bad := s; s.body != nil {
				wrong[what](&bad)
				p.refusesSample(r, what, bad)
			}
		}
		if size, _ := s.carriesFile(); size > 0 {
			p.cutsOff(r, p.good(r, s), s.body)
		}
		for _, name := range slices.Sorted(maps.Keys(s.object)) {
			without := s.with(name, nil)
			delete(without, name)
			if s.typ == "multipart/form-data" {
				without["uploadtest"] = "a form without parts is none"
			}
			if slices.Contains(s.schema.Required, name) {
				p.refusesSample(r, "a body without "+name, s.of(without, s.fileName))
			}
			for _, other := range []any{17, "", true, []any{}, map[string]any{}} {
				p.refusesSample(r, "a body with another type of "+name, s.of(s.with(name, other), s.fileName))
			}
		}
	}
	for _, param := range required(r) {
		if param.In == openapi3.ParameterInQuery {
			req := p.good(r, firstSample(r))
			query := req.URL.Query()
			query.Del(param.Name)
			req.URL.RawQuery = query.Encode()
			p.refused("wrong request", "no parameter "+param.Name, r, req)
		}
	}
}

// refusesSample asks with a sample that is wrong, if the spec says that it is.
func (p *prober) refusesSample(r *routers.Route, what string, s sample) {
	if req := p.good(r, s); len(p.faults(req)) > 0 {
		p.refused("wrong request", what, r, req)
	}
}

// refusesMethods asks for the path by a method that it does not have.
func (p *prober) refusesMethods(r *routers.Route) {
	for _, method := range []string{http.MethodPatch, http.MethodPut} {
		if r.PathItem.GetOperation(method) == nil {
			req := p.build(r, sample{contentType: "text/plain", body: []byte("x")})
			req.Method = method
			p.refused("another method", "the method "+method, nil, p.authorized(req))
			return
		}
	}
}

// spoiled are credentials that are almost right. A scheme ends with its space.
var spoiled = []struct {
	what string
	make func(scheme, token string) string
}{
	{"a wrong", func(scheme, token string) string { return spoil(scheme + token) }},
	{"a longer", func(scheme, token string) string { return scheme + token + "x" }},
	{"a shorter", func(scheme, token string) string { return (scheme + token)[:len(scheme+token)-1] }},
	{"half of the", func(scheme, token string) string {
		value := scheme + token
		return value[:len(value)-len(value)/3]
	}},
	{"the letters of the other case in the", func(scheme, token string) string {
		if other := strings.ToUpper(token); other != token {
			return scheme + other
		}
		return scheme + strings.ToLower(token)
	}},
	{"another scheme in the", func(_, token string) string { return "Basic " + token }},
	{"no scheme in the", func(_, token string) string { return token }},
}

// spoil changes one character in the middle of a credential.
func spoil(value string) string {
	b := []byte(value)
	if len(b) == 0 {
		return "x"
	}
	at := len(b) - len(b)/3 - 1
	if b[at] == '1' {
		b[at] = '2'
	} else {
		b[at] = '1'
	}
	return string(b)
}

// needsCredentials asks with each header of the credentials missing and
// spoiled, with those of another request, and with none at all.
func (p *prober) needsCredentials(r *routers.Route) {
	security := r.Operation.Security
	if security == nil {
		security = &p.contract.doc.Security
	}
	if len(*security) == 0 || slices.ContainsFunc(*security,
		func(one openapi3.SecurityRequirement) bool { return len(one) == 0 }) {
		return
	}
	unauthorized := func(what string, req *http.Request) {
		p.wants("wrong credentials", r, req, "credentials", "a request with "+what+", want 401 or 403", 401, 403)
	}
	s := firstSample(r)
	bare := p.build(r, s)
	if unauthorized("no credentials", p.build(r, s)); s.body != nil {
		p.waitsForBody(r, p.build(r, s))
		broken := s
		broken.body, broken.contentType = []byte("{"), "application/x-uploadtest"
		unauthorized("no credentials and a body that is wrong", p.build(r, broken))
	}
	for _, name := range slices.Sorted(maps.Keys(p.good(r, s).Header)) {
		req := p.good(r, s)
		was := req.Header.Get(name)
		if bare.Header.Get(name) != "" || was == "" || ordinary.MatchString(name) {
			continue
		}
		req.Header.Del(name)
		unauthorized("no "+name, req)
		for _, c := range spoiled {
			req := p.good(r, s)
			was := req.Header.Get(name)
			space := strings.IndexByte(was, ' ') + 1
			is := c.make(was[:space], was[space:])
			if req.Header.Set(name, is); is != was && is != "" && (c.what == "a wrong" || !numeric(was)) {
				unauthorized(c.what+" "+name, req)
			}
		}
	}
	for what, other := range map[string]*http.Request{
		"path":   p.request(r.Method, r.Path+"/uploadtest", s.contentType, s.body),
		"method": p.request(http.MethodTrace, r.Path, "", nil),
	} {
		req, differ := p.good(r, s), false
		for name, values := range p.authorized(other).Header {
			if bare.Header.Get(name) == "" {
				// Two sets of credentials may differ by their time alone.
				differ = differ || req.Header.Get(name) != values[0] && !numeric(req.Header.Get(name))
				req.Header[name] = values
			}
		}
		if differ {
			unauthorized("credentials that were made for another "+what, req)
		}
	}
}

// ordinary matches the headers of a request that are no credentials.
var ordinary = regexp.MustCompile(`^(Accept|Accept-Language|User-Agent|Date)$`)

func numeric(s string) bool { return strings.Trim(s, "0123456789") == "" }

// grows sends a file that is one byte too large.
func (p *prober) grows(routes []*routers.Route) {
	if p.MaxSize == 0 {
		p.Logf("%s: not seen: the largest file, since Probing.MaxSize says no limit", p.contract.Title)
		return
	}
	large := bytes.Repeat([]byte("x"), int(p.MaxSize)+1)
	for _, r := range routes {
		for _, s := range samples(r) {
			if _, ok := s.carriesFile(); !ok {
				continue
			}
			p.wants("file that is too large", r, p.good(r, s.holding(large)), "large",
				fmt.Sprintf("a file of %d bytes, want 413", len(large)), http.StatusRequestEntityTooLarge)
		}
	}
}

// ages asks with what was good before the server's clock moved.
func (p *prober) ages(routes []*routers.Route) {
	if p.Advance == nil {
		p.Logf("%s: not seen: stale credentials and expired URLs, since Probing.Advance moves no clock", p.contract.Title)
		return
	}
	var late []func()
	old := func(what string, r *routers.Route, req *http.Request) {
		late = append(late, func() { p.refused("what is too old", what, r, req) })
	}
	for _, r := range routes {
		for _, s := range samples(r) {
			if r.Method == http.MethodPost {
				for _, out := range p.contract.HandedOut(p.ask(r, p.good(r, s)).body) {
					old("a presigned URL that has expired", nil, p.presignedRequest(out, presignedContent))
				}
			}
			if req := p.good(r, s); dates(req.Header) {
				old("a signature that is a day old", r, req)
			}
		}
	}
	p.Advance(24 * time.Hour)
	for _, ask := range late {
		ask()
	}
}

// dates tells whether credentials hold a time.
func dates(h http.Header) bool {
	for name, values := range h {
		if dated.MatchString(name) || dated.MatchString(values[0]) {
			return true
		}
	}
	return false
}
