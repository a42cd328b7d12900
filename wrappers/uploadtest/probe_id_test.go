package uploadtest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// idSpec is a provider's with things that have parts, and with blobs under keys
// of the client's.
const idSpec = `
openapi: 3.0.3
info: {title: Ids, version: '1'}
servers: [{url: /v1}]
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.}}},
    get: {operationId: list, responses: *all}}
  /things/{thingId}: {parameters: [&thing {name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *all}}
  /things/{thingId}/parts: {parameters: [*thing], get: {operationId: parts, responses: *all}}
  /things/{thingId}/parts/{partId}: {parameters: [*thing,
      {name: partId, in: path, required: true, schema: {type: string}}],
    get: {operationId: part, responses: *all}}
  /papers/{paper_id}: {parameters: [{name: paper_id, in: path, required: true, schema: {type: string}}],
    get: {operationId: paper, responses: *all}}
  /blobs/{key}: {parameters: [&key {name: key, in: path, required: true, schema: {type: string}}],
    put: {operationId: put, responses: *all}, get: {operationId: blob, responses: *all}}
  /blobs/{key}/facts: {parameters: [*key], get: {operationId: facts, responses: *all}}
  /others/{key}: {parameters: [*key], get: {operationId: other, responses: *all}}
  /rows/{rowId}: {parameters: [{name: rowId, in: path, required: true, schema: {type: string}}],
    put: {operationId: row, responses: *all}}
  /rows/{rowId}/content: {parameters: [{name: rowId, in: path, required: true, schema: {type: string}}],
    put: {operationId: fill, responses: *all}}
  /kept: {post: {operationId: keep, responses: *all}}
  /kept/{key}: {parameters: [*key], put: {operationId: change, responses: *all}}
`

// idProber returns a prober of idSpec, and its operations by their names.
func idProber(t *testing.T) (*prober, map[string]*operation) {
	p := &prober{TB: t, base: "http://a.example/v1", clientKeys: map[string]bool{}}
	p.contract, _ = parseAt(t, p.base, []byte(idSpec))
	ops := map[string]*operation{}
	for _, r := range p.contract.routes {
		ops[nameOf(r)] = r
	}
	return p, ops
}

func TestAnIDIsThatOfTheWholeAnswer(t *testing.T) {
	for answer, want := range map[string]string{
		`{"id":"a"}`:                    "a",
		`{"ID":7}`:                      "7",
		`{"id":null,"data":{"id":"a"}}`: "a",
		`{"ok":true,"list":[],"file":{"id":"a"}}`: "a",
		`{"name":"x","file":{"id":"a"}}`:          "",
		`{"count":1,"data":{"id":"a"}}`:           "a",
		`{"a":{"id":"x"},"b":{"id":"y"}}`:         "",
		`{"data":{"file":{"id":"a"}}}`:            "",
		`{"items":[{"id":"a"}]}`:                  "",
		`{"id":["a"]}`:                            "",
		`{"file":{"name":"a"}}`:                   "",
	} {
		if got := ownID([]byte(answer)); got != want {
			t.Errorf("the id of %s is %q, want %q", answer, got, want)
		}
	}
	for element, want := range map[string]string{`{"id":"a","name":"b"}`: "a", `{"a":1,"name":"b","size":3}`: "b",
		`{"size":3,"userId":"b"}`: "b", `{"a":1}`: `{"a":1}`} {
		if got := identity([]byte(element)); got != want {
			t.Errorf("%s is %q, want %q", element, got, want)
		}
	}
}

func TestAnAnswerGivesWhatPathsTake(t *testing.T) {
	p, ops := idProber(t)
	for _, c := range []struct{ answer, location, ids, ofFile string }{
		{`{"id":"t-1"}`, "", "map[id:t-1 thingId:t-1]", "[]"},
		{`{"id":"n-1","thingId":"t-2"}`, "", "map[id:n-1 thingId:t-2]", "[]"},
		{`{"id":"n-1","thing_id":null}`, "", "map[id:n-1 thingId:n-1]", "[]"},
		{`{"id":null,"name":""}`, "", "map[]", "[]"},
		{`{"parts":[{"id":"p-1"},{"id":"p-2"}]}`, "", "map[partId:p-1 parts:2]", "[map[partId:p-1] map[partId:p-2]]"},
		{`{"paperId":"x"}`, "", "map[paperId:x paper_id:x]", "[]"},
		{`{"a":{"paper_id":"deep"},"paper_id":"top"}`, "", "map[paper_id:top]", "[]"},
		{`{"owner":{"id":"u-1"},"size":1}`, "", "map[ownerId:u-1 size:1]", "[]"},
		{`{"owner":{"id":"u-1"},"uploadUrl":"http://a.example/put"}`, "",
			"map[id:u-1 ownerId:u-1 uploadUrl:http://a.example/put]", "[]"},
		{`{"data":{"id":"t-1"},"size":1}`, "", "map[id:t-1 size:1 thingId:t-1]", "[]"},
		{"", "/v1/things/t-9", "map[thingId:t-9]", "[]"},
		{"", "http://a.example", "map[]", "[]"},
	} {
		m := &made{by: ops["make"], ids: map[string]string{}}
		if strings.Contains(c.answer, "uploadUrl") {
			m.outs = []contract.HandedOut{{}}
		}
		p.learn(m, answer{route: m.by, body: []byte(c.answer), header: http.Header{"Location": {c.location}}})
		if ids, ofFile := fmt.Sprint(m.ids), fmt.Sprint(m.ofFile); ids != c.ids || ofFile != c.ofFile {
			t.Errorf("%s %s gives %s and %s, want %s and %s", c.answer, c.location, ids, ofFile, c.ids, c.ofFile)
		}
	}
}

func TestAnElementOfAListNamesWhatWasMade(t *testing.T) {
	p, ops := idProber(t)
	thing := &made{by: ops["make"], own: []string{"", "t-1", "77"},
		ids: map[string]string{"thingId": "t-5", "key": "k"}}
	thing.answer.header = http.Header{"Location": {"/v1/other/abc"}}
	blob := &made{by: ops["put"], ids: map[string]string{"key": "k"}, place: "/v1/blobs/k"}
	for _, c := range []struct {
		element string
		m       *made
		want    bool
	}{
		{`{"id":"t-1"}`, thing, true}, {`{"id":"t-2"}`, thing, false}, {`{"id":77}`, thing, true},
		{`{"count":77}`, thing, false}, {`{"size":77}`, thing, false}, {`{"id":""}`, thing, false},
		{`{"id":"t-5"}`, thing, true}, {`{"at":"abc"}`, thing, true}, {`{"at":"bc"}`, thing, false},
		{`{"name":"k"}`, blob, true}, {`{"name":"k"}`, thing, false}, {`{"name":"l"}`, blob, false},
	} {
		if got := p.isIn(ops["list"], c.m, []byte(c.element)); got != c.want {
			t.Errorf("%s names what %s made: %t", c.element, nameOf(c.m.by), got)
		}
	}
	thing.answer.header.Set("Location", "/v1/other/bc")
	if p.isIn(ops["list"], thing, []byte(`{"at":"bc"}`)) {
		t.Error("two letters are no id")
	}
}

// An operation is asked about an upload by the ids that the server gave, or by
// the key that the client chose.
func TestAnUploadIsAskedForByItsOwnIDs(t *testing.T) {
	p, ops := idProber(t)
	m := &made{by: ops["make"], place: "/v1/things/12/abc", said: map[string]any{"n": 7, "s": "9"},
		files: []sentFile{{name: "a.txt"}}, ids: map[string]string{"thingId": "t-1", "partId": "abc"}}
	m.body = []byte(`an-id 55 1234567 12345678`)
	for id, want := range map[string]bool{"7": true, "9": true, "12": true, "1": false, "55": false, "1234567": false,
		"12345678": true, "an-id": true, "abc": true, "a.txt": true, "another": false} {
		if m.asked(id) != want {
			t.Errorf("%s stood in the request: %t", id, !want)
		}
	}
	blob := &made{by: ops["put"], place: "/v1/blobs/k", ids: map[string]string{"key": "k"}}
	for _, c := range []struct {
		m    *made
		op   string
		want bool
	}{
		{m, "look", true}, {m, "list", false}, {m, "part", false}, {m, "blob", false},
		{blob, "blob", true}, {blob, "facts", true}, {blob, "other", false}, {blob, "look", false},
	} {
		if c.m.about(ops[c.op]) != c.want {
			t.Errorf("%s is about what %s made: %t", c.op, nameOf(c.m.by), !c.want)
		}
	}
	p.clientKeys["rowId"] = true
	for op, want := range map[string]string{"put": "key", "row": "rowId", "fill": "", "change": "", "blob": ""} {
		if got := p.chosen(ops[op]); got != want {
			t.Errorf("the client chooses the %q of %s, want %q", got, op, want)
		}
	}
	if p.clientKeys["rowId"] = false; p.chosen(ops["row"]) != "" {
		t.Error("the server chooses its ids")
	}
	for want, m := range map[string]*made{
		` that is called "k"`:     blob,
		` that is called "a.txt"`: m,
		` with the id "t-1"`:      {by: ops["make"], files: []sentFile{{}}, own: []string{"at", "t-1", ""}},
		"":                        {by: ops["make"]},
	} {
		if got := m.called(); got != want {
			t.Errorf("it is called %q, want %q", got, want)
		}
	}
}

// A server may keep one of two uploads that are equal.
func TestTwoUploadsAreEqualByWhatWasSent(t *testing.T) {
	_, ops := idProber(t)
	file, other := []sentFile{{content: []byte("a")}}, []sentFile{{content: []byte("b")}}
	said := map[string]any{"n": 1}
	announces := sample{typ: "application/json", object: map[string]any{"size": 1}, later: []byte("a")}.stating()
	for what, c := range map[string]struct {
		one, two *made
		want     bool
	}{
		"the same":            {&made{files: file, said: said}, &made{files: file, said: said}, true},
		"another file":        {&made{files: file}, &made{files: other}, false},
		"another text":        {&made{files: file, said: said}, &made{files: file}, false},
		"no file":             {&made{}, &made{}, false},
		"an announced file":   {&made{sample: announces}, &made{}, true},
		"a file to be sent":   {&made{sample: announces, outs: []contract.HandedOut{{}}}, &made{}, false},
		"a file of one":       {&made{files: file, sample: announces}, &made{}, false},
		"another one by text": {&made{sample: announces, said: said}, &made{}, false},
	} {
		if c.one.by = ops["make"]; c.one.equals(c.two) != c.want {
			t.Errorf("%s: equal %t", what, !c.want)
		}
	}
}
