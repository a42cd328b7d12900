package uploadtest

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// What a presigned URL must take, and what it must refuse.

const presignedContent = "uploadtest: a presigned file"

// presignedRequest returns the request that a URL was handed out for.
func (p *prober) presignedRequest(out contract.HandedOut, content string) *http.Request {
	method := cmp.Or(out.Method, http.MethodPut)
	req, err := http.NewRequestWithContext(p.Context(), method, out.URL, strings.NewReader(content))
	if err != nil {
		return p.request(http.MethodGet, "/", "", nil)
	}
	if out.ContentType != "" {
		req.Header.Set("Content-Type", out.ContentType)
	}
	maps.Copy(req.Header, out.Header)
	return req
}

// opens matches the parameters of a URL that let somebody in, or in time.
var opens = regexp.MustCompile(`(?i)sig|token|hmac|expires|date|credential`)

// uploadURL matches the names of members that say where a file goes.
var uploadURL = regexp.MustCompile(`(?i)(upload|signed|put)_?ur[il]$`)

// handedOut tries the URLs of an answer: wrong first, then right.
func (p *prober) handedOut(r *routers.Route, req *http.Request, answer []byte) {
	all := p.contract.HandedOut(answer)
	for _, m := range contract.Members(answer) {
		switch absolute := strings.HasPrefix(m.Value, "http://") || strings.HasPrefix(m.Value, "https://"); {
		case uploadURL.MatchString(m.Name) && !absolute:
			p.broke(r, req, contract.RuleAnswer, "url", "%s is no URL of http or https: no file can be sent to it", m.Name)
		case len(all) > 0 && strings.HasSuffix(strings.ToLower(m.Name), "method") && all[0].Method == "":
			p.broke(r, req, contract.RuleAnswer, "method", "%s is %.20q, by which no file can be sent", m.Name, m.Value)
		}
	}
	for _, out := range all {
		if out.Form {
			p.unseen(r, "the form that goes to the URL it hands out")
			continue
		}
		const to = "the URL that it handed out"
		ways := tampered(out)
		for _, what := range slices.Sorted(maps.Keys(ways)) {
			req := p.presignedRequest(out, presignedContent)
			ways[what](req)
			p.wants("tampered URL", r, req, "presigned "+what, to+", "+what+": it must be refused by a 4xx", 4)
		}
		p.wants("presigned step", r, p.presignedRequest(out, presignedContent), "presigned", to, 2)
		p.cutsOff(r, p.presignedRequest(out, presignedContent), []byte(presignedContent))
		p.takesEmpty(r, p.presignedRequest(out, ""))
	}
}

// tampered returns the ways in which a presigned request can be almost right.
func tampered(out contract.HandedOut) map[string]func(*http.Request) {
	ways := map[string]func(*http.Request){
		"by another method": func(r *http.Request) {
			if r.Method = http.MethodPost; strings.EqualFold(out.Method, http.MethodPost) {
				r.Method = http.MethodPut
			}
		},
		"with another key": func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"x", "" },
	}
	if out.ContentType != "" {
		ways["with another media type"] = func(r *http.Request) { r.Header.Set("Content-Type", "application/x-uploadtest") }
	}
	if _, query, found := strings.Cut(out.URL, "?"); found {
		ways["without its query"] = func(r *http.Request) { r.URL.RawQuery = "" }
		for pair := range strings.SplitSeq(query, "&") {
			if name, value, _ := strings.Cut(pair, "="); opens.MatchString(name) && value != "" {
				ways["with another "+name] = func(r *http.Request) {
					r.URL.RawQuery = strings.Replace(r.URL.RawQuery, pair, name+"="+spoil(value), 1)
				}
			}
		}
	}
	return ways
}
