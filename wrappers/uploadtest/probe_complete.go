package uploadtest

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// The checks of uploads that have a last step: a call that says that the bytes
// are there.

var completion = regexp.MustCompile(`(?i)[/:_-](complete|finali[sz]e|finish|commit|confirm|done)$`)

// completion returns the operations that complete an upload.
func (p *prober) completions(m *made) (found []*routers.Route) {
	for _, r := range p.contract.routes {
		if len(m.outs) > 0 && r.Method != http.MethodGet && completion.MatchString(r.Path) && m.about(r) {
			p.closing[nameOf(r)] = true
			found = append(found, r)
		}
	}
	return found
}

// completing returns the request that completes m. It names the ids of m.
func (p *prober) completingRequest(r *routers.Route, m *made) *http.Request {
	s := firstSample(r)
	s.later, s.params = m.later, m.ids
	if s.object != nil {
		object := maps.Clone(s.object)
		for name := range object {
			if id := m.ids[name]; id != "" {
				object[name] = id
			}
		}
		s = s.of(object, s.fileName)
	}
	return p.good(r, s.stating())
}

// completes says that the bytes of m are there.
func (p *prober) completes(m *made) {
	for _, r := range p.completions(m) {
		req := p.completingRequest(r, m)
		switch a := p.ask(r, req); {
		case a.status/100 == 2:
			p.seen.note("operation that succeeded")
			p.succeeded[nameOf(r)] = true
			p.learn(m, r, a)
			p.compares(r, req, m, -1, a)
		case a.status == http.StatusConflict && !strings.HasPrefix(r.Path, m.by.Path+"/"): // it may be of another kind
		case a.status != 0:
			p.broke(r, req, contract.RuleStatus, "complete", "%d to an upload whose file was sent%s", a.status, m.what)
		}
	}
}

// refusesToComplete completes an upload without its bytes, and one with other
// bytes than were announced. An operation that declares no status for that is
// not blamed, nor is one that looks later.
func (p *prober) refusesToComplete(r *routers.Route, s sample) {
	const announced = "uploadtest: announced, and never sent"
	s = s.holding([]byte(announced))
	for what, content := range map[string]string{
		"an upload whose file was not sent":                      "",
		"an upload whose file is not the one that was announced": strings.ToUpper(announced),
	} {
		m, _ := p.start(r, p.good(r, s), s, "")
		if m == nil || !m.waiting || content != "" && !m.states() {
			continue
		}
		if content != "" && slices.ContainsFunc(m.outs, func(out contract.HandedOut) bool {
			return p.ask(r, p.presignedRequest(out, []byte(content))).status/100 != 2
		}) {
			continue // it is refused before
		}
		for _, last := range p.completions(m) {
			if slices.ContainsFunc([]string{"409", "412", "422", "424"}, func(status string) bool {
				return last.Operation.Responses.Value(status) != nil
			}) {
				p.wants("upload that is not complete", last, p.completingRequest(last, m), what,
					what+", which must be refused by a 4xx", 4, http.StatusAccepted)
			}
		}
	}
}
