package probe

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// stored is the class of what a refused request stored.
const stored = "stored by a refused request"

// bait returns the sample with a file that no other request has, where the client
// says the place. If it is there afterwards, it tells which refused request stored it.
func (p *prober) bait(r *operation, s sample) sample {
	files := s.files()
	if len(files) == 0 || !places(r) {
		return s
	}
	p.baits++
	other := s.holding(fmt.Appendf(bytes.Clone(files[0].content), " %d", p.baits))
	if !p.valid(r, other) {
		return s
	}
	return other
}

// bars notes a name that nobody has: only what is refused is put there.
func (p *prober) bars(r *operation) {
	key := p.chosen(r)
	if key == "" {
		return
	}
	m := &made{by: r, ids: maps.Clone(p.learned)}
	m.ids[key] = spoil(p.learned[key])
	m.place = p.build(r, m.found()).URL.Path
	if p.isThere(m).status/100 == 4 {
		r.barred = m
	}
}

// isThere returns the answer of the first operation that tells of m, if any does.
func (p *prober) isThere(m *made) (a answer) {
	for _, get := range p.ops {
		if get.Method == http.MethodGet && m.about(get) {
			return p.ask(get, p.good(get, m.found()))
		}
	}
	return a
}

// storesNothing sees that nothing is there under the name of what was refused.
func (p *prober) storesNothing() {
	for _, r := range p.ops {
		if r.barred == nil {
			continue
		}
		a := p.isThere(r.barred)
		if p.seen.Note("refused upload"); a.ok() {
			after := p.turnedDown[r.barred.place+payload.Sum(a.body)]
			if after == "" {
				after = someRefused
			}
			a.broke(ruleStatus, stored, "%d to a name that was new, after %s: nothing may be there", a.status, after)
		}
	}
}
