package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// unmet are headers that ask for another state than that of an upload. The last is
// followed by the upload's own ETag, which lets another be put in its place.
var unmet = []struct{ header, value, what string }{
	{"If-None-Match", "*", "an If-None-Match of * where an upload is"},
	{"If-Match", `"uploadtest"`, "an If-Match with another ETag"},
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
	looked, params := false, apispec.Parameters(r.Route)
	for _, other := range unmet {
		i := slices.IndexFunc(params, func(param *openapi3.Parameter) bool {
			return strings.EqualFold(param.Name, other.header)
		})
		if i < 0 || len(p.keptFor(r)) < 2 {
			continue
		}
		looked = true
		m, there := p.standing(r)
		if m == nil {
			p.unseen(r, "its %s: a GET of its path finds no upload", other.header)
			continue
		}
		s := p.bait(r, firstSample(r))
		for _, id := range append(r.params, r.last) { // else it may be for a new thing
			s = s.under(id, m.ids[id])
		}
		if p.refused("condition", other.what, r, p.with(r, s, params[i], other.value)).ok() {
			continue
		}
		if other.value == "*" {
			p.race(r, params[i].Name)
			continue
		}
		p.afterwards(" after "+someRefused, func() { p.reads(m) }) // what its own ETag puts there would hide it
		tag := there.header.Get("ETag")
		if tag == "" || strings.HasPrefix(tag, "W/") {
			p.unseen(r, "an If-Match with the right ETag: no GET of its path gives one, or it is weak")
		} else if a := p.ask(r, p.with(r, s, params[i], tag)); a.status == http.StatusPreconditionFailed {
			a.broke(ruleStatus, "own ETag", "412 to an If-Match with the ETag that the GET gave")
		}
	}
	if !looked {
		p.unseen(r, "its 412: it takes no If-Match and no If-None-Match")
	}
}

// race puts two files under one new name at once, each only if nothing is there.
func (p *prober) race(r *operation, header string) {
	s := p.rekeyed(r, p.anew(r, firstSample(r)))
	if p.chosen(r) == "" || !p.valid(r, s.holding(p.twin(0))) {
		return
	}
	var two []*http.Request
	for i := range 2 {
		req := p.good(r, s.holding(p.twin(i)))
		req.Header.Set(header, "*")
		two = append(two, req)
	}
	stored := 0
	for i, came := range p.atOnce(two) {
		p.came = came
		a := p.ask(r, two[i])
		if stored += map[bool]int{true: 1}[a.ok()]; stored == 2 {
			a.broke(ruleStatus, "at once", "%d to both of two requests at once with an %s of * for one new name",
				a.status, header)
		}
	}
	p.seen.Note("condition of two at once")
}

// standing returns the last upload that a GET finds at the path of an operation, first
// of those that were put there, and its answer. Without a GET, an upload is where it was
// put, and at each path that ends with its id.
func (p *prober) standing(r *operation) (*made, answer) {
	all, get := p.keptFor(r), p.at(r.path, http.MethodGet)
	isPut := func(m *made) bool { return m.by.path == r.path }
	slices.SortStableFunc(all, func(a, b *made) int {
		rank := func(m *made) int { return map[bool]int{true: 1}[isPut(m)] }
		return rank(a) - rank(b)
	})
	for _, m := range slices.Backward(all) {
		if get == nil {
			if isPut(m) || !r.goesOn() {
				return m, answer{}
			}
		} else if a := p.ask(get, p.good(get, m.found())); a.ok() {
			return m, a
		}
	}
	return nil, answer{}
}
