package contract

import (
	"encoding/json"
	"strings"
	"testing"
)

// Each case tests a word of a schema, at its limit and one step beyond.
func TestAValueIsHeldToItsSchema(t *testing.T) {
	for _, c := range []struct{ schema, good, bad, why string }{
		{`{"type":"integer"}`, `[2, -2, 1e3]`, `[2.5, "2", true, [], {}]`, "value must be an integer"},
		{`{"type":"number"}`, `[2, 2.5]`, `["2", true, []]`, "value must be a number"},
		{`{"type":"number"}`, `[]`, `[1e400]`, "cannot convert json.Number to float64"},
		{`{"type":"boolean"}`, `[true, false]`, `[1, "true", [], {}]`, "value must be a boolean"},
		{`{"type":"string"}`, `["", "x"]`, `[1, true, [], {}]`, "value must be a string"},
		{`{"type":"array"}`, `[[], [1]]`, `[1, "x", {}]`, "value must be an array"},
		{`{"type":"object"}`, `[{}, {"a": 1}]`, `[1, "x", []]`, "value must be an object"},
		{`{}`, `[1, 1e400, "x", true, [], {}]`, `[null]`, "Value is not nullable"},
		{`{"type":"string", "nullable":true}`, `[null, "x"]`, `[1]`, "value must be a string"},
		{`{"enum":["a","b"]}`, `["a", "b"]`, `["c", 1]`, `value is not one of the allowed values ["a","b"]`},
		{`{"type":"integer", "format":"int64"}`, `[9223372036854775807, -9223372036854775808]`,
			`[9223372036854779000, -9223372036854779000]`, `integer doesn't match the format "int64"`},
		{`{"type":"integer", "minimum":-2}`, `[-2, 0]`, `[-3]`, "number must be at least -2"},
		{`{"type":"number", "maximum":2}`, `[2, 0]`, `[2.1]`, "number must be at most 2"},
		{`{"type":"string", "minLength":2}`, `["éé"]`, `["é"]`, "minimum string length is 2"},
		{`{"type":"string", "maxLength":2}`, `["éé"]`, `["ééé"]`, "maximum string length is 2"},
		{`{"type":"string", "format":"date-time"}`, `["2026-12-31T23:59:60Z", "2026-01-01T00:00:00.5+02:00"]`,
			`["2026-13-01T00:00:00Z", "2026-01-01"]`, `string doesn't match the format "date-time"`},
		{`{"type":"array", "minItems":1}`, `[[1], [1, 2]]`, `[[]]`, "minimum number of items is 1"},
		{`{"items":{"type":"integer"}}`, `[[], [1]]`, `[[1, "x"]]`, "at /1: value must be an integer"},
		{`{"minProperties":1}`, `[{"a": 1}]`, `[{}]`, "there must be at least 1 properties"},
		{`{"required":["a"]}`, `[{"a": null}]`, `[{"b": 1}]`, `at /a: property "a" is missing`},
		{`{"additionalProperties":false, "properties":{"a":{"nullable":true}}}`, `[{}, {"a": null}]`,
			`[{"a": 1, "b": 1, "c": 1}, {"c": 1, "b": 1}]`, `property "b" is unsupported`},
		{`{"type":"object", "additionalProperties":true}`, `[{"a": 1}]`, `[1]`, "value must be an object"},
		{`{"additionalProperties":{"type":"string"}, "properties":{"a":{"type":"integer"}}}`, `[{"a": 1, "b": "x"}]`,
			`[{"a": 1, "b": 1}]`, "at /b: value must be a string"},
		{`{"properties":{"a":{"properties":{"b":{"type":"integer"}}}}}`, `[{"a": {"b": 1}, "c": 1}]`,
			`[{"a": {"b": "x"}}]`, "at /a/b: value must be an integer"},
		{`{"properties":{"a":{"type":"integer"},"b":{"type":"string"}}}`, `[]`,
			`[{"a": "x", "b": 1}]`, "at /a: value must be an integer"},
		{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, `[1.5]`, `["x"]`,
			`value doesn't match any schema from "oneOf"`},
		{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, `[]`, `[1]`,
			`value matches more than one schema from "oneOf" (matches schemas at indices [0 1])`},
	} {
		var s schema
		if err := decode([]byte(c.schema), &s); err != nil {
			t.Fatal(err)
		}
		if err := s.compile(); err != nil {
			t.Fatal(err)
		}
		for want, list := range map[string]string{"": c.good, c.why: c.bad} {
			var values []any
			if err := decode([]byte(list), &values); err != nil {
				t.Fatal(err)
			}
			for _, value := range values {
				got := ""
				if fault := s.fault(value, false); fault != nil {
					got = fault.Error()
				}
				if (got == "") != (want == "") || !strings.Contains(got, want) {
					text, _ := json.Marshal(value)
					t.Errorf("%s as %s: %q, want %q", text, c.schema, got, want)
				}
			}
		}
	}
}

// A request must not have what a server alone may set, and need not have it.
func TestARequestHasNoReadOnlyProperty(t *testing.T) {
	var s schema
	if err := decode([]byte(`{"required":["id","name"], "properties":{"id":{"readOnly":true},"it":{"readOnly":true},
		"name":{}}}`), &s); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		value   map[string]any
		request bool
		want    string
	}{
		{map[string]any{"name": "x"}, true, ""},
		{map[string]any{"name": "x"}, false, `at /id: property "id" is missing`},
		{map[string]any{"id": "1"}, true, `at /id: readOnly property "id" in request`},
		{map[string]any{"it": "1", "name": "x"}, true, `at /it: readOnly property "it" in request`},
		{map[string]any{"it": "1", "id": "1"}, true, `at /id: readOnly property "id" in request`},
		{map[string]any{"id": "1"}, false, `at /name: property "name" is missing`},
		{map[string]any{}, true, `at /name: property "name" is missing`},
	} {
		got := ""
		if fault := s.fault(c.value, c.request); fault != nil {
			got = fault.Error()
		}
		if got != c.want {
			t.Errorf("%v in a request %t: %q, want %q", c.value, c.request, got, c.want)
		}
	}
}

func TestATextIsReadByItsType(t *testing.T) {
	for _, c := range []struct{ typ, text, want string }{
		{"string", "", `""`}, {"string", "1", `"1"`}, {"integer", "", "null"}, {"integer", "12", "12"},
		{"number", "1.5", "1.5"}, {"boolean", "true", "true"}, {"integer", "1.5", "value 1.5: an invalid integer"},
		{"number", "x", "value x: an invalid number"}, {"boolean", "x", "value x: an invalid boolean"},
	} {
		value, err := (&schema{Type: c.typ}).parse(c.text)
		text, _ := json.Marshal(value)
		if got := string(text); err == nil && got != c.want || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q as %s: %s, %v; want %s", c.text, c.typ, got, err, c.want)
		}
	}
}
