package uploadtest

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// oddText is the same for any text of a request.
const oddText = "Gr\u00fc\u00dfe  & <b>'x'</b>; 100%25+1, \"y\" \ud55c\uae00 \U0001F4C4"

// texts returns the object with other texts. A member called a name gets the
// name. Any other free text becomes a text that is as odd.
func (s sample) texts(object map[string]any, schema *openapi3.Schema, name string, i int) map[string]any {
	object = maps.Clone(object)
	for member, value := range object {
		property := schema.Properties[member]
		if property == nil || property.Value == nil || property.Value.Format != "" || isBinary(property) ||
			checksums.MatchString(member) {
			continue
		}
		switch inner := value.(type) {
		case map[string]any:
			object[member] = s.texts(inner, property.Value, name, i)
			continue
		case []any:
			first, ok := slices.Concat(inner, []any{nil})[0].(map[string]any)
			if ok && len(inner) == 1 && property.Value.Items != nil {
				object[member] = []any{s.texts(first, property.Value.Items.Value, name, i)}
			}
			continue
		}
		if _, isText := value.(string); !isText {
			continue
		}
		if types.MatchString(member) {
			typ := map[int]string{4: "text/plain; charset=utf-8", plainText: "text/plain"}[i]
			if typ != "" && strings.HasSuffix(s.typ, "json") && property.Value.VisitJSON(typ) == nil {
				object[member] = typ
			}
			continue
		}
		object[member] = oddly(member, name, property.Value, i)
		if i%4 == 3 && !slices.Contains(schema.Required, member) {
			delete(object, member)
		}
	}
	return object
}

// oddly returns another text for a member or a parameter. One that is called a
// name gets the name. Any other gets a text that is as odd, sometimes of the
// greatest length.
func oddly(member, name string, schema *openapi3.Schema, i int) string {
	if enum := schema.Enum; len(enum) > 0 {
		return textOf(enum[i%len(enum)])
	}
	text := oddText
	if names.MatchString(member) {
		text = name
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
	for name, list := range s.schema.Properties {
		if object[name] == nil && prose.MatchString(name) && list.Value.Type.Is("string") && !list.Value.ReadOnly {
			object[name], more = madeUp(list, 0), true
		}
		if items := list.Value.Items; items != nil && items.Value.Type.Is("string") && !list.Value.ReadOnly &&
			len(items.Value.Enum) == 0 && items.Value.Pattern == "" && (items.Value.Format == "" || isBinary(items)) &&
			(list.Value.MaxItems == nil || *list.Value.MaxItems > 1) {
			object[name], more = []any{"uploadtest-b", "uploadtest-a"}, true
		}
	}
	return s.of(object, s.fileName), more
}

// flipped uploads once more, with the opposite of each yes or no that the answer
// told. The upload is not kept, since some of these may hide it.
func (p *prober) flipped(m *made, content []byte) *made {
	wrapper, object := m.wrapper(leaves(m.answer.body)), maps.Clone(m.object)
	for _, l := range leaves(m.answer.body) {
		name := strings.TrimPrefix(l.path, wrapper)
		if yes, ok := l.value.(bool); ok && m.schema != nil && m.schema.Properties[name] != nil &&
			m.schema.Properties[name].Value.Type.Is("boolean") && !m.schema.Properties[name].Value.ReadOnly {
			object[name] = !yes
		}
	}
	if maps.EqualFunc(object, m.object, func(a, b any) bool { return reflect.DeepEqual(a, b) }) {
		return nil
	}
	m, _ = p.make(m.by, "", m.sample.of(object, m.fileName).holding(content))
	return m
}

// renamed returns the sample under other names.
func (p *prober) renamed(r *operation, s sample) sample {
	p.names++
	if key := p.chosen(r); key != "" {
		s = s.under(key, varied(cmp.Or(s.params[key], p.learned[key]), p.names))
	}
	other := func(name string) string {
		base := strings.LastIndexAny(name, `/\`) + 1
		return fmt.Sprintf("%s%d-%s", name[:base], p.names, name[base:])
	}
	for _, param := range required(r) {
		if param.In != openapi3.ParameterInPath && unique.MatchString(param.Name) {
			s = s.under(param.Name, other(p.valueOf(param, s)))
		}
	}
	if s.object == nil {
		return s
	}
	var within func(object map[string]any) map[string]any
	within = func(object map[string]any) map[string]any {
		object = maps.Clone(object)
		for member, value := range object {
			switch value := value.(type) {
			case string:
				if unique.MatchString(member) && !isBinary(s.schema.Properties[member]) {
					object[member] = other(value)
				}
			case map[string]any:
				object[member] = within(value)
			}
		}
		return object
	}
	object := within(s.object)
	s.names = slices.Clone(s.names)
	for i, name := range s.names {
		s.names[i] = other(name)
	}
	return s.of(object, other(s.fileName))
}

// anew returns the sample, under other names if the operation takes each once.
func (p *prober) anew(r *operation, s sample) sample {
	if p.once[nameOf(r)] {
		return p.renamed(r, s)
	}
	return s
}
