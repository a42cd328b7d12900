package uploadtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// leaf is a value of a JSON document, or a list, whose value is its length.
type leaf struct {
	path, name string
	at         int // in the innermost list; -1 in none
	list       bool
	value      any
}

// parent returns the name of the object or list around a leaf. A list has []
// behind its name.
func (l leaf) parent() string {
	above := strings.Split(l.path, ".")
	return append([]string{""}, above...)[len(above)-1]
}

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
			inner := leaf{path: strings.TrimPrefix(here.path+"."+name, "."), name: name, at: here.at}
			found = leavesOf(found, inner, v[name])
		}
	case []any:
		found = append(found, leaf{here.path, here.name, here.at, true, json.Number(fmt.Sprint(len(v)))})
		for i, element := range v {
			found = leavesOf(found, leaf{path: here.path + "[]", name: here.name, at: i}, element)
		}
	default:
		here.value = v
		found = append(found, here)
	}
	return found
}

// unknown is the schema of what the spec does not know: it allows everything.
var unknown = &openapi3.Schema{}

// propertyOf returns the schema of a member of an object.
func propertyOf(object *openapi3.Schema, name string) *openapi3.Schema {
	if object == nil {
		return unknown
	}
	return resolved(object.Properties[name])
}

// resolved returns the schema of a reference.
func resolved(ref *openapi3.SchemaRef) *openapi3.Schema {
	if ref == nil || ref.Value == nil {
		return unknown
	}
	return ref.Value
}

// isBinary reports whether a value, or each element of a list, is a file.
func isBinary(schema *openapi3.Schema) bool {
	for schema.Items != nil {
		schema = resolved(schema.Items)
	}
	return schema.Format == "binary"
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
			in := member{name: name, schema: propertyOf(m.schema, name)}
			in.required = slices.Contains(m.schema.Required, name)
			if inner = in.replaced(inner, with); inner != (without{}) {
				object[name] = inner
			}
		}
		return object
	case []any:
		list := make([]any, len(value))
		for i, inner := range value {
			list[i] = member{name: m.name, schema: resolved(m.schema.Items), element: true}.replaced(inner, with)
		}
		return list
	}
	return with(m, value)
}

// textOf returns a value as the text of a parameter or of a part of a form.
func textOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value) // it came out of a document of that kind
	return string(text)
}

// bytesOf returns a value as the content of a part of a form. Files are bytes
// already.
func bytesOf(value any) []byte {
	if content, ok := value.([]byte); ok {
		return content
	}
	return []byte(textOf(value))
}

// several returns the values of a field, or the one that it has.
func several(value any) []any {
	if values, ok := value.([]any); ok {
		return values
	}
	return []any{value}
}
