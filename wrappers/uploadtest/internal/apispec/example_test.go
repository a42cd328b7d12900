package apispec

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

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
		if got := fmt.Sprint(Examples(c.one, c.many, lab.SchemaOf(t, c.schema))); got != c.want {
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
		`{"type":"object","required":["a"],"properties":{"a":{"type":"boolean"},` +
			`"b":{"type":"string"},"c":{"type":"string","example":"x"}}}`: `{"a":true,"c":"x"}`,
		`{"allOf":[{"type":"object","required":["a"],"properties":{"a":{"type":"integer"}}}]}`: `{"a":1}`,
	} {
		got, _ := json.Marshal(MadeUp(lab.SchemaOf(t, schema), 0))
		if string(got) != want {
			t.Errorf("%s: got %s, want %s", schema, got, want)
		}
	}
}

func TestASchemaInItselfHasAnEnd(t *testing.T) {
	object := lab.SchemaOf(t, `{"type":"object","required":["a"]}`)
	object.Value.Properties = openapi3.Schemas{"a": object}
	if got, _ := json.Marshal(MadeUp(object, 0)); strings.Count(string(got), `"a":`) != 9 {
		t.Errorf("got %s, want nine in each other", got)
	}
	list := lab.SchemaOf(t, `{"type":"array"}`)
	list.Value.Items = list
	one, all := lab.SchemaOf(t, `{}`), lab.SchemaOf(t, `{}`)
	one.Value.OneOf, all.Value.AllOf = openapi3.SchemaRefs{one}, openapi3.SchemaRefs{all}
	for _, schema := range []*openapi3.SchemaRef{list, one, all, {}, nil} {
		if got, err := json.Marshal(MadeUp(schema, 0)); err != nil || len(got) > 100 {
			t.Errorf("got %s, %v", got, err)
		}
	}
}
