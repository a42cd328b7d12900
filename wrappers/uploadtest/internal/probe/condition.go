package probe

import (
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// unmet are headers that ask for another state than that of an upload.
var unmet = map[string]struct{ value, what string }{
	"If-Match":      {`"uploadtest"`, "an If-Match with another ETag"},
	"If-None-Match": {"*", "an If-None-Match of * where an upload is"},
}

// asksIf asks an operation that declares a 412 for what it may not do to an
// upload, and then for the same with the upload's own ETag. One upload is left.
func (p *prober) asksIf(r *operation) {
	if !declares(r, "412") || reading(r) || r.closing { // for an upload that is not complete it may be a 412, too
		return
	}
	if len(p.keptFor(r)) < 2 {
		p.unseen(r, "its 412: there are no two uploads to ask it about")
		return
	}
	looked := false
	for _, param := range apispec.Parameters(r.Route) {
		of, s, other := p.keptFor(r), p.bait(r, firstSample(r)), unmet[http.CanonicalHeaderKey(param.Name)]
		if other.what == "" || len(of) < 2 {
			continue
		}
		looked = true
		m := of[len(of)-1]
		s.params = m.ids
		if p.refused("condition", other.what, r, p.with(r, s, param, other.value)).ok() || other.value == "*" {
			continue
		}
		p.afterwards(" after "+someRefused, func() { p.reads(m) }) // what its own ETag puts there would hide it
		if tag := p.tagOf(r, m); tag != "" {
			if a := p.ask(r, p.with(r, s, param, tag)); a.status == http.StatusPreconditionFailed {
				a.broke(ruleStatus, "own ETag", "412 to an %s with the ETag that the GET gave", param.Name)
			}
		}
	}
	if !looked {
		p.unseen(r, "its 412: it takes no If-Match and no If-None-Match")
	}
}

// tagOf returns the ETag of an upload at the path of an operation, or nothing.
func (p *prober) tagOf(r *operation, m *made) string {
	get := p.at(r.path, http.MethodGet)
	if get == nil {
		return ""
	}
	tag := p.ask(get, p.good(get, m.found())).header.Get("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		p.unseen(r, "an If-Match with the right ETag: its GET gives none, or a weak one")
		return ""
	}
	return tag
}
