package probe

import (
	"net/http"
	"slices"
	"strings"
)

// strays looks for an upload under another parent than its own, such as in
// another folder. It must not be found, listed or deleted there.
func (p *prober) strays(r *operation) {
	for _, param := range r.params {
		isOther := func(m *made) bool { return !slices.Contains([]string{"", p.learned[param]}, m.ids[param]) }
		makes := p.maker(r.above(param))
		if m, id := p.elsewhere(r, param); m != nil {
			p.stray(r, m, param, m.found().under(param, id))
		} else if makes != nil && param != r.last && len(p.keptFor(r)) > 0 && !slices.ContainsFunc(p.kept, isOther) {
			p.unseen(makes, "an upload under another %s: no other one was made", param)
		}
	}
}

// elsewhere returns an upload that was made under a parent, or whose answer gave it
// one, and the id of another parent.
func (p *prober) elsewhere(r *operation, param string) (m *made, id string) {
	for _, m := range p.kept {
		about, under := m.about(r), strings.HasPrefix(m.by.path, r.above(param)+"/{"+param+"}/")
		if m.ids[param] == "" || m.placedUnder(param) || m.waiting || !about && !p.isAbove(r, m) {
			continue
		}
		for _, other := range p.kept {
			came := about && r.last != param && other.place == m.place && !slices.Equal(other.own, m.own)
			hasSame := r.last != param && other.has(r.last, m.ids[r.last]) // such as part 1
			if id := other.ids[param]; (under || came) && id != "" && id != m.ids[param] && !hasSame {
				return m, id
			}
		}
	}
	return nil, ""
}

// has reports whether an answer gave an upload, or one of its files, an id.
func (m *made) has(name, id string) bool {
	isIt := func(ids map[string]string) bool { return ids[name] == id }
	return isIt(m.ids) || slices.ContainsFunc(m.ofFile, isIt)
}

func (p *prober) stray(r *operation, m *made, param string, there sample) {
	const aspect = "upload under another parent"
	switch what := "an upload under another " + param; {
	case m.about(r) && (reading(r) || r.Method == http.MethodDelete):
		stays := false
		a := p.lacks(aspect, what, r, p.good(r, there), func([]byte) bool {
			stays = r.mayRepeat() && p.isStill(r, m)
			return stays
		})
		if a.ok() && !reading(r) && !stays {
			p.forget(func(kept *made) bool { return kept == m })
		}
	case !m.about(r) && r.Method == http.MethodGet:
		p.seen.Note(aspect)
		if a := p.ask(r, p.good(r, there)); a.ok() && p.isListed(r, m, leavesOfEach(elementsOf(a.body))) {
			a.broke(ruleAnswer, what, "the list has an upload%s, which is under another %s", m.called(), param)
		}
	}
}

// isStill reports whether an upload is still at its own place after a DELETE in another.
// Without a GET there, a list is looked at later.
func (p *prober) isStill(r *operation, m *made) bool {
	get := p.at(r.path, http.MethodGet)
	if get == nil || !get.succeeded {
		return true
	}
	a := p.ask(get, p.good(get, m.found()))
	return a.ok() && !saysDeleted(a.body)
}
