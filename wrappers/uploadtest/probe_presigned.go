package uploadtest

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// What a presigned URL must take, and what it must refuse.

const presignedContent = "uploadtest: a presigned file"

// presignedRequest returns the request that a URL was handed out for.
func (p *prober) presignedRequest(out contract.HandedOut) *http.Request {
	method := out.Method
	if method == "" {
		method = http.MethodPut
	}
	req, err := http.NewRequestWithContext(p.Context(), method, out.URL, strings.NewReader(presignedContent))
	if err != nil {
		return p.request(http.MethodGet, "/", "", nil)
	}
	if out.ContentType != "" {
		req.Header.Set("Content-Type", out.ContentType)
	}
	for name, value := range out.Header {
		req.Header.Set(name, value)
	}
	return req
}

// opens matches the parameters of a URL that let somebody in, or in time.
var opens = regexp.MustCompile(`(?i)sig|token|hmac|expires|date|credential`)

// handedOut tries the URLs of an answer: wrong first, then right.
func (p *prober) handedOut(r *routers.Route, answer []byte) {
	for _, out := range p.contract.HandedOut(answer) {
		if out.Form {
			p.unseen(r, "the form that goes to the URL it hands out")
			continue
		}
		for _, c := range tampered(out) {
			req := p.presignedRequest(out)
			c.change(req)
			p.seen.note("tampered URL")
			if a := p.ask(nil, req); a.status != 0 && a.status/100 != 4 {
				p.broke(r, req, contract.RuleStatus, "presigned "+c.what,
					"%d to the URL that it handed out, %s: it must be refused by a 4xx", a.status, c.what)
			}
		}
		req := p.presignedRequest(out)
		p.seen.note("presigned step")
		if a := p.ask(nil, req); a.status != 0 && a.status/100 != 2 {
			p.broke(r, req, contract.RuleStatus, "presigned", "%d to the URL that it handed out", a.status)
		}
	}
}

type tampering struct {
	what   string
	change func(*http.Request)
}

// tampered returns the ways in which a presigned request can be almost right.
func tampered(out contract.HandedOut) []tampering {
	list := []tampering{
		{"by another method", func(r *http.Request) {
			if r.Method = http.MethodPost; strings.EqualFold(out.Method, http.MethodPost) {
				r.Method = http.MethodPut
			}
		}},
		{"with another key", func(r *http.Request) {
			at := strings.LastIndexByte(r.URL.Path, '/') + 1
			r.URL.Path, r.URL.RawPath = r.URL.Path[:at]+spoil(r.URL.Path[at:]), ""
		}},
	}
	if out.ContentType != "" {
		list = append(list, tampering{"with another media type",
			func(r *http.Request) { r.Header.Set("Content-Type", "application/x-uploadtest") }})
	}
	if _, query, found := strings.Cut(out.URL, "?"); found {
		list = append(list, tampering{"without its query", func(r *http.Request) { r.URL.RawQuery = "" }})
		for pair := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(pair, "="); opens.MatchString(name) && value != "" {
				list = append(list, tampering{"with another " + name, func(r *http.Request) {
					r.URL.RawQuery = strings.Replace(r.URL.RawQuery, pair, name+"="+spoil(value), 1)
				}})
			}
		}
	}
	return list
}
