package probe

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// needsCredentials sends requests with each header of the credentials missing
// or spoiled, with the credentials of another request, and with none at all.
func (p *prober) needsCredentials(r *operation) {
	if p.needsNone(r) {
		return
	}
	want := []int{http.StatusUnauthorized, http.StatusForbidden}
	if !declares(r, "401", "4XX") {
		want = append(want, http.StatusNotFound) // a spec without 401 hides what is there
	}
	if refusesAs(r, refusesLogin) {
		want = append(want, http.StatusBadRequest)
	}
	unauthorized := func(what string, req *http.Request) {
		p.wants("wrong credentials", r, req, "credentials", "a request with "+what, ", want 401 or 403", want...)
	}
	s := p.bait(r, firstSample(r))
	bare := func() *http.Request { return p.build(r, s) }
	if unauthorized("no credentials", p.build(r, p.bait(r, s))); s.body != nil {
		p.waitsForBody(r, bare())
		broken := s
		broken.body, broken.contentType = []byte("{"), "application/x-uploadtest"
		unauthorized("no credentials and a body that is wrong", p.build(r, broken))
	}
	for _, name := range r.params {
		if never := p.bait(r, s).under(name, spoil(p.learned[name])); p.valid(r, never) {
			unauthorized("no credentials and an id that was never issued", p.build(r, never))
		}
	}
	good := func() *http.Request { return p.good(r, p.bait(r, s)) }
	all := good().Header
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if bare().Header.Get(name) == "" && all.Get(name) != "" && !ordinary.MatchString(name) {
			spoils(name, good, unauthorized)
		}
	}
	for _, other := range p.others(r, s) {
		if req, differ := p.exchanged(bare, other.lend); differ {
			unauthorized("credentials that were made for another "+other.what, req)
		}
	}
	longer := func() *http.Request {
		req := bare()
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&uploadtest=1", "&")
		return req
	}
	if req, differ := p.exchanged(longer, bare); differ {
		unauthorized("credentials that were made without its query", req)
	}
}

// spoils sends a request without one of its headers, and with that spoiled.
func spoils(name string, good func() *http.Request, send func(what string, req *http.Request)) {
	req := good()
	req.Header.Del(name)
	send("no "+name, req)
	for _, c := range spoiled {
		req := good()
		was := req.Header.Get(name)
		is := spoiledBy(was, c.make)
		if req.Header.Set(name, is); is != was && is != "" && (c.what == "a wrong" || !numeric(was)) {
			send(c.what+" "+name, req)
		}
	}
}

// lender is a request whose credentials are for something else.
type lender struct {
	what string
	lend func() *http.Request
}

// others returns requests for something else. Those come first that tell most where
// their credentials are taken.
func (p *prober) others(r *operation, s sample) (others []lender) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete, http.MethodTrace} {
		others = append(others, lender{"method, " + method, func() *http.Request {
			req := p.build(r, sample{})
			req.Method = method
			return req
		}})
	}
	others = append(others, lender{"path", func() *http.Request {
		return p.request(r.Method, r.Path+"/uploadtest", s.contentType, s.body)
	}})
	if n := len(p.kept); n > 0 {
		s.params = p.kept[n-1].ids
		others = append(others, lender{"id", func() *http.Request { return p.build(r, s) }})
	}
	return others
}

// spoiledBy returns credentials that are spoiled in one of the ways. The token of
// HTTP basic is spoiled as a text: its base64 stays right, or any server refuses it.
func spoiledBy(was string, way func(scheme, token string) string) string {
	space := strings.IndexByte(was, ' ') + 1
	scheme, token := was[:space], was[space:]
	text, err := base64.StdEncoding.DecodeString(token)
	if err != nil || !strings.EqualFold(scheme, "Basic ") {
		return way(scheme, token)
	}
	is, found := strings.CutPrefix(way(scheme, string(text)), scheme)
	if is = base64.StdEncoding.EncodeToString([]byte(is)); found {
		return scheme + is
	}
	return is
}

// spoiling makes credentials that are almost right. A scheme ends with its space.
type spoiling struct {
	what string
	make func(scheme, token string) string
}

var spoiled = []spoiling{
	{"a wrong", func(scheme, token string) string { return spoil(scheme + token) }},
	{"a longer", func(scheme, token string) string { return scheme + token + "x" }},
	{"a shorter", func(scheme, token string) string { return (scheme + token)[:len(scheme+token)-1] }},
	{"half of the", func(scheme, token string) string {
		value := scheme + token
		return value[:len(value)-len(value)/3]
	}},
	{"the letters of the other case in the", func(scheme, token string) string {
		at := strings.LastIndexByte(token, ':') + 1 // before it stands a user
		if other := token[:at] + strings.ToUpper(token[at:]); other != token {
			return scheme + other
		}
		return scheme + token[:at] + strings.ToLower(token[at:])
	}},
	{"another scheme in the", func(_, token string) string { return "Basic " + token }},
	{"no scheme in the", func(_, token string) string { return token }},
	{"only the scheme of the", func(scheme, _ string) string { return scheme }},
	{"another user in the", func(scheme, token string) string { return basic(scheme, token, "x%s:%s") }},
	{"another password in the", func(scheme, token string) string { return basic(scheme, token, "%s:x%s") }},
	{"another end of the password in the", func(scheme, token string) string {
		return basic(scheme, token[:max(0, len(token)-1)]+"~", "%s:%s")
	}},
	{"no password in the", func(scheme, token string) string { return basic(scheme, token, "%s:%.0s") }},
}

// basic returns Basic credentials of another user or password, as a text; of
// another scheme nothing.
func basic(scheme, token, format string) string {
	user, password, found := strings.Cut(token, ":")
	if !found || !strings.EqualFold(scheme, "Basic ") {
		return ""
	}
	return scheme + fmt.Sprintf(format, user, password)
}

// spoil changes one character in the middle of a credential.
func spoil(value string) string {
	b := []byte(value)
	if len(b) == 0 {
		return "x"
	}
	at := len(b) - len(b)/3 - 1
	if b[at] == '9' { // an id that counts does not come so far
		b[at] = '8'
	} else {
		b[at] = '9'
	}
	return string(b)
}

// exchanged returns a request with the credentials of another, and tells
// whether these differ by more than their time: those that were made before and
// after them for one request are the same.
func (p *prober) exchanged(send, lend func() *http.Request) (req *http.Request, differ bool) {
	bare := send().Header
	for range 20 {
		req = p.authorized(send())
		lender := p.authorized(lend())
		lent, after := lender.Header.Clone(), p.authorized(send()).Header
		same := true
		differ = false
		for name := range req.Header {
			if bare.Get(name) == "" {
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
