package probe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// patches changes an upload by each example, and then by one member alone. Each must
// change what the request names, and nothing else that was said of the upload.
func (p *prober) patches(r *operation) {
	get, list, of := p.at(r.path, http.MethodGet), samples(r), p.keptFor(r)
	if r.Method != http.MethodPatch || get == nil || len(of) == 0 {
		return
	}
	if first := list[0]; len(list) == 1 && len(first.object) > 1 {
		for _, name := range slices.Sorted(maps.Keys(first.object)) {
			if changeable(name, apispec.PropertyOf(first.schema, name)) {
				list = append(list, first.of(map[string]any{name: first.object[name]}, ""))
				break
			}
		}
	}
	others := func(m *made) (n int) { // values that it would change
		list[0].replaced(func(in member, value any) any {
			if said := m.said[in.name]; said != nil && apispec.TextOf(said) != apispec.TextOf(value) {
				n++
			}
			return value
		})
		return n
	}
	m := slices.MaxFunc(of, func(a, b *made) int {
		return cmp.Or(cmp.Compare(others(a), others(b)), cmp.Compare(len(a.said), len(b.said)))
	})
	said := map[string]bool{}
	for _, s := range list {
		if s.params = m.ids; s.object != nil && p.valid(r, s) {
			p.patch(r, get, m, s, said)
		}
	}
}

// patch changes an upload. Said has the members that earlier changes named, and none
// of them has to stay if this one also names what the server may act on, such as a
// state.
func (p *prober) patch(r, get *operation, m *made, s sample, said map[string]bool) {
	var a answer
	wrapper := ""
	look := func() map[string]leaf {
		found := map[string]leaf{}
		a = p.ask(get, p.good(get, m.found()))
		all := leaves(a.body)
		wrapper = m.wrapper(all, m.ids[get.last])
		for _, l := range all {
			l.path = inThing(strings.TrimPrefix(l.path, wrapper))
			found[l.place()] = l
		}
		return found
	}
	before := look()
	if done := p.ask(r, p.good(r, s)); !done.ok() || done.status == http.StatusAccepted {
		return
	}
	after, changed, plain := look(), map[string]leaf{}, true // as it was before, by its path
	s.replaced(func(in member, value any) any {
		plain = plain && changeable(in.name, in.schema)
		return value
	})
	for at, was := range before {
		is, stays := after[at]
		member, _, isIn := strings.Cut(was.path, ".")
		value, schema, named := s.patched(wrapper, was.path)
		_, _, around := s.patched(wrapper, member)
		may := named && changeable(was.name, schema)
		said[was.path] = said[was.path] || may
		switch same := stays && is.text() == was.text(); {
		case was.at >= 0 || !a.ok(): // a list may be in any order
		case isIn && around && !named: // it may be replaced with what is around it
		case m.said[member] == nil && !may && !(plain && said[was.path]):
		case named && same && apispec.TextOf(value) != was.text() && !was.list:
			a.broke(ruleAnswer, "patched", "%s is still %s after a PATCH that said %s", was.path,
				quoted(was.text(), apispec.TextOf(value)), quoted(apispec.TextOf(value), was.text()))
		case !named && !same:
			a.broke(ruleAnswer, "patched", "%s is not what it was before a PATCH that did not name it", was.path)
		case named && !same && !was.list:
			changed[was.path] = was
		}
		ofFiles := was.list && was.at < 0 && was.text() == fmt.Sprint(len(m.files))
		if ofFiles && areFiles(before, was.path) && !named && a.ok() && (!stays || is.text() == "0") {
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

// areFiles reports whether the elements of a list are texts, or have names or ids.
func areFiles(all map[string]leaf, list string) bool {
	for _, l := range all {
		inElement := l.path == list+"[]."+l.name && lasting.MatchString(l.name)
		if inElement || l.path == list+"[]" {
			return true
		}
	}
	return false
}

// inThing returns the path of a value in the object of a thing itself. JSON:API has
// an object in it for all that may be set.
func inThing(path string) string { return strings.TrimPrefix(path, "attributes.") }

// patched returns the value that a change names, by its path in the thing, and its
// schema. The thing may be wrapped in the request as in the answer.
func (s sample) patched(wrapper, path string) (value any, schema *openapi3.Schema, named bool) {
	for _, around := range []string{"", wrapper, "attributes.", wrapper + "attributes."} {
		if value, schema, named = s.at(around + path); named {
			break
		}
	}
	return value, schema, named
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
		for _, element := range leavesOfEach(list) {
			for _, l := range element {
				if was, named := changed[inThing(l.path)]; named && l.text() == was.text() && isIn(element) {
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
