package uploadtest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
)

// deletes deletes one upload, and one of several files. It checks that they are
// gone and that all others stay.
func (p *prober) deletes(r *operation) {
	ofIt := slices.DeleteFunc(slices.Clone(p.kept), func(m *made) bool { return m.waiting || !m.about(r) })
	if len(ofIt) == 0 {
		return
	}
	m := ofIt[len(ofIt)/2]
	for _, one := range ofIt { // others have its name, or keys that begin with its own
		if slices.ContainsFunc(ofIt, func(other *made) bool {
			return one != other && strings.HasPrefix(other.place, one.place) &&
				(one.by.Method == http.MethodPut || bytes.Equal(one.body, other.body))
		}) {
			m = one
		}
	}
	p.deletesOne(r, m)
	for _, other := range ofIt {
		if other != m && len(other.files) > 1 {
			p.deletesOne(r, other)
			return
		}
	}
}

func (p *prober) deletesOne(r *operation, m *made) {
	last, all := lastParam(r), []sample{m.found()}
	for _, ids := range m.ofFile { // each file may be deleted by itself
		if id := ids[last]; id != "" && id != m.ids[last] {
			all = append(all, m.found().under(last, id))
		}
	}
	for i, one := range all {
		a := p.ask(r, p.good(r, one))
		if a.status != 0 && !a.ok() {
			a.broke(ruleStatus, "lost", "%d to a stored upload", a.status)
		}
		if !a.ok() {
			return
		}
		if i == 0 {
			p.compares(m, -1, a)
		}
	}
	p.kept = slices.DeleteFunc(p.kept, func(kept *made) bool { return kept == m })
	p.gone(r, m)
}

// gone asks for a deleted upload in each way in which it was found, and then
// makes another in its place.
func (p *prober) gone(r *operation, m *made) {
	for _, same := range p.contract.routes {
		if len(m.outs) > 0 && strings.HasPrefix(same.Path, m.by.Path+"/") && !strings.HasPrefix(r.Path, m.by.Path+"/") {
			continue // the call that opened the upload may be remembered
		}
		if reading(same) && m.about(same) && p.succeeded[nameOf(same)] ||
			nameOf(same) == nameOf(r) && refusesUnknown(r) {
			p.refused("deleted upload", "a deleted upload", same, p.good(same, m.found()))
		}
	}
	for name, get := range m.given {
		p.seen.note("deleted upload")
		if a := get(); a.ok() {
			a.broke(ruleStatus, "deleted download", "%d to the %s of a deleted upload, which must be refused by a 4xx",
				a.status, name)
		}
	}
	p.deleted = append(p.deleted, m)
	p.again(" after another was deleted")
	if m.by.Method == http.MethodPost {
		next, _ := p.make(m.by, m.what, m.holding([]byte("another")))
		p.keep(next)
	}
}
