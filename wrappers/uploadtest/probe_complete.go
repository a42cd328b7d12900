package uploadtest

import (
	"bytes"
	"cmp"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// completions returns the operations that complete an upload: its id is in their
// path or their body.
func (p *prober) completions(m *made) (found []*operation) {
	for _, r := range p.contract.routes {
		if len(m.outs) == 0 || r.Method == http.MethodGet || !completion.MatchString(r.Path) {
			continue
		}
		s := firstSample(r)
		inBody := lastParam(r) == "" && s.object != nil && !reflect.DeepEqual(m.identify("", s.object), any(s.object))
		if inBody || m.about(r) {
			p.closing[nameOf(r)] = true
			found = append(found, r)
		}
	}
	return found
}

// identify returns a value of a request with the ids of m in it.
func (m *made) identify(name string, value any) any {
	switch value := value.(type) {
	case map[string]any:
		object := map[string]any{}
		for name, inner := range value {
			object[name] = m.identify(name, inner)
		}
		return object
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			list[i] = m.identify(name, inner)
		}
		return list
	case string:
		if name == "id" && m.ids[name] == "" && len(m.answer.ids) == 1 {
			return m.answer.ids[0]
		}
		return cmp.Or(m.ids[name], value)
	}
	return value
}

// completingRequest returns the request that completes m.
func (p *prober) completingRequest(r *operation, m *made) *http.Request {
	s := firstSample(r)
	s.later, s.params = m.later, m.ids
	if s.object != nil {
		s = s.of(m.identify("", s.object).(map[string]any), s.fileName)
	}
	return p.good(r, s.stating())
}

// completes says that the bytes of m are there.
func (p *prober) completes(m *made) {
	for _, r := range p.completions(m) {
		switch a := p.ask(r, p.completingRequest(r, m)); {
		case a.ok():
			p.learn(m, a)
			p.compares(m, -1, a)
		case a.status == http.StatusConflict && !strings.HasPrefix(r.Path, m.by.Path+"/"): // it may be of another kind
		case a.status != 0:
			a.broke(ruleStatus, "complete", "%d to an upload whose file was sent%s", a.status, m.what)
		}
	}
}

// refusesToComplete completes an upload without its bytes, and one with other
// bytes than were announced. An operation that declares no status for that is
// not blamed, nor is one that looks later.
func (p *prober) refusesToComplete(r *operation, s sample) {
	const announced = "uploadtest: announced, and never sent"
	s = s.holding([]byte(announced))
	other := strings.ToUpper(announced)
	if bytes.Equal(s.holding([]byte(other)).body, s.body) { // only its size is announced
		other += other
	}
	for what, content := range map[string]string{
		"an upload whose file was not sent":                      "",
		"an upload whose file is not the one that was announced": other,
	} {
		m, _ := p.start(r, p.good(r, s), s, "")
		if m == nil || !m.waiting || content != "" && !m.states() {
			continue
		}
		if content != "" && slices.ContainsFunc(m.outs, func(out contract.HandedOut) bool {
			return !p.ask(r, p.presignedRequest(out, []byte(content))).ok()
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
