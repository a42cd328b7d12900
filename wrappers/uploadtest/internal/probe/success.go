package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// succeeds asks with the spec's own examples.
func (p *prober) succeeds(r *operation) {
	for _, s := range p.samples(r) {
		if r.closing {
			return // each upload asked it
		}
		said := p.comeLater[r.last]
		if s = s.asAnnounced(said); said.content != nil && len(s.files()) == 1 {
			s = s.holding(said.content)
		}
		known := p.known(r)
		req := p.good(r, s)
		if broken := p.faults(req); len(broken) > 0 {
			p.unseen(r, "the request that the spec's examples give breaks the spec itself: %s: %s", broken[0].Rule,
				broken[0].Detail)
			continue
		}
		switch m, a := p.start(r, s, ""); {
		case m != nil:
			p.compares(m, whole, a)
			if last := r.last; places(r) && p.learned[last] == "" {
				p.clientKeys[last] = true
			}
			of := p.learned[r.last]
			if p.remembers(m); acts(r) { // others ask for what is in the state that it was made in
				p.learned[r.last] = cmp.Or(of, m.ids[r.last])
			}
			for name := range m.ids {
				p.comeLater[name] = m.announced()
			}
			if m.moved = p.moves(m); m.moved {
				delete(p.learned, r.last)
				r.single = p.parent(r) != nil
			}
			if !p.handedOut(m) && (r.Method == http.MethodPost || m.moved) {
				p.keep(m)
			}
		case a.status != 0: // else it was reported already
			if r.unfound = p.excuse(a, s, known); r.unfound == "" {
				with := ""
				if p.learned[r.last] != "" && !p.clientKeys[r.last] {
					with = ", with the " + r.last + " that an answer gave"
				}
				a.broke(ruleStatus, "example", "%d to the spec's own example%s", a.status, with)
			}
		}
	}
}

// excuse says why a server may refuse the spec's own example, or nothing.
func (p *prober) excuse(a answer, s sample, known bool) string {
	r, answered := a.route, fmt.Sprintf("the spec's own example was answered %d", a.status)
	refers, guesses := p.refers(r, s)
	switch refused := a.status/100 == 4 && a.declares(); {
	case !known || completion.MatchString(r.Path): // its upload comes later
		return cmp.Or(r.unfound, fmt.Sprintf("no answer gave its %s, as a member of that name or as the id in the "+
			"answer of the path before it: %s (%s %s)", r.last, answered, r.Method, r.Path))
	case missing(a.status) && len(s.files()) == 0 && (refers || p.waitsFor(r)), refused && guesses,
		refused && a.status == http.StatusNotFound && r.Method == http.MethodDelete && len(p.keptFor(r)) == 0:
		return answered + ", and what it refers to may not be there"
	case refused && a.status == http.StatusPreconditionFailed && slices.ContainsFunc(r.required, isUnknownTag):
		answered += ", and the spec has no example of its If-Match"
		p.unseen(r, "%s", answered) // though a later one may have the right ETag
		return answered
	case refused && (acts(r) || p.withholds(a)), p.mayBeTaken(r, s, a),
		refused && r.Method == http.MethodDelete && a.status == http.StatusConflict: // of its state
		return answered + ", as the spec declares"
	}
	return ""
}

// isUnknownTag reports an If-Match without an example.
func isUnknownTag(param *openapi3.Parameter) bool {
	return strings.EqualFold(param.Name, "If-Match") && isMadeUp(param.Schema, apispec.ExampleOf(param))
}

// acts reports whether an operation only does something to what its path names:
// that may be in no state for it.
func acts(r *operation) bool {
	return !reading(r) && r.Method != http.MethodDelete && apispec.ContentOf(r.Operation) == nil && r.last != ""
}

// withholds reports whether an answer keeps back the file that its operation is
// there to give. A server may do so, but not for some uploads only.
func (p *prober) withholds(a answer) bool {
	return (a.status == http.StatusBadRequest || a.status == http.StatusForbidden) && reading(a.route) &&
		mayGiveFile(a.route) && !a.route.succeeded
}

// missing reports whether a status may say that something else is not there.
func missing(status int) bool {
	return slices.Contains([]int{404, 409, 410, 412, 422, 424}, status)
}

// refers reports whether a request names a thing that another one made: in its
// object, its query, or a path that goes on behind the name. It guesses if no example
// and no answer gave a required name: there may be no such thing.
func (p *prober) refers(r *operation, s sample) (does, guesses bool) {
	does = r.goesOn()
	for _, param := range r.required {
		if refer.MatchString(param.Name) {
			value, inPath := apispec.ExampleOf(param), param.In == openapi3.ParameterInPath
			learned := inPath && p.valueOf(r, param, s) != apispec.TextOf(value)
			does, guesses = does || !inPath, guesses || !learned && isMadeUp(param.Schema, value)
		}
	}
	for _, in := range s.objects() {
		for name, value := range in.object {
			schema := in.schema.Properties[name]
			if (refer.MatchString(name) || p.givesKey(r, name)) && !apispec.IsBinary(apispec.Resolved(schema)) {
				does = true
				guesses = guesses || slices.Contains(in.schema.Required, name) && isMadeUp(schema, value)
			}
		}
	}
	return does, guesses
}

// givesKey reports whether the answer of another operation only gives a key such as that
// of an upload.
func (p *prober) givesKey(r *operation, name string) bool {
	isIt := func(told string) bool { return told == name }
	return secrets.MatchString(name) && !mayTell(r, isIt) &&
		slices.ContainsFunc(p.ops, func(other *operation) bool { return mayTell(other, isIt) })
}

// isMadeUp reports whether a text or a number is no example of the spec.
func isMadeUp(ref *openapi3.SchemaRef, value any) bool {
	switch schema := apispec.Resolved(ref); value.(type) {
	case string, int:
		isFile := schema.Format == "byte" || schema.Format == "binary"
		return schema.Example == nil && schema.Default == nil && len(schema.Enum) == 0 && !isFile &&
			value == apispec.MadeUp(ref, 0)
	}
	return false
}

// waitsFor reports whether an operation gives a file that was not sent yet.
func (p *prober) waitsFor(r *operation) bool {
	return mayGiveFile(r) && !slices.ContainsFunc(p.keptFor(r), func(m *made) bool { return len(m.files) > 0 })
}

// ends sends the methods that every server knows.
func (p *prober) ends(r *operation) {
	for _, method := range []string{http.MethodHead, http.MethodOptions} {
		req := p.good(r, sample{})
		if req.Method = method; p.exchange(req).Operation() == nil { // else the spec has it, maybe for another path
			a := p.ask(nil, req)
			if a.route = r; a.status >= 500 && a.status != http.StatusNotImplemented {
				a.broke(ruleStatus, method, "%d to %s", a.status, method)
			}
		}
	}
}
