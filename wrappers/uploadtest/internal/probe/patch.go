package probe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// patches changes an upload. This must change what the request names, and
// nothing else that was said of the upload.
func (p *prober) patches(r *operation) {
	get, s, of := p.at(r.path, http.MethodGet), firstSample(r), p.keptFor(r)
	if r.Method != http.MethodPatch || get == nil || s.object == nil || len(of) == 0 {
		return
	}
	m := slices.MaxFunc(of, func(a, b *made) int { return cmp.Compare(len(a.said), len(b.said)) })
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
	if !p.valid(r, s) {
		return
	}
	if done := p.ask(r, p.good(r, s)); !done.ok() || done.status == http.StatusAccepted {
		return
	}
	after, changed := look(), map[string]leaf{} // as it was before, by its path
	for at, was := range before {
		is, stays := after[at]
		member, _, _ := strings.Cut(was.path, ".")
		said, named := s.object[member]
		switch same := stays && is.text() == was.text(); {
		case was.at >= 0 || !a.ok(): // a list may be in any order
		case m.said[member] == nil && !(named && changeable(member, apispec.PropertyOf(s.schema, member))):
		case named && same && apispec.TextOf(said) != was.text() && !was.list:
			a.broke(ruleAnswer, "patched", "%s is still %s after a PATCH that said %s", member,
				apispec.Quoted(was.text()), apispec.Quoted(apispec.TextOf(said)))
		case !named && !same:
			a.broke(ruleAnswer, "patched", "%s is not what it was before a PATCH that did not name it", member)
		case named && !same && !was.list:
			changed[was.path] = was
		}
		ofFiles := was.list && len(m.files) > 0 && was.text() == fmt.Sprint(len(m.files))
		if ofFiles && !named && a.ok() && (!stays || is.text() == "0") {
			a.broke(ruleAnswer, "patched files", "%s has no files any more after a PATCH that did not name it", member)
		}
		p.seen.Note("change")
	}
	for _, r := range p.ops {
		if path := p.listOf(r, m); path != "" && len(changed) > 0 {
			p.listsChanges(r, m, path, changed)
		}
	}
}

// listsChanges sees that a list does not tell of m as it was before a PATCH.
func (p *prober) listsChanges(r *operation, m *made, path string, changed map[string]leaf) {
	var a answer
	var old *leaf
	isIn := p.isIn(r, m)
	p.await(nil, r.name+" after a PATCH", func() bool {
		var list []json.RawMessage
		a, list = p.walks(r, path, 0)
		old = nil
		for _, element := range list {
			for _, l := range leaves(element) {
				if was, named := changed[l.path]; named && l.text() == was.text() && isIn(element) {
					old = &l
				}
			}
		}
		return old == nil
	})
	if old != nil {
		a.broke(ruleAnswer, "patched", "%s is still %s in the list after a PATCH that changed it", old.name,
			apispec.Quoted(old.text()))
	}
}

// changes returns values for what a PATCH may change, if the spec says none.
func changes(schema *openapi3.Schema) map[string]any {
	object := map[string]any{}
	for name := range schema.Properties {
		switch member := apispec.PropertyOf(schema, name); {
		case !changeable(name, member):
		case member.Type.Is("boolean"):
			object[name] = true
		case len(member.Enum) > 0:
			object[name] = member.Enum[len(member.Enum)-1]
		case member.Type.Is("string"):
			if text := oddly(name, "changed.txt", member, 102); member.VisitJSON(text) == nil {
				object[name] = text
			}
		}
	}
	return object
}

// changeable reports whether a PATCH may change a member.
func changeable(name string, schema *openapi3.Schema) bool {
	return settable(name, schema) || names.MatchString(name)
}
