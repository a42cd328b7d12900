package probe

import (
	"fmt"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestTheTextsOfARequestBecomeOdd(t *testing.T) {
	s := sample{typ: "application/json", object: map[string]any{"title": "a", "note": "a", "fileName": "a",
		"n": 7, "day": "a",
		"sha256": "a", "contentType": "a", "mime": "a", "kind": "a", "tags": []any{"a"}, "other": "a", "open": "{a",
		"json": `{"a":"b"}`, "type": "image/png", "label": "image/png"}}
	s.schema = lab.SchemaOf(t, `{"required":["title"],"properties":{"title":{"type":"string"},"note":{"maxLength":3},
		"fileName":{"type":"string"},"n":{"type":"integer"},"day":{"format":"date"},"sha256":{"type":"string"},
		"contentType":{"type":"string"},"mime":{"enum":["a"]},"kind":{"enum":["a","b"]},
		"tags":{"items":{"type":"string"}},"open":{"type":"string"},"json":{"type":"string"},"type":{},
		"label":{}}}`).Value
	form := s
	form.typ = "multipart/form-data"
	for _, c := range []struct {
		s    sample
		i    int
		name string
		want any // nil: it is left out
	}{
		{s, 0, "title", oddText}, {s, 0, "note", "Gr\u00fc"}, {s, 0, "fileName", "x.txt"}, {s, 0, "n", 7},
		{s, 0, "day", "a"}, {s, 0, "sha256", "a"}, {s, 0, "contentType", "a"}, {s, 0, "kind", "a"},
		{s, 0, "tags", "[a]"}, {s, 0, "other", "a"}, {s, 1, "kind", "b"}, {s, 2, "title", "uploadtest 2"},
		{s, 6, "title", "uploadtest 6"}, {s, 3, "title", oddText}, {s, 3, "fileName", nil}, {s, 3, "n", 7},
		{s, 7, "fileName", nil}, {s, 4, "contentType", "text/plain; charset=utf-8"}, {s, plainText, "contentType",
			"text/plain"},
		{s, plainText, "mime", "a"}, {s, 0, "open", oddText}, {s, 0, "json", `{"a":"b"}`},
		{form, plainText, "contentType", "a"}, {form, 0, "type", "image/png"}, {s, 0, "label", oddText},
	} {
		if got := fmt.Sprint(c.s.texts("x.txt", c.i, everyName)[c.name]); got != fmt.Sprint(c.want) {
			t.Errorf("number %d of %s is %q, want %q", c.i, c.name, got, c.want)
		}
	}
}

func TestARequestIsFilledWithWhatItMayHave(t *testing.T) {
	for schema, want := range map[string]string{
		`{"note":{"type":"string"}}`:                                          "map[note:uploadtest]",
		`{"note":{"type":"string","readOnly":true}}`:                          "",
		`{"note":{"type":"integer"}}`:                                         "",
		`{"label":{"type":"string"}}`:                                         "", // it is there
		`{"code":{"type":"string"}}`:                                          "", // it may change something
		`{"tags":{"items":{"type":"string"}}}`:                                "map[tags:[uploadtest-b uploadtest-a]]",
		`{"tags":{"items":{"type":"string"},"readOnly":true}}`:                "",
		`{"tags":{"items":{"type":"integer"}}}`:                               "",
		`{"tags":{"items":{"type":"string","enum":["a"]}}}`:                   "",
		`{"tags":{"items":{"type":"string","pattern":"a"}}}`:                  "",
		`{"tags":{"items":{"type":"string","format":"date"}}}`:                "",
		`{"tags":{"items":{"type":"string","format":"binary"},"maxItems":2}}`: "map[tags:[uploadtest-b uploadtest-a]]",
		`{"tags":{"items":{"type":"string"},"maxItems":1}}`:                   "",
	} {
		s := sample{typ: "application/json", schema: lab.SchemaOf(t, `{"properties":`+schema+`}`).Value,
			object: map[string]any{"label": "july"}}
		full, more := s.filled()
		if delete(full.object, "label"); more != (want != "") || more && fmt.Sprint(full.object) != want {
			t.Errorf("%s: %t, %v, want %s", schema, more, full.object, want)
		}
	}
	if _, more := (sample{}).filled(); more {
		t.Error("there is no object to fill")
	}
}

func TestARequestIsSentUnderOtherNames(t *testing.T) {
	p, ops := idProber(t)
	p.learned = map[string]string{"key": "first.txt"}
	s := sample{typ: "application/json", fileName: "up.txt", names: []string{"a.txt"},
		object: map[string]any{"name": `dir\a.txt`,
			"text": "t", "n": 1, "in": map[string]any{"key": "k"}, "title": "v7.0"},
		schema: lab.SchemaOf(t, `{"properties":{"title":{"type":"string","pattern":"^v"}}}`).Value}
	other := p.renamed(ops["make"], s)
	if got, want := fmt.Sprint(other.object, other.fileName, other.names, other.params, s.names),
		`map[in:map[key:1-k] n:1 name:dir\1-a.txt text:t title:v7.1]1-up.txt[1-a.txt] map[] [a.txt]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := p.renamed(ops["put"], sample{}).params["key"]; got != "firsv.txt" {
		t.Errorf("the key is %q", got)
	}
	if got := p.renamed(ops["put"], sample{params: map[string]string{"key": "k"}}).params["key"]; got != "firsx.txt" {
		t.Errorf("the key is %q", got)
	}
	ops["make"].Operation.Responses = ops["change"].Operation.Responses // with a 409
	who := sample{typ: "application/json", object: map[string]any{"sku": "S-1", "thingId": "t",
		"kind": "k", "code": "DE",
		"tag_name": "v", "tagName": "w", "ownerName": "o", "cardName": "c",
		"who": map[string]any{"number": "a", "phone": "1", "at": "b@c.d"}}, schema: lab.SchemaOf(t, `{
		"required":["tag_name","ownerName","cardName"],"properties":{"sku":{},"code":{"enum":["DE"]},
		"who":{"properties":{"number":{},"at":{"format":"email"}}}}}`).Value}
	for of, want := range map[string]string{
		"make": "map[cardName:c code:DE kind:k ownerName:o sku:7-S-1 tagName:w tag_name:7-v thingId:7-t " +
			"who:map[at:7-b@c.d number:7-a phone:1]]",
		"pack": "map[cardName:c code:DE kind:k ownerName:o sku:S-1 tagName:w tag_name:v thingId:t " +
			"who:map[at:b@c.d number:a phone:1]]",
	} {
		p.renamings = 6
		if got := fmt.Sprint(p.renamed(ops[of], who).object); got != want {
			t.Errorf("%s gets %s, want %s", of, got, want)
		}
	}
	p.renamings = 5
	for key, want := range map[string]string{"xyz": "xza", "xyZ": "xzZ", "0": "1", "9": "10", "3.11.0": "3.11.1",
		"a1.9b": "a2.0b", "a9.txt": "b0.txt", ".a": "1.a", "z": "1a", "1:{[": "2:{["} {
		if got := varied(key, 1); got != want {
			t.Errorf("%s became %s, want %s", key, got, want)
		}
	}
	if got := varied("3.11.0", 1144); got != "4.25.4" {
		t.Errorf("3.11.0 became %s", got)
	}
	ops["make"].once = true
	if one, two := p.anew(ops["make"], s), p.anew(ops["keep"], s); one.fileName != "6-up.txt" ||
		two.fileName != "up.txt" {
		t.Errorf("the files are called %s and %s", one.fileName, two.fileName)
	}
}

func TestEachYesOrNoIsTurned(t *testing.T) {
	m := &made{own: []string{"t-1"}, answer: answer{body: []byte(
		`{"data":{"id":"t-1","open":true,"shown":false,"kept":true,"name":"a","word":"yes"}}`)}}
	m.object = map[string]any{"open": true, "name": "a", "word": "a"}
	m.schema = lab.SchemaOf(t, `{"properties":{"open":{"type":"boolean"},"shown":{"type":"boolean"},"name":{},
		"kept":{"type":"boolean","readOnly":true},"word":{"type":"boolean"}}}`).Value
	if got := fmt.Sprint(m.opposite()); got != "map[name:a open:false shown:true word:a]" {
		t.Errorf("got %s", got)
	}
}

// Two long texts are shown where they differ.
func TestTwoTextsInAMessageDiffer(t *testing.T) {
	long := strings.Repeat("ab", 60)
	for _, c := range []struct{ text, beside, want string }{
		{"a", "b", `"a"`}, {long, "b", `"` + long[:50] + `"...`}, {long, long, `"` + long[:50] + `"...`},
		{long + "x", long + "yz", `..."` + long[71:] + `x"`}, {long + "yz", long + "x", `..."` + long[71:] + `y"...`},
		{long, long + ".txt", `..."` + long[70:] + `"`},
	} {
		if got := quoted(c.text, c.beside); got != c.want {
			t.Errorf("%s beside %s: %s, want %s", c.text, c.beside, got, c.want)
		}
	}
}
