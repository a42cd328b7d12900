package probe

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
)

// grows sends a file that is one byte too large.
func (p *prober) grows() {
	if p.MaxSize == 0 {
		p.Logf("%s: not seen: the largest file, since Probing.MaxSize says no limit", p.contract.Title)
		return
	}
	large := bytes.Repeat([]byte("x"), int(p.MaxSize)+1)
	for _, r := range p.ops {
		for _, s := range p.samples(r) {
			if _, ok := s.file(); ok {
				p.growsNow(r, s, large)
			} else {
				p.growsLater(r, s, large)
			}
		}
	}
	p.storesNothing()
}

// growsNow sends the largest file, and one that is too large, in a request. Where
// the client says the place, that goes where a file is, and to a new name.
func (p *prober) growsNow(r *operation, s sample, large []byte) {
	with := func(content []byte, at *made) *http.Request {
		s := p.anew(r, s.holding(content))
		if at != nil {
			s.params = at.ids
		}
		return p.good(r, s)
	}
	a := p.wants("largest file", r, with(large[1:], nil), "largest",
		fmt.Sprintf("a file of %d bytes", len(large)-1), ", which is not too large", 2, http.StatusConflict)
	if a.status == http.StatusConflict { // such as where a name is taken
		a.declined("the largest file")
		return
	}
	var there *made
	for _, m := range p.kept {
		if m.by == r && places(r) && !r.once && !r.single {
			there = m
		}
	}
	want, why := http.StatusRequestEntityTooLarge, ", want 413"
	if makes := p.parent(r); r.single && firstSample(makes).announcesFile() { // that is refused, and this is another
		want, why = 4, mustBeRefused
	}
	p.wants("file that is too large", r, with(large, there), "large",
		fmt.Sprintf("a file of %d bytes", len(large)), why, want)
	for _, name := range s.fields(true) {
		if s.takesSeveral(name) {
			p.refusesAll(r, "a file before one that is too large in "+name, p.anew(r, s.with(name, []any{"a", large})))
		}
	}
	s.unsized = true
	unsized := with(large, r.barred)
	unsized.Header.Set("Expect", "100-continue")
	p.wants("file that is too large", r, unsized, "large in chunks",
		fmt.Sprintf("a file of %d bytes in chunks", len(large)), ", which is too large", 4, http.StatusNotImplemented)
	if slices.Contains(p.kept, there) {
		p.afterwards(" after a file that is too large", func() { p.reads(there) })
	}
}

// withinLimit returns as much of a content as the server takes.
func (p *prober) withinLimit(content []byte) []byte {
	if p.MaxSize == 0 {
		return content
	}
	return content[:min(int64(len(content)), p.MaxSize)]
}

// growsLater sends a file that is too large to the URL that takes it.
func (p *prober) growsLater(r *operation, s sample, large []byte) {
	if r.Method != http.MethodPost || r.closing {
		return
	}
	most, size := p.anew(r, s.holding(large[1:])), len(large)-1
	m, a := p.make(r, fmt.Sprintf(" (content: %d bytes)", size), most)
	switch {
	case m != nil && len(m.outs) > 0:
		p.seen.Note("largest file")
	case m == nil && most.announcesFile():
		if a.declined("the largest file"); a.status == http.StatusRequestEntityTooLarge {
			a.broke(ruleStatus, "largest", "413 to a file of %d bytes, which is not too large", size)
		}
		return
	default:
		return
	}
	m, a = p.start(r, p.anew(r, s.holding(large)), "")
	if m == nil || !p.takes(m, large).ok() {
		return
	}
	for _, last := range p.completions(m) {
		if p.ask(last, p.completingRequest(last, m)).status/100 == 4 {
			return
		}
	}
	a.broke(ruleStatus, "large", "a file of %d bytes, which is too large, is taken at the URL that it handed out",
		len(large))
}
