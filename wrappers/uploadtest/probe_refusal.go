package uploadtest

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// What operations must refuse.

// wrong are bodies that are made from a right one. The spec says whether such a
// body is wrong indeed: one that breaks none of its rules is not sent.
var wrong = []struct {
	what string
	make func(sample) []sample
}{
	{"no body", func(s sample) []sample { s.body = []byte{}; return []sample{s} }},
	{"a body of another media type",
		func(s sample) []sample { s.contentType = "application/x-uploadtest"; return []sample{s} }},
	{"a body without a media type", func(s sample) []sample { s.contentType = ""; return []sample{s} }},
	{"a body that is cut off",
		func(s sample) []sample { s.body = s.body[:len(s.body)-len(s.body)/4-1]; return []sample{s} }},
	{"a form whose boundary is not said", func(s sample) []sample {
		s.contentType, _, _ = strings.Cut(s.contentType, "; boundary")
		return []sample{s}
	}},
	{"a list instead of the object", func(s sample) []sample {
		if strings.HasSuffix(s.typ, "json") {
			s.body = slices.Concat([]byte("["), s.body, []byte("]"))
		}
		return []sample{s}
	}},
}

// refusesRequests asks with requests that are wrong.
func (p *prober) refusesRequests(r *routers.Route) {
	for _, s := range samples(r) {
		if req, _ := p.build(r, s); len(p.faults(p.authorized(req))) > 0 {
			continue // nobody could say what is wrong with one made from it
		}
		if s.body != nil {
			for _, c := range wrong {
				for _, bad := range c.make(s) {
					p.refusesSample(r, c.what, bad)
				}
			}
		}
		for _, required := range slices.Sorted(maps.Keys(s.object)) {
			without := maps.Clone(s.object)
			delete(without, required)
			if s.typ == "multipart/form-data" {
				without["uploadtest"] = "a form without parts is none"
			}
			p.refusesSample(r, "a body without "+required, s.of(without, s.fileName))
			for _, other := range []any{17, "", true, []any{}, map[string]any{}} {
				mistaken := maps.Clone(s.object)
				mistaken[required] = other
				p.refusesSample(r, "a body with another type of "+required, s.of(mistaken, s.fileName))
			}
		}
	}
	for _, list := range []openapi3.Parameters{r.PathItem.Parameters, r.Operation.Parameters} {
		for _, ref := range list {
			p.refusesWithout(r, ref.Value)
		}
	}
}

func (p *prober) refusesSample(r *routers.Route, what string, s sample) {
	req, _ := p.build(r, s)
	p.authorized(req)
	broken := p.faults(req)
	if !slices.ContainsFunc(broken, func(v *contract.Violation) bool {
		return strings.HasPrefix(v.Rule, "request") && v.Rule != contract.RuleCredentials
	}) {
		return
	}
	p.seen.note("wrong request")
	p.refused(what, r, req)
}

// refusesWithout asks without a parameter that is required.
func (p *prober) refusesWithout(r *routers.Route, param *openapi3.Parameter) {
	if !param.Required || param.In != openapi3.ParameterInQuery {
		return
	}
	req, _ := p.build(r, firstSample(r))
	query := req.URL.Query()
	query.Del(param.Name)
	req.URL.RawQuery = query.Encode()
	p.seen.note("wrong request")
	p.refused("no parameter "+param.Name, r, p.authorized(req))
}

// refused sees that a request, which has credentials, is answered by a 4xx.
func (p *prober) refused(what string, r *routers.Route, req *http.Request) {
	a := p.ask(r, req)
	if a.status != 0 && a.status/100 != 4 {
		p.broke(r, req, contract.RuleStatus, what, "%d to %s, which must be refused by a 4xx", a.status, what)
	}
}

// refusesMethods asks for the path by a method that it does not have.
func (p *prober) refusesMethods(r *routers.Route) {
	for _, method := range []string{http.MethodPatch, http.MethodPut} {
		if r.PathItem.GetOperation(method) == nil {
			req, _ := p.build(r, sample{contentType: "text/plain", body: []byte("x")})
			req.Method = method
			p.refused("the method "+method, nil, p.authorized(req))
			return
		}
	}
}

// spoiled are credentials that are almost right.
var spoiled = []struct {
	what string
	make func(value string) string
}{
	{"a wrong", spoil},
	{"a longer", func(v string) string { return v + "x" }},
	{"a shorter", func(v string) string { return v[:len(v)-1] }},
	{"half of the", func(v string) string { return v[:len(v)-len(v)/3] }},
	{"the letters of the other case in the", func(v string) string {
		scheme, token, found := strings.Cut(v, " ")
		if !found {
			scheme, token = "", v
		}
		if other := strings.ToUpper(token); other != token {
			token = other
		} else {
			token = strings.ToLower(token)
		}
		return strings.TrimLeft(scheme+" "+token, " ")
	}},
	{"another scheme in the", func(v string) string {
		if _, token, found := strings.Cut(v, " "); found {
			return "Basic " + token
		}
		return v
	}},
	{"no scheme in the", func(v string) string {
		if _, token, found := strings.Cut(v, " "); found {
			return token
		}
		return v
	}},
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
	required := r.Operation.Security
	if required == nil {
		required = &p.contract.Doc.Security
	}
	if len(*required) == 0 || slices.ContainsFunc(*required,
		func(one openapi3.SecurityRequirement) bool { return len(one) == 0 }) {
		return
	}
	build := func(s sample) *http.Request { req, _ := p.build(r, s); return req }
	s := firstSample(r)
	p.unauthorized(r, "no credentials", build(s))
	if len(s.body) > 0 {
		broken := s
		broken.body, broken.contentType = []byte("{"), "application/x-uploadtest"
		p.unauthorized(r, "no credentials and a body that is wrong", build(broken))
	}
	bare, good := build(s), p.authorized(build(s))
	elsewhere := p.authorized(p.request(r.Method, r.Path+"/uploadtest", s.contentType, s.body))
	otherwise := p.authorized(p.request(http.MethodTrace, r.Path, "", nil))
	for _, name := range slices.Sorted(maps.Keys(good.Header)) {
		if bare.Header.Get(name) != "" || good.Header.Get(name) == "" ||
			slices.Contains([]string{"Accept", "Accept-Language", "User-Agent", "Date"}, name) {
			continue
		}
		with := func(change func(http.Header)) *http.Request {
			req := p.authorized(build(s))
			change(req.Header)
			return req
		}
		p.unauthorized(r, "no "+name, with(func(h http.Header) { h.Del(name) }))
		for _, c := range spoiled {
			var was string
			req := with(func(h http.Header) { was = h.Get(name); h.Set(name, c.make(was)) })
			if is := req.Header.Get(name); is != was && is != "" && (c.what == "a wrong" || !numeric(was)) {
				p.unauthorized(r, c.what+" "+name, req)
			}
		}
	}
	for what, other := range map[string]*http.Request{"credentials that were made for another path": elsewhere,
		"credentials that were made for another method": otherwise} {
		req := p.authorized(build(s))
		before := req.Header.Clone()
		for name, values := range other.Header {
			if bare.Header.Get(name) == "" {
				req.Header[name] = values
			}
		}
		if signed(before, req.Header) {
			p.unauthorized(r, what, req)
		}
	}
}

// signed tells whether two sets of credentials differ by more than their time.
func signed(a, b http.Header) bool {
	for name := range a {
		if a.Get(name) != b.Get(name) && !numeric(a.Get(name)) {
			return true
		}
	}
	return false
}

func numeric(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func (p *prober) unauthorized(r *routers.Route, what string, req *http.Request) {
	p.seen.note("wrong credentials")
	a := p.ask(r, req)
	if a.status != 0 && a.status != http.StatusUnauthorized && a.status != http.StatusForbidden {
		p.broke(r, req, contract.RuleStatus, "credentials", "%d to a request with %s, want 401 or 403", a.status, what)
	}
}

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
			if s.object == nil {
				s.body = large
			} else {
				object := maps.Clone(s.object)
				for name := range object {
					if isBinary(s.schema.Properties[name]) {
						object[name] = string(large)
					}
				}
				s = s.of(object, s.fileName)
			}
			req, _ := p.build(r, s)
			p.seen.note("file that is too large")
			if a := p.ask(r, p.authorized(req)); a.status != 0 && a.status != http.StatusRequestEntityTooLarge {
				p.broke(r, req, contract.RuleStatus, "large", "%d to a file of %d bytes, want 413", a.status,
					len(large))
			}
		}
	}
}

// ages asks with what was good before the server's clock moved.
func (p *prober) ages(routes []*routers.Route) {
	if p.Advance == nil {
		p.Logf("%s: not seen: stale credentials and expired URLs, since Probing.Advance moves no clock",
			p.contract.Title)
		return
	}
	type old struct {
		r    *routers.Route
		req  *http.Request
		what string
	}
	var all []old
	for _, r := range routes {
		for _, s := range samples(r) {
			first, _ := p.build(r, s)
			second, _ := p.build(r, s)
			p.authorized(first)
			if r.Method == http.MethodPost {
				for _, out := range p.contract.HandedOut(p.ask(r, p.authorized(second)).body) {
					all = append(all, old{nil, p.presignedRequest(out), "a presigned URL that has expired"})
				}
			}
			if dates(first.Header) {
				all = append(all, old{r, first, "a signature that is a day old"})
			}
		}
	}
	p.Advance(24 * 60 * 60 * 1e9)
	for _, it := range all {
		p.seen.note("what is too old")
		if a := p.ask(it.r, it.req); a.status != 0 && a.status/100 != 4 {
			p.broke(it.r, it.req, contract.RuleStatus, it.what, "%d to %s, which must be refused by a 4xx", a.status,
				it.what)
		}
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
