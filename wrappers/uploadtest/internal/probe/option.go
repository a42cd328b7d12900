package probe

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// option is a parameter or a member that a request may have.
type option struct {
	name  string
	value any
	param *openapi3.Parameter // nil: it is a member of the body
}

// offers asks once more with all that a request may have. If that is refused, it
// sends each alone. Nothing that comes of it is kept, since nobody knows what an
// option does: only an answer's member of the same name tells.
func (p *prober) offers(r *operation, s sample) {
	all := optionsOf(r, s)
	if len(all) == 0 || !p.known(r) {
		return
	}
	if a := p.offer(r, s, all); a.status/100 == 4 && len(all) > 1 {
		for _, one := range all {
			p.offer(r, s, []option{one})
		}
	}
}

func (p *prober) offer(r *operation, s sample, options []option) answer {
	var names []string
	for _, o := range options {
		names = append(names, o.name)
	}
	called := strings.Join(names, ", ")
	if s = p.renamed(r, s.holding(payload.Noise(302))).taking(options); !p.valid(r, s) {
		p.unseen(r, "its optional %s, whose values break the spec", called)
		return answer{}
	}
	p.doing = ", to a request with its optional " + called
	defer func() { p.doing = "" }()
	var m *made
	var a answer
	if p.seen.Note("option"); reading(r) {
		a = p.ask(r, p.good(r, s))
	} else if m, a = p.start(r, s, ""); m != nil {
		for _, get := range p.ops {
			if get.Method == http.MethodGet && m.about(get) && !mayGiveFile(get) {
				p.heeds(m, p.ask(get, p.good(get, m.found())), options)
			}
		}
		p.heeds(m, a, options)
	}
	if a.status >= 500 {
		a.broke(ruleStatus, "option", "%d to a request with its optional %s", a.status, called)
	}
	a.declined("a request with its optional %s", called)
	return a
}

// heeds compares each text, and each yes or no, of an answer with the option of
// its name. A server may count and measure for itself.
func (p *prober) heeds(m *made, a answer, options []option) {
	all := leaves(a.body)
	wrapper := m.wrapper(all)
	for _, l := range all {
		for _, o := range options {
			said := apispec.TextOf(o.value)
			if l.path == wrapper+o.name && !l.list && !numeric(said) && !strings.EqualFold(l.text(), said) {
				a.broke(ruleAnswer, "option "+o.name, "%s is %s, but the request said %s in its optional %[1]s",
					o.name, quoted(l.text(), said), quoted(said, l.text()))
			}
		}
	}
}

// optionsOf returns what a request may have and has not, with a value of the spec
// that is not the one that counts without it.
func optionsOf(r *operation, s sample) (all []option) {
	for _, param := range apispec.Parameters(r.Route) {
		value, ok := suggested(apispec.Resolved(param.Schema))
		if param.Example != nil || len(param.Examples) > 0 {
			value, ok = apispec.Examples(param.Example, param.Examples, nil)[""], true
		}
		if ok && !param.Required && !param.Deprecated && settable(param.Name, apispec.Resolved(param.Schema)) &&
			!(param.In == openapi3.ParameterInHeader && conditions.MatchString(param.Name)) {
			all = append(all, option{param.Name, value, param})
		}
	}
	if s.object == nil {
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(s.schema.Properties)) {
		schema := apispec.PropertyOf(s.schema, name)
		if value, ok := suggested(schema); ok && s.object[name] == nil && !schema.Deprecated && settable(name, schema) {
			all = append(all, option{name, value, nil})
		}
	}
	return all
}

// suggested returns a value that a schema has as its example, in its enum, or as
// its default, and another than the default if there is one.
func suggested(schema *openapi3.Schema) (value any, ok bool) {
	if schema.Type.Is("boolean") && schema.Default != nil {
		return schema.Default != true, true
	}
	for _, value := range append([]any{schema.Example}, schema.Enum...) {
		if value != nil && value != schema.Default {
			return value, true
		}
	}
	return schema.Default, schema.Default != nil
}

// settable reports whether a sender is free to say such a thing, and it harms
// nobody: it is no fact about the file, and refers to nothing.
func settable(name string, schema *openapi3.Schema) bool {
	apart := []*regexp.Regexp{facts, perils, sizes, lengths, checksums, types, names, stores, states, deletions, refer}
	return schema != apispec.Unknown && !schema.ReadOnly && schema.Format == "" &&
		!slices.ContainsFunc(apart, func(such *regexp.Regexp) bool { return such.MatchString(name) })
}

// taking returns the sample with options.
func (s sample) taking(options []option) sample {
	object := maps.Clone(s.object)
	for _, o := range options {
		if o.param == nil {
			object[o.name] = o.value
		} else {
			s.options = append(slices.Clip(s.options), o.param)
			s = s.under(o.name, apispec.TextOf(o.value))
		}
	}
	if s.object == nil {
		return s
	}
	return s.of(object, s.fileName)
}
