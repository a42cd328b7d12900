package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// leaf is a value of a JSON document, or a list, whose value is its length.
type leaf struct {
	path, name string
	at, of     int // in the innermost list, and how many that has; -1 in none
	list       bool
	value      any
}

// owner returns the name of the object or the list around a leaf, or nothing.
func (l leaf) owner() string {
	above := strings.Split("."+l.path, ".")
	return strings.TrimSuffix(above[len(above)-2], "[]")
}

func (l leaf) text() string { return apispec.TextOf(l.value) }

func (l leaf) isID() bool { return strings.EqualFold(l.name, "id") }

// extension returns the extension that stands in the object of a leaf, with its
// full stop, or nothing.
func (l leaf) extension(all []leaf) string {
	if text := l.beside(all, endings); text != "" {
		return "." + strings.TrimPrefix(text, ".")
	}
	return ""
}

// beside returns the text of such a name that stands in the object of a leaf, or nothing.
func (l leaf) beside(all []leaf, such *regexp.Regexp) string {
	for _, beside := range all {
		if text := beside.text(); beside.at == l.at && text != "" && such.MatchString(beside.name) &&
			strings.TrimSuffix(beside.path, beside.name) == strings.TrimSuffix(l.path, l.name) {
			return text
		}
	}
	return ""
}

// place tells a leaf from the others of its document.
func (l leaf) place() string { return fmt.Sprint(l.path, l.at, l.list) }

// leaves returns the values of a JSON document in their order.
func leaves(document []byte) (found []leaf) {
	var root any
	decoder := json.NewDecoder(bytes.NewReader(document))
	if decoder.UseNumber(); decoder.Decode(&root) != nil {
		return nil
	}
	return leavesOf(nil, leaf{at: -1}, root)
}

func leavesOf(found []leaf, here leaf, v any) []leaf {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inner := leaf{path: strings.TrimPrefix(here.path+"."+name, "."), name: name, at: here.at, of: here.of}
			found = leavesOf(found, inner, v[name])
		}
	case []any:
		found = append(found, leaf{here.path, here.name, here.at, here.of, true, json.Number(fmt.Sprint(len(v)))})
		for i, element := range v {
			found = leavesOf(found, leaf{path: here.path + "[]", name: here.name, at: i, of: len(v)}, element)
		}
	default:
		here.value = v
		found = append(found, here)
	}
	return found
}

// member is a value of a request that is neither an object nor a list.
type member struct {
	name     string // its own, or that of its list
	schema   *openapi3.Schema
	required bool
	element  bool // of a list
}

// without stands in place of a member that is left out.
type without struct{}

// replaced returns a copy of a JSON value, in which each member is replaced by
// what with returns.
func (m member) replaced(value any, with func(m member, value any) any) any {
	switch value := value.(type) {
	case map[string]any:
		object := map[string]any{}
		for name, inner := range value {
			in := member{name: name, schema: apispec.PropertyOf(m.schema, name)}
			in.required = slices.Contains(m.schema.Required, name)
			if inner = in.replaced(inner, with); inner != (without{}) {
				object[name] = inner
			}
		}
		return object
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			in := member{name: m.name, schema: apispec.Resolved(m.schema.Items), element: true}
			list[i] = in.replaced(inner, with)
		}
		return list
	}
	return with(m, value)
}

// quoted returns a text for a message that shows another beside it. If both are cut and
// would be the same, it begins where they differ within what is shown.
func quoted(text, beside string) string {
	is, other, at := []rune(text), []rune(beside), 0
	for string(is) != string(other) && apispec.Quoted(string(is[at:])) == apispec.Quoted(string(other[at:])) {
		at++
	}
	return strings.Repeat("...", min(at, 1)) + apispec.Quoted(string(is[at:]))
}

// bytesOf returns a value as the content of a part of a form. Files are bytes
// already.
func bytesOf(value any) []byte {
	if content, ok := value.([]byte); ok {
		return content
	}
	return []byte(apispec.TextOf(value))
}

// several returns the values of a field, or the one that it has.
func several(value any) []any {
	if values, ok := value.([]any); ok {
		return values
	}
	return []any{value}
}
