package probe

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// completions returns the operations that complete an upload: its id is in their
// path or their body.
func (p *prober) completions(m *made) (found []*operation) {
	for _, r := range p.ops {
		if len(m.outs) == 0 || r.Method == http.MethodGet || !completion.MatchString(r.Path) {
			continue
		}
		s := firstSample(r)
		inBody := r.last == "" && s.object != nil && !reflect.DeepEqual(s.replaced(m.identifying), s.object)
		if inBody || m.about(r) {
			r.closing = true
			found = append(found, r)
		}
	}
	return found
}

// identifying is a replacement of each id in a request by the one of m.
func (m *made) identifying(in member, value any) any {
	text, isText := value.(string)
	switch {
	case !isText:
		return value
	case in.name == "id" && m.ids["id"] == "" && len(m.answer.ids) == 1:
		return m.answer.ids[0]
	}
	return cmp.Or(m.ids[in.name], text)
}

// completingRequest returns the request that completes m.
func (p *prober) completingRequest(r *operation, m *made) *http.Request {
	s := firstSample(r)
	s.later, s.params = m.later, m.ids
	if s.object != nil {
		s = s.of(s.replaced(m.identifying), s.fileName)
	}
	return p.good(r, s.stating())
}

// completes says that the bytes of m are there.
func (p *prober) completes(m *made) {
	for _, r := range p.completions(m) {
		switch a := p.ask(r, p.completingRequest(r, m)); {
		case a.ok():
			p.learn(m, a)
			p.compares(m, whole, a)
			if p.logged.First("twice: " + r.name) { // a client that got no answer asks so
				p.sameAgain(a, func() answer { return p.ask(r, p.completingRequest(r, m)) },
					"a second request to complete an upload")
			}
		case a.status == http.StatusConflict && !strings.HasPrefix(r.path, m.by.path+"/"): // it may be of another kind
		case a.status != 0:
			a.broke(ruleStatus, "complete", "%d to an upload whose file was sent%s", a.status, m.what)
		}
	}
}

// refusesToComplete completes an upload without its bytes, and one with other
// bytes than were announced. An operation that declares no status for that is
// not blamed, nor is one that looks later. Where nothing completes an upload, the
// URL must refuse other bytes, if the spec says that their checksum is compared.
func (p *prober) refusesToComplete(r *operation, s sample) {
	const announced = "uploadtest: announced, and never sent"
	s = s.holding([]byte(announced))
	other, sameSize := strings.ToUpper(announced), true
	if bytes.Equal(s.holding([]byte(other)).body, s.body) { // only its size is announced
		other, sameSize = other+other, false
	}
	for what, content := range map[string]string{
		"an upload whose file was not sent":                      "",
		"an upload whose file is not the one that was announced": other,
	} {
		switch m, _ := p.start(r, s, ""); {
		case m == nil:
		case content == "":
			p.staysOpen(m, what)
		case m.announcesFile():
			a := p.takes(m, []byte(content))
			if len(p.completions(m)) == 0 && sameSize && p.comparesLater(r, s, a) {
				p.seen.Note("checksum of other bytes")
				if a.ok() {
					a.broke(ruleStatus, what, "%d to %s%s", a.status, what, mustBeRefused)
				}
			} else if a.ok() {
				p.staysOpen(m, what)
			}
		}
	}
}

// staysOpen checks that m cannot be completed.
func (p *prober) staysOpen(m *made, what string) {
	for _, last := range p.completions(m) {
		if declares(last, "409", "412", "422", "424") {
			a := p.wants("upload that is not complete", last, p.completingRequest(last, m), what,
				what, mustBeRefused, 4, http.StatusAccepted)
			if a.status == http.StatusAccepted {
				p.staysUndone(m, a, what)
			}
		}
	}
}

// staysUndone sees that a completion that was answered 202 fails later: no answer may
// tell that all is done, or give a URL for a download.
func (p *prober) staysUndone(m *made, a answer, what string) {
	done, failed := "", false
	isNew := func(l leaf) bool {
		return !slices.ContainsFunc(slices.Concat(leaves(m.answer.body), leaves(a.body)), func(was leaf) bool {
			return was.name == l.name && (was.text() == l.text() || downloadURL.MatchString(l.name))
		})
	}
	if !p.await(m, what, func() bool {
		for _, get := range p.ops {
			if get.Method != http.MethodGet || !m.about(get) {
				continue
			}
			for _, l := range leaves(p.follow(p.askOnce(get, p.good(get, m.found()))).body) {
				text, isState, isURL := l.text(), states.MatchString(l.name), downloadURL.MatchString(l.name)
				switch {
				case isState && finished.MatchString(text), isURL && text != "" && isNew(l):
					done = fmt.Sprintf("its %s is %s", l.name, apispec.Quoted(text))
				case isState && !pending.MatchString(text): // it takes time, or has failed
					m.unready, failed = text, failed || !unready.MatchString(text) && isNew(l)
				}
			}
		}
		return failed || done != ""
	}) {
		p.unseen(a.route, "what becomes of %s: the answer is 202, and no later one tells of its end", what)
	}
	if done != "" {
		a.broke(ruleStatus, what, "202 to %s, and %s later%s", what, done, mustBeRefused)
	}
}

// takes sends a content to each URL of m, and returns the last answer, or the first
// that refuses it.
func (p *prober) takes(m *made, content []byte) (a answer) {
	for _, out := range m.outs {
		if a = p.puts(m, out, content); !a.ok() {
			break
		}
	}
	return a
}
