package apispec

import (
	"encoding/json"
	"fmt"

	"github.com/getkin/kin-openapi/openapi3"
)

// Unknown is the schema of what the spec does not know: it allows everything.
var Unknown = &openapi3.Schema{}

// PropertyOf returns the schema of a member of an object.
func PropertyOf(object *openapi3.Schema, name string) *openapi3.Schema {
	if object == nil {
		return Unknown
	}
	return Resolved(object.Properties[name])
}

// Resolved returns the schema of a reference.
func Resolved(ref *openapi3.SchemaRef) *openapi3.Schema {
	if ref == nil || ref.Value == nil {
		return Unknown
	}
	return ref.Value
}

// IsBinary reports whether a value, or each element of a list, is a file.
func IsBinary(schema *openapi3.Schema) bool {
	for schema.Items != nil {
		schema = Resolved(schema.Items)
	}
	return schema.Format == "binary"
}

// TextOf returns a value as the text of a parameter or of a part of a form.
func TextOf(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	text, _ := json.Marshal(value) // it came out of a document of that kind
	return string(text)
}

// Quoted returns a text that others wrote for a message, with dots in place of
// its end if it is long.
func Quoted(text string) string {
	short, whole := fmt.Sprintf("%.50q", text), fmt.Sprintf("%q", text)
	if short != whole {
		return short + "..."
	}
	return whole
}
