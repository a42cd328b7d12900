package probe

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestABodyIsBuiltAsItsMediaTypeWantsIt(t *testing.T) {
	schema := lab.SchemaOf(t, `{"type":"object","properties":{"f":{"type":"array","items":{"format":"binary"}}}}`).Value
	for typ, want := range map[string]string{"application/json": "", "multipart/form-data": "", "text/plain": "x",
		"*/*": "x", "image/*": "x"} {
		if s, ok := newSample(typ, schema, nil, "x"); string(s.body) != want || ok != (want != "") {
			t.Errorf("a text as %s: %q, %t, want %q", typ, s.body, ok, want)
		}
	}
	inJSON := lab.SchemaOf(t, `{"properties":{"data":{"format":"byte"},"md5":{"format":"byte","maxLength":24},
		"text":{}}}`).Value
	body, _ := newSample("application/json", inJSON, nil, map[string]any{"data": "AAE=", "md5": "AAE=", "text": "AAE="})
	for want, s := range map[string]sample{`{"data":"AAE=","md5":"RBB3zJ5XVU3Udr37i4uBAg==","text":"AAE="}`: body,
		`{"data":"eA==","md5":"ndTkYSaMgDT1yFZOFVxnpg==","text":"AAE="}`: body.holding([]byte("x"))} {
		if files := s.files(); len(files) != 1 || files[0].field != "data" || files[0].name != "" ||
			string(s.body) != want {
			t.Errorf("%s has the files %v", s.body, files)
		}
	}
	s, ok := newSample("multipart/form-data", schema, nil, map[string]any{"f": []any{"one", "two"}})
	if !ok || !strings.Contains(string(s.body), `filename="1-uploadtest.txt"`) ||
		!strings.Contains(string(s.body), `filename="2-uploadtest.txt"`) {
		t.Errorf("two files: %s", s.body)
	}
	for stated, want := range map[string]string{"type image/png": "image/png", "mime image/png": "image/png",
		"type a/b": "text/plain", "kind image/png": "text/plain", "type png": "text/plain"} {
		name, value, _ := strings.Cut(stated, " ")
		s, _ := newSample("multipart/form-data", schema, nil, map[string]any{"f": "ones", name: value})
		if got := s.files()[0]; got.contentType != want || string(got.content) != "ones" {
			t.Errorf("a file of the %s is %s of %s, want %s", stated, got.content, got.contentType, want)
		}
	}
	s.types = []string{"of/several"}
	schema.Properties["facts"] = lab.SchemaOf(t, `{"type":"object"}`)
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
	short, long := lab.SchemaOf(t, `{"maxLength":7}`).Value, lab.SchemaOf(t, `{"maxLength":98}`).Value
	for text, want := range map[string]int{oddly("title", "a", short, 0): 5, oddly("title", "a", long, 1): 98,
		oddly("name", "a.txt", long, 1): 98, oddly("name", "a.txt", long, 2): 5} {
		if got := utf8.RuneCountInString(text); got != want {
			t.Errorf("%q has %d characters, want %d", text, got, want)
		}
	}
}
