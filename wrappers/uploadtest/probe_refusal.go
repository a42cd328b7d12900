package uploadtest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// The checks of wrong requests: each must be refused.

// wrong are bodies that are made from a right one. The spec says whether such a
// body is wrong indeed: one that breaks none of its rules is not sent.
var wrong = map[string]func(*sample){
	"no body":                      func(s *sample) { s.body = []byte{} },
	"a body of another media type": func(s *sample) { s.contentType = "application/x-uploadtest" },
	"a body without a media type":  func(s *sample) { s.contentType = "" },
	"a body that is cut off":       func(s *sample) { s.body = s.body[:len(s.body)/2] },
	"a form without the parameter boundary": func(s *sample) {
		s.contentType, _, _ = strings.Cut(s.contentType, "; boundary")
	},
	"a form without its end": func(s *sample) {
		if s.typ == "multipart/form-data" {
			s.body = bytes.TrimSuffix(s.body, []byte("--\r\n"))
		}
	},
	"a list instead of the object": func(s *sample) {
		if strings.HasSuffix(s.typ, "json") {
			s.body = slices.Concat([]byte("["), s.body, []byte("]"))
		}
	},
}

// refusesRequests sends wrong requests.
func (p *prober) refusesRequests(r *routers.Route) {
	for _, s := range samples(r) {
		if s = p.anew(r, s); p.valid(r, s) == nil {
			continue // the cause of a fault in it would be unclear
		}
		for _, what := range slices.Sorted(maps.Keys(wrong)) {
			if s.object == nil && strings.HasSuffix(what, "media type") && r.Operation.Responses.Value("415") == nil {
				continue // it is a fact about the file, which many servers only keep
			}
			if bad := s; s.body != nil {
				wrong[what](&bad)
				p.refusesSample(r, what, bad)
			}
		}
		if content, _ := s.file(); len(content) > 0 {
			p.cutsOff(r, p.good(r, s), s.body)
		}
		for _, in := range s.objects() {
			p.refusesMembers(r, s, in)
		}
	}
	for _, param := range parameters(r) {
		with := func(value string) *http.Request {
			req := p.build(r, firstSample(r))
			if query := req.URL.Query(); param.In == openapi3.ParameterInQuery {
				if query.Del(param.Name); value != "" {
					query.Set(param.Name, value)
				}
				req.URL.RawQuery = query.Encode()
			} else if req.Header.Del(param.Name); value != "" {
				req.Header.Set(param.Name, value)
			}
			return p.authorized(req)
		}
		if sum := ofOtherBytes(r, firstSample(r), param.Name, param.Schema); sum != "" {
			p.refused("wrong request", "a "+param.Name+" of other bytes", r, with(sum))
		}
		for _, value := range []string{"", "uploadtest-other", "-1", strings.Repeat("x", 1000)} {
			req := with(value)
			switch {
			case param.In == openapi3.ParameterInPath ||
				len(p.faults(req)) == 0 && (r.Method != http.MethodGet || param.Required || value == ""):
			case value == "":
				p.refused("wrong request", "no parameter "+param.Name, r, req)
			case param.Required:
				p.refused("wrong request", "a wrong parameter "+param.Name, r, req)
			default: // it may be overlooked
				p.wants("wrong request", r, req, "wrong "+param.Name, "a wrong parameter "+param.Name, 2, 4)
			}
		}
	}
}

// refusesMembers sends an object in a body with each of its members missing or
// wrong.
func (p *prober) refusesMembers(r *routers.Route, s sample, in part) {
	for _, name := range slices.Sorted(maps.Keys(in.object)) {
		called := in.name + name
		without := maps.Clone(in.object)
		delete(without, name)
		if s.typ == "multipart/form-data" && len(without) == 0 {
			without["uploadtest"] = "a form without parts is none"
		}
		if slices.Contains(in.schema.Required, name) {
			p.refusesSample(r, "a body without "+called, in.of(without))
		}
		with := func(value any) sample {
			other := maps.Clone(in.object)
			other[name] = value
			return in.of(other)
		}
		others := []any{17, "", true, []any{}, map[string]any{}}
		if s.typ == "multipart/form-data" {
			others = others[:3] // an empty list is a field that is not there
		}
		for _, other := range others {
			p.refusesSample(r, "a body with another type of "+called, with(other))
		}
		p.refusesSample(r, "a "+called+" that is not one of its values", with("uploadtest-other"))
		if sum := ofOtherBytes(r, s, name, in.schema.Properties[name]); sum != "" {
			p.refused("wrong request", "a "+called+" of other bytes", r, p.good(r, with(sum)))
		}
		if schema := in.schema.Properties[name]; schema != nil && schema.Value != nil && schema.Value.MaxLength != nil {
			p.refusesSample(r, "a "+called+" that is too long", with(strings.Repeat("x", int(*schema.Value.MaxLength)+1)))
		}
		if s.typ == "multipart/form-data" && isBinary(in.schema.Properties[name]) {
			plain := s
			plain.body = bytes.ReplaceAll(s.body, []byte(`name="`+name+`"; filename`), []byte(`name="uploadtest"; filename`))
			p.refusesSample(r, "a file in another field than "+name, plain)
			const typ = "application/x-uploadtest" // it is refused where a status says so
			form := Request{Op: nameOf(r), Header: http.Header{"Content-Type": {s.contentType}}}
			if other := s; r.Operation.Responses.Value("415") != nil && !p.contract.takes(form, name, typ) {
				other.encoding = maps.Clone(s.encoding)
				other.encoding[name] = &openapi3.Encoding{ContentType: typ}
				p.refused("wrong request", "a file of another media type in "+name, r,
					p.good(r, other.of(s.object, s.fileName)))
			}
		}
	}
}

// refusesSample asks with a sample that is wrong, if the spec says that it is.
func (p *prober) refusesSample(r *routers.Route, what string, s sample) {
	if req := p.good(r, s); len(p.faults(req)) > 0 {
		p.refused("wrong request", what, r, req)
	}
}

// refusesMethods sends methods that the path does not have.
func (p *prober) refusesMethods(r *routers.Route) {
	for _, method := range []string{http.MethodPatch, http.MethodPut} {
		if r.PathItem.GetOperation(method) == nil {
			req := p.build(r, sample{contentType: "text/plain", body: []byte("x")})
			req.Method = method
			p.wants("another method", nil, p.authorized(req), "the method "+method,
				"the method "+method+", which must be refused by a 4xx", 4, http.StatusNotImplemented)
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
	{"only the scheme of the", func(scheme, _ string) string { return scheme }},
	{"another user in the", func(scheme, token string) string { return basic(scheme, token, "x%s:%s") }},
	{"another password in the", func(scheme, token string) string { return basic(scheme, token, "%s:x%s") }},
	{"no password in the", func(scheme, token string) string { return basic(scheme, token, "%s:%.0s") }},
}

// basic returns Basic credentials of another user or password; of another
// scheme nothing.
func basic(scheme, token, format string) string {
	text, err := base64.StdEncoding.DecodeString(token)
	user, password, found := strings.Cut(string(text), ":")
	if err != nil || !found || !strings.EqualFold(scheme, "Basic ") {
		return ""
	}
	return scheme + base64.StdEncoding.EncodeToString(fmt.Appendf(nil, format, user, password))
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

// needsCredentials sends requests with each header of the credentials missing
// or spoiled, with the credentials of another request, and with none at all.
func (p *prober) needsCredentials(r *routers.Route) {
	security := r.Operation.Security
	if security == nil {
		security = &p.contract.doc.Security
	}
	if len(*security) == 0 || slices.ContainsFunc(*security,
		func(one openapi3.SecurityRequirement) bool { return len(one) == 0 }) {
		return
	}
	want := []int{http.StatusUnauthorized, http.StatusForbidden}
	if declared := r.Operation.Responses; declared.Value("401") == nil && declared.Value("4XX") == nil {
		want = append(want, http.StatusNotFound) // a spec without 401 hides what is there
	}
	unauthorized := func(what string, req *http.Request) {
		p.wants("wrong credentials", r, req, "credentials", "a request with "+what+", want 401 or 403", want...)
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
	others := map[string]func() *http.Request{
		"path": func() *http.Request { return p.request(r.Method, r.Path+"/uploadtest", s.contentType, s.body) },
	}
	if n := len(p.kept); n > 0 {
		other := s
		other.params = p.kept[n-1].ids
		others["id"] = func() *http.Request { return p.build(r, other) }
	}
	for _, method := range []string{http.MethodTrace, http.MethodGet, http.MethodPost, http.MethodDelete} {
		if method != r.Method {
			others["method, "+method] = func() *http.Request {
				req := p.build(r, sample{})
				req.Method = method
				return req
			}
		}
	}
	plain := func() *http.Request { return p.build(r, s) }
	if req, differ := p.exchanged(func() *http.Request {
		req := p.build(r, s)
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&uploadtest=1", "&")
		return req
	}, plain, bare); differ {
		unauthorized("credentials that were made without its query", req)
	}
	for _, what := range slices.Sorted(maps.Keys(others)) {
		if req, differ := p.exchanged(plain, others[what], bare); differ {
			unauthorized("credentials that were made for another "+what, req)
		}
	}
}

// exchanged returns a request with the credentials of another, and tells
// whether these differ by more than their time: those that were made before and
// after them for one request are the same.
func (p *prober) exchanged(send, lend func() *http.Request, bare *http.Request) (req *http.Request, differ bool) {
	for range 20 {
		req = p.authorized(send())
		lender := p.authorized(lend())
		lent, after := lender.Header.Clone(), p.authorized(send()).Header
		same := true
		differ = false
		for name := range req.Header {
			if bare.Header.Get(name) == "" {
				same = same && req.Header.Get(name) == after.Get(name)
				differ = differ || req.Header.Get(name) != lent.Get(name)
				req.Header.Set(name, lent.Get(name))
			}
		}
		if same {
			if differ && lender.Method == http.MethodGet {
				p.ask(nil, lender) // a server may remember what it found right
			}
			return req, differ
		}
	}
	return req, false
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
			if _, ok := s.file(); !ok {
				p.growsLater(r, s, large)
				continue
			}
			p.wants("largest file", r, p.good(r, p.anew(r, s).holding(large[1:])), "largest",
				fmt.Sprintf("a file of %d bytes, which is not too large", len(large)-1), 2)
			p.wants("file that is too large", r, p.good(r, p.anew(r, s).holding(large)), "large",
				fmt.Sprintf("a file of %d bytes, want 413", len(large)), http.StatusRequestEntityTooLarge)
			unsized := p.good(r, p.anew(r, s).holding(large))
			unsized.ContentLength = -1
			unsized.Header.Set("Expect", "100-continue")
			p.wants("file that is too large", r, unsized, "large in chunks",
				fmt.Sprintf("a file of %d bytes in chunks, which is too large", len(large)), 4, http.StatusNotImplemented)
		}
	}
}

// growsLater sends a file that is too large to the URL that takes it.
func (p *prober) growsLater(r *routers.Route, s sample, large []byte) {
	if r.Method != http.MethodPost || p.closing[nameOf(r)] {
		return
	}
	m, _ := p.start(r, p.good(r, p.anew(r, s).holding(large)), s, "")
	if m == nil || len(m.outs) != 1 {
		return
	}
	a := p.ask(r, p.presignedRequest(m.outs[0], large))
	if !a.ok() {
		return
	}
	for _, last := range p.completions(m) {
		if p.ask(last, p.completingRequest(last, m)).status/100 == 4 {
			return
		}
	}
	a.broke(contract.RuleStatus, "large", "a file of %d bytes, which is too large, is taken at the URL that it handed out", len(large))
}

// ages sends requests that were good before the server's clock moved.
func (p *prober) ages(routes []*routers.Route) {
	if p.Advance == nil {
		p.Logf("%s: not seen: stale credentials and expired URLs, since Probing.Advance moves no clock", p.contract.Title)
		return
	}
	var late []func()
	old := func(what string, r *routers.Route, req *http.Request) {
		late = append(late, func() { p.refused("stale request", what, r, req) })
	}
	for _, r := range routes {
		for _, s := range samples(r) {
			if r.Method == http.MethodPost {
				if m, _ := p.start(r, p.good(r, s), s, ""); m != nil {
					for _, out := range m.outs {
						if out.Session { // it may live for days
							continue
						}
						old("a presigned URL that has expired", nil, p.presignedRequest(out, presignedContent))
					}
				}
			}
			if req := p.good(r, s); dates(req.Header) {
				old("a signature that is a day old", r, req)
			}
		}
	}
	if get := p.request(http.MethodGet, "", "", nil); p.ending != "" {
		get.URL, _ = url.Parse(p.ending)
		old("a URL for a download that has expired", nil, get)
	}
	p.Advance(24 * time.Hour)
	for _, ask := range late {
		ask()
	}
	p.Advance(-48 * time.Hour)
	for _, r := range routes {
		if req := p.good(r, firstSample(r)); dates(req.Header) {
			p.refused("early request", "a signature of tomorrow", r, req)
		}
	}
	p.Advance(24 * time.Hour)
}

// dates reports whether credentials hold a time.
func dates(h http.Header) bool {
	for name, values := range h {
		if dated.MatchString(name) || dated.MatchString(values[0]) {
			return true
		}
	}
	return false
}

// unknown asks for ids that were never issued.
func (p *prober) unknown(r *routers.Route) {
	if r.Method == http.MethodPut || !refusesUnknown(r) {
		return
	}
	for name, value := range p.learned {
		if strings.Contains(r.Path, "{"+name+"}") && (len(value) > 3 || numeric(value)) && !p.own[name] {
			never := []string{spoil(value)}
			if numeric(value) {
				never[0] = "98" + value // ids may be counted
				if n, err := strconv.ParseInt(value, 10, 64); err == nil {
					never = append(never, fmt.Sprint(n+1<<32))
				}
			} else if len(value) >= 12 {
				never = append(never, value[:len(value)-1])
			}
			if len(value) > 3 || numeric(value) {
				never = append(never, value+"x")
			}
			for _, id := range never {
				if p.issued[id] != nil {
					continue
				}
				p.refused("unknown id", "an id that was never issued", r, p.good(r, firstSample(r).under(name, id)))
			}
		}
	}
}

var codes = regexp.MustCompile(`(?i)^(error[_-]?)?code$`)

// misplaced says that an error code is the one of another status. The spec's
// examples must show codes of both.
func misplaced(op *openapi3.Operation, status int, body []byte) string {
	shown := map[string]map[string]bool{} // by status
	for of, response := range op.Responses.Map() {
		shown[of] = map[string]bool{}
		for _, media := range response.Value.Content {
			for _, example := range examples(media.Example, media.Examples, nil) {
				text, _ := json.Marshal(example)
				for _, m := range contract.Members(text) {
					if codes.MatchString(m.Name) {
						shown[of][m.Value] = true
					}
				}
			}
		}
	}
	own := shown[fmt.Sprint(status)]
	if len(own) == 0 || status < 400 {
		return ""
	}
	maps.Copy(own, shown[fmt.Sprint(status/100, "XX")])
	maps.Copy(own, shown["default"])
	for _, m := range contract.Members(body) {
		for _, of := range slices.Sorted(maps.Keys(shown)) {
			if codes.MatchString(m.Name) && of >= "4" && shown[of][m.Value] && !own[m.Value] {
				return fmt.Sprintf("%s is %.50q, which the spec shows for status %s", m.Name, m.Value, of)
			}
		}
	}
	return ""
}
