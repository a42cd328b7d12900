package probe

import (
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// ages sends requests that were good before the server's clock moved.
func (p *prober) ages() {
	if p.Advance == nil {
		p.Logf("%s: not seen: stale credentials and expired URLs, since Probing.Advance moves no clock",
			p.contract.Title)
		return
	}
	var late []func()
	old := func(what string, r *operation, req *http.Request) {
		late = append(late, func() { p.refused("stale request", what, r, req) })
	}
	for _, r := range p.ops {
		for _, s := range p.samples(r) {
			if r.Method == http.MethodPost || r.grants {
				if m, _ := p.start(r, s, ""); m != nil {
					for _, out := range append(m.listed(), m.outs...) {
						if !out.Session { // it may live for days
							old("a presigned URL that has expired", nil, p.presignedRequest(out, presignedContent))
						}
					}
				}
			}
			if req := p.good(r, s); dates(req.Header) {
				old("a signature that is a day old", r, req)
			}
		}
	}
	if p.ending != "" {
		old("a URL for a download that has expired", nil, p.requestTo(http.MethodGet, p.ending, "", nil))
	}
	p.Advance(24 * time.Hour)
	for _, ask := range late {
		ask()
	}
	p.Advance(-48 * time.Hour)
	for _, r := range p.ops {
		if req := p.good(r, firstSample(r)); dates(req.Header) {
			p.refused("early request", "a signature of tomorrow", r, req)
		}
	}
	p.Advance(24 * time.Hour)
}

// dates reports whether credentials hold a time.
func dates(h http.Header) bool {
	for name, values := range h {
		if apispec.Dated.MatchString(name) || apispec.Dated.MatchString(values[0]) {
			return true
		}
	}
	return false
}
