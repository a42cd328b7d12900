package lab

import (
	"encoding/json"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// SchemaOf reads a schema in JSON.
func SchemaOf(t testing.TB, text string) *openapi3.SchemaRef {
	t.Helper()
	ref := &openapi3.SchemaRef{}
	if err := json.Unmarshal([]byte(text), ref); err != nil {
		t.Fatal(err)
	}
	return ref
}
