package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// oddText is the same for any text of a request.
const oddText = "Gr\u00fc\u00dfe  & <b>'x'</b>; 100%25+1, \"y\" \ud55c\uae00 \U0001F4C4"

// everyName matches the name of any member.
var everyName = regexp.MustCompile("")

// oddly returns the sample with a file of another name, and with other texts where
// they are called such.
func (s sample) oddly(r *operation, name string, i int, such *regexp.Regexp) sample {
	s = s.named(r, upload.BaseName(name))
	for _, param := range r.required {
		schema := apispec.Resolved(param.Schema)
		if param.In == openapi3.ParameterInQuery && schema.Type.Is("string") && such.MatchString(param.Name) {
			s = s.under(param.Name, oddly(param.Name, name, schema, i))
		}
	}
	if s.object == nil {
		return s
	}
	return s.of(s.texts(upload.BaseName(name), i, such), name)
}

// texts returns the object with other texts in such members. A member called a
// name gets the name. Any other free text becomes a text that is as odd.
func (s sample) texts(name string, i int, such *regexp.Regexp) map[string]any {
	return s.replaced(func(m member, value any) any {
		text, isText := value.(string)
		switch {
		case strings.HasPrefix(text, "{") && json.Valid([]byte(text)): // it has texts of its own
			return value
		case !isText || !such.MatchString(m.name) || m.element || checksums.MatchString(m.name) ||
			m.schema == apispec.Unknown || m.schema.Format != "":
			return value
		case saysType.MatchString(m.name) && (mediaType.MatchString(text) || types.MatchString(m.name)):
			typ := map[int]string{4: "text/plain; charset=utf-8", plainText: "text/plain"}[i]
			if typ == "" || !s.isJSON() || m.schema.VisitJSON(typ) != nil {
				return value
			}
			return typ
		case i%4 == 3 && !m.required:
			return without{}
		}
		if odd := oddly(m.name, name, m.schema, i); m.schema.VisitJSON(odd) == nil {
			return odd
		}
		return value
	})
}

// oddly returns another text for a member or a parameter. One that is called a
// name gets the name. Any other gets a text that is as odd, sometimes of the
// greatest length.
func oddly(member, name string, schema *openapi3.Schema, i int) string {
	if enum := schema.Enum; len(enum) > 0 {
		return apispec.TextOf(enum[i%len(enum)])
	}
	text := oddText
	switch {
	case names.MatchString(member):
		text = name
	case i%4 == 2: // one that nothing changes shows where an answer repeats it
		text = fmt.Sprint("uploadtest ", i)
	}
	if most := schema.MaxLength; most != nil {
		if i%4 == 1 && *most < 5000 {
			text = strings.Repeat(text, int(*most))
		}
		text = string([]rune(text)[:min(*most, uint64(utf8.RuneCountInString(text)))])
	}
	return strings.TrimSpace(text)
}

// filled returns the sample with each prose that it may have, and with two values
// in each list of texts or of files, and whether there are any.
func (s sample) filled() (full sample, more bool) {
	if s.object == nil {
		return s, false
	}
	object := maps.Clone(s.object)
	for name, ref := range s.schema.Properties {
		schema, items := apispec.Resolved(ref), apispec.Resolved(apispec.Resolved(ref).Items)
		switch {
		case schema.ReadOnly:
		case object[name] == nil && prose.MatchString(name) && schema.Type.Is("string"):
			object[name], more = apispec.MadeUp(ref, 0), true
		case foreign.MatchString(name): // nobody made a second one
		case items.Type.Is("string") && len(items.Enum) == 0 && items.Pattern == "" &&
			(items.Format == "" || apispec.IsBinary(items)) && (schema.MaxItems == nil || *schema.MaxItems > 1):
			object[name], more = []any{"uploadtest-b", "uploadtest-a"}, true
		}
	}
	return s.of(object, s.fileName), more
}

// flipped uploads once more, with the opposite of each yes or no that the answer
// told. The upload is not kept, since some of these may hide it.
func (p *prober) flipped(m *made, content []byte) *made {
	object := m.opposite()
	if maps.EqualFunc(object, m.object, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		return nil
	}
	m, _ = p.make(m.by, "", m.sample.of(object, m.fileName).holding(content))
	return m
}

// opposite returns the object of a request with the opposite of each yes or no
// that the answer told.
func (m *made) opposite() map[string]any {
	wrapper, object := m.wrapper(leaves(m.answer.body)), maps.Clone(m.object)
	for _, l := range leaves(m.answer.body) {
		name := strings.TrimPrefix(l.path, wrapper)
		schema := apispec.PropertyOf(m.schema, name)
		if yes, ok := l.value.(bool); ok && schema.Type.Is("boolean") && !schema.ReadOnly {
			object[name] = !yes
		}
	}
	return object
}

// renamed returns the sample under other names.
func (p *prober) renamed(r *operation, s sample) sample {
	s = p.rekeyed(r, s)
	p.renamings++
	other := func(name string, schema *openapi3.Schema) string {
		base := strings.LastIndexAny(name, `/\`) + 1
		text := fmt.Sprintf("%s%d-%s", name[:base], p.renamings, name[base:])
		if schema.VisitJSON(text) != nil {
			text = name[:base] + varied(name[base:], p.renamings)
		}
		return text
	}
	if name := p.nameOf(r, s); name != "" {
		s = s.named(r, other(name, apispec.Unknown))
	}
	for _, param := range r.required {
		if param.In != openapi3.ParameterInPath && param != r.nameHeader() && unique.MatchString(param.Name) {
			s = s.under(param.Name, other(p.valueOf(r, param, s), apispec.Resolved(param.Schema)))
		}
	}
	if s.object == nil {
		return s
	}
	object := s.replaced(func(m member, value any) any {
		if text, isText := value.(string); isText && unique.MatchString(m.name) && !apispec.IsBinary(m.schema) {
			return other(text, m.schema)
		} else if isText && declares(r, "409") && p.tellsApart(r, m) {
			if text := other(text, m.schema); m.schema.VisitJSON(text) == nil {
				return text
			}
		}
		return value
	})
	s.names = slices.Clone(s.names)
	for i, name := range s.names {
		s.names[i] = other(name, apispec.Unknown)
	}
	return s.of(object, other(s.fileName, apispec.Unknown))
}

// tellsApart reports whether one thing only may have the value of a member: the number of
// a product, the address of a person, a name that it needs and that is of nothing else, or
// the one by which the path of another operation names it.
func (p *prober) tellsApart(r *operation, m member) bool {
	ofOther := facts.MatchString(m.name) ||
		slices.ContainsFunc(p.ops, func(other *operation) bool { return slices.Contains(other.params, m.name) })
	return distinctive.MatchString(m.name) || m.schema.Format == "email" ||
		m.required && longNames.MatchString(m.name) && !ofOther ||
		slices.ContainsFunc(p.ops, func(other *operation) bool {
			return strings.HasPrefix(other.path+"/", r.path+"/{"+m.name+"}/")
		})
}

// anew returns the sample, under other names if the operation takes each once, and
// for another thing if each takes one upload.
func (p *prober) anew(r *operation, s sample) sample {
	if r.once {
		s = p.renamed(r, s)
	}
	return p.adopted(r, s)
}
