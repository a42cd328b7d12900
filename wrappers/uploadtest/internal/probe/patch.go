package probe

import (
	"net/http"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// patches changes an upload. This must change what the request names, and
// nothing else that was said of the upload.
func (p *prober) patches(r *operation) {
	get, s, of := p.at(r.path, http.MethodGet), firstSample(r), p.keptFor(r)
	if r.Method != http.MethodPatch || get == nil || s.object == nil || len(of) == 0 {
		return
	}
	m := slices.MaxFunc(of, func(a, b *made) int { return len(a.said) - len(b.said) })
	s.params = m.ids
	var a answer
	look := func() map[string]leaf {
		found := map[string]leaf{}
		a = p.ask(get, p.good(get, m.found()))
		all := leaves(a.body)
		wrapper := m.wrapper(all)
		for _, l := range all {
			l.path = strings.TrimPrefix(l.path, wrapper)
			found[l.place()] = l
		}
		return found
	}
	before := look()
	if !p.valid(r, s) || !p.ask(r, p.good(r, s)).ok() {
		return
	}
	after := look()
	for at, was := range before {
		is, stays := after[at]
		member, _, _ := strings.Cut(was.path, ".")
		said, named := s.object[member]
		switch same := stays && is.text() == was.text(); {
		case m.said[member] == nil || was.at >= 0 || !a.ok(): // a list may be in any order
		case named && same && apispec.TextOf(said) != was.text() && !was.list:
			a.broke(ruleAnswer, "patched", "%s is still %.50q after a PATCH that said %.50q", member,
				was.text(), apispec.TextOf(said))
		case !named && !same:
			a.broke(ruleAnswer, "patched", "%s is not what it was before a PATCH that did not name it", member)
		}
		p.seen.Note("change")
	}
}
