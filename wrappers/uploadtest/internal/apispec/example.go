package apispec

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// Examples returns the examples that a spec gives of one thing, by name. The
// one to use has the empty name: a single example, the first by name, the
// schema's own, or one that is made up from the schema.
func Examples(one any, many openapi3.Examples, schema *openapi3.SchemaRef) map[string]any {
	found := map[string]any{}
	for name, ref := range many {
		if ref.Value != nil && ref.Value.Value != nil {
			found[name] = ref.Value.Value
		}
	}
	switch {
	case one != nil:
		found[""] = one
	case len(found) > 0:
		found[""] = found[slices.Min(slices.Collect(maps.Keys(found)))]
	default:
		found[""] = MadeUp(schema, 0)
	}
	return found
}

// ExampleOf returns the example of a parameter. With content in place of a schema, it
// is the text of that.
func ExampleOf(param *openapi3.Parameter) any {
	for _, media := range param.Content { // one at most
		return TextOf(Examples(media.Example, media.Examples, media.Schema)[""])
	}
	return Examples(param.Example, param.Examples, param.Schema)[""]
}

// MadeUp returns a value that matches a schema, as far as that can be told.
func MadeUp(ref *openapi3.SchemaRef, depth int) any {
	if ref == nil || ref.Value == nil || depth > 8 {
		return "uploadtest"
	}
	schema := ref.Value
	switch either := slices.Concat(schema.OneOf, schema.AnyOf); {
	case schema.Example != nil:
		return schema.Example
	case len(either) > 0:
		return MadeUp(either[0], depth+1)
	case schema.Default != nil:
		return schema.Default
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Is("object"), len(schema.Properties) > 0, len(schema.AllOf) > 0:
		object := map[string]any{}
		for _, part := range schema.AllOf {
			if more, ok := MadeUp(part, depth+1).(map[string]any); ok {
				maps.Copy(object, more)
			}
		}
		for name, property := range schema.Properties {
			if slices.Contains(schema.Required, name) || property.Value != nil && property.Value.Example != nil {
				object[name] = MadeUp(property, depth+1)
			}
		}
		return object
	case schema.Type.Is("array"):
		return slices.Repeat([]any{MadeUp(schema.Items, depth+1)}, max(1, int(schema.MinItems)))
	case schema.Type.Is("integer"), schema.Type.Is("number"):
		if schema.Min != nil && *schema.Min > 1 {
			return *schema.Min + 1
		}
		return 1
	case schema.Type.Is("boolean"):
		return true
	}
	formats := map[string]string{
		"uuid": "0f8fad5b-d9cb-469f-a165-70867728950e", "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z",
		"email": "uploadtest@example.com", "uri": "https://example.com/uploadtest", "byte": "dXBsb2FkdGVzdA==",
	}
	if text, ok := formats[schema.Format]; ok {
		return text
	}
	text := "uploadtest"
	for len(text) < int(schema.MinLength) {
		text += text
	}
	if schema.MaxLength != nil {
		text = text[:min(*schema.MaxLength, uint64(len(text)))]
	}
	return text
}
