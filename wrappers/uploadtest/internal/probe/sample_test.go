package probe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// schemaOf reads a schema in JSON.
func schemaOf(t *testing.T, text string) *openapi3.SchemaRef {
	t.Helper()
	ref := &openapi3.SchemaRef{}
	if err := json.Unmarshal([]byte(text), ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestTheExampleToUse(t *testing.T) {
	named := func(values ...any) openapi3.Examples {
		many := openapi3.Examples{}
		for i, value := range values {
			many[string(rune('a'+i))] = &openapi3.ExampleRef{Value: &openapi3.Example{Value: value}}
		}
		return many
	}
	own := `{"type":"string","example":"schema"}`
	for _, c := range []struct {
		name   string
		one    any
		many   openapi3.Examples
		schema string
		want   string
	}{
		{"a single one", "one", nil, own, "map[:one]"},
		{"a single one beside others", "one", named("first", "second"), own, "map[:one a:first b:second]"},
		{"the first by name", nil, named("first", "second"), own, "map[:first a:first b:second]"},
		{"a name without a value", nil, openapi3.Examples{"a": {Value: &openapi3.Example{}}, "b": {}}, own,
			"map[:schema]"},
		{"the schema's own", nil, nil, own, "map[:schema]"},
		{"one that is made up", nil, nil, `{"type":"integer"}`, "map[:1]"},
	} {
		if got := fmt.Sprint(apispec.Examples(c.one, c.many, schemaOf(t, c.schema))); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestValuesAreMadeUpFromTheirSchemas(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"string"}`:                                       `"uploadtest"`,
		`{"type":"string","minLength":15}`:                        `"uploadtestuploadtest"`,
		`{"type":"string","minLength":10}`:                        `"uploadtest"`,
		`{"type":"integer","minimum":1}`:                          `1`,
		`{}`:                                                      `"uploadtest"`,
		`{"type":"string","maxLength":3}`:                         `"upl"`,
		`{"type":"string","format":"date"}`:                       `"2026-01-31"`,
		`{"type":"string","enum":["b","a"]}`:                      `"b"`,
		`{"type":"string","default":"d"}`:                         `"d"`,
		`{"type":"integer","minimum":5}`:                          `6`,
		`{"type":"number"}`:                                       `1`,
		`{"type":"boolean"}`:                                      `true`,
		`{"type":"array","items":{"type":"integer"}}`:             `[1]`,
		`{"type":"array","minItems":2,"items":{"type":"string"}}`: `["uploadtest","uploadtest"]`,
		`{"oneOf":[{"type":"integer"},{"type":"string"}]}`:        `1`,
		`{"oneOf":[{"type":"integer"}],"example":"e"}`:            `"e"`,
		`{"type":"object","required":["a"],"properties":{"a":{"type":"boolean"},"b":{"type":"string"},"c":{"type":"string","example":"x"}}}`: `{"a":true,"c":"x"}`,
		`{"allOf":[{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}}]}`:                                               `{"a":1}`,
	} {
		got, _ := json.Marshal(apispec.MadeUp(schemaOf(t, schema), 0))
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
	}
}

func TestASchemaInItselfHasAnEnd(t *testing.T) {
	object := schemaOf(t, `{"type":"object","required":["a"]}`)
	object.Value.Properties = openapi3.Schemas{"a": object}
	if got, _ := json.Marshal(apispec.MadeUp(object, 0)); strings.Count(string(got), `"a":`) != 9 {
		t.Errorf("got %s, want nine in each other", got)
	}
	list := schemaOf(t, `{"type":"array"}`)
	list.Value.Items = list
	one, all := schemaOf(t, `{}`), schemaOf(t, `{}`)
	one.Value.OneOf, all.Value.AllOf = openapi3.SchemaRefs{one}, openapi3.SchemaRefs{all}
	for _, schema := range []*openapi3.SchemaRef{list, one, all, {}, nil} {
		if got, err := json.Marshal(apispec.MadeUp(schema, 0)); err != nil || len(got) > 100 {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

func TestABodyIsBuiltAsItsMediaTypeWantsIt(t *testing.T) {
	schema := schemaOf(t, `{"type":"object","properties":{"f":{"type":"array","items":{"format":"binary"}}}}`).Value
	for typ, want := range map[string]string{"application/json": "", "multipart/form-data": "", "text/plain": "x",
		"*/*": "x", "image/*": "x"} {
		if s, ok := newSample(typ, schema, nil, "x"); string(s.body) != want || ok != (want != "") {
			t.Errorf("a text as %s: %q, %t, want %q", typ, s.body, ok, want)
		}
	}
	s, ok := newSample("multipart/form-data", schema, nil, map[string]any{"f": []any{"one", "two"}})
	if !ok || !strings.Contains(string(s.body), `filename="1-uploadtest.txt"`) ||
		!strings.Contains(string(s.body), `filename="2-uploadtest.txt"`) {
		t.Errorf("two files: %s", s.body)
	}
	schema.Properties["facts"] = schemaOf(t, `{"type":"object"}`)
	for said, want := range map[string]string{"": "text/plain", "image/*, a/b": "image/x-uploadtest",
		"a/b,c/d": "a/b", "image/*, text/*": "text/plain"} {
		s.fileType = "text/plain"
		s.encoding = map[string]*openapi3.Encoding{"f": {ContentType: said}}
		s = s.of(map[string]any{"f": "one", "facts": map[string]any{"a": 1}}, "a.txt")
		if files := s.files(); files[0].contentType != want ||
			!strings.Contains(string(s.body), "Content-Type: "+want) ||
			!strings.Contains(string(s.body), "Content-Type: application/json\r\n\r\n{\"a\":1}") {
			t.Errorf("a file of %q, want %s: %s", said, want, s.body)
		}
	}
}

func TestATextIsAsLongAsItMayBe(t *testing.T) {
	short, long := schemaOf(t, `{"maxLength":7}`).Value, schemaOf(t, `{"maxLength":98}`).Value
	for text, want := range map[string]int{oddly("title", "a", short, 0): 5, oddly("title", "a", long, 1): 98,
		oddly("name", "a.txt", long, 1): 98, oddly("name", "a.txt", long, 2): 5} {
		if got := utf8.RuneCountInString(text); got != want {
			t.Errorf("%q has %d characters, want %d", text, got, want)
		}
	}
}
