package probe

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

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
			t.Errorf("%s is about what %s made: %t", c.op, c.m.by.name, !c.want)
		}
	}
	p.clientKeys["rowId"] = true
	for op, want := range map[string]string{"put": "key", "row": "rowId", "fill": "", "change": "", "blob": "",
		"add": "set", "drop": ""} {
		if got := p.chosen(ops[op]); got != want {
			t.Errorf("the client chooses the %q of %s, want %q", got, op, want)
		}
	}
	if ops["put"].fixed = true; p.chosen(ops["put"]) != "" {
		t.Error("a key that is no other's is the client's")
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
	typed := []sentFile{{contentType: "text/plain", content: []byte("a")}}
	said := map[string]any{"n": 1}
	announces := sample{typ: "application/json", object: map[string]any{"size": 1}, later: []byte("a")}.stating()
	for what, c := range map[string]struct {
		one, two *made
		want     bool
	}{
		"the same":          {&made{files: file, said: said}, &made{files: file, said: said}, true},
		"another file":      {&made{files: file}, &made{files: other}, false},
		"of another type":   {&made{files: file}, &made{files: typed}, true},
		"another text":      {&made{files: file, said: said}, &made{files: file}, false},
		"no file":           {&made{}, &made{}, false},
		"an announced file": {&made{sample: announces}, &made{sample: announces, said: said}, true},
		"a file to be sent": {&made{sample: announces, outs: []contract.HandedOut{{}}}, &made{}, false},
		"one of which is to be sent": {&made{sample: announces, outs: []contract.HandedOut{{}}},
			&made{sample: announces}, false},
		"another announced": {&made{sample: announces}, &made{}, false},
		"a file of one":     {&made{files: file, sample: announces}, &made{}, false},
	} {
		c.two.by = ops["make"]
		if c.one.by = ops["make"]; c.one.equals(c.two) != c.want {
			t.Errorf("%s: equal %t", what, !c.want)
		}
	}
}

func TestWhatARequestSaysIsKnownByItsName(t *testing.T) {
	p, ops := idProber(t)
	p.issued = map[string]*made{}
	const properties = `{"properties":{"file":{"format":"binary"},"meta":{"type":"object",
		"properties":{"name":{},"label":{}}}}}`
	for _, c := range []struct {
		typ    string
		object map[string]any
		want   string
	}{
		{"application/json", map[string]any{"label": "a"}, "map[label:a]"},
		{"application/json", map[string]any{"label": "a", "meta": map[string]any{"label": "b", "name": "c"}},
			"map[label:a meta:map[label:b name:c] name:c]"},
		{"multipart/form-data", map[string]any{"file": "x", "name": "n"}, "map[name:n]"},
		{"multipart/form-data", map[string]any{"file": "x", "meta": map[string]any{"label": "b", "name": "c"}},
			"map[label:b meta:map[label:b name:c]]"}, // a file may be called c
	} {
		s := sample{typ: c.typ, object: c.object, schema: lab.SchemaOf(t, properties).Value}
		m := p.newMade(s, "", answer{p: p, route: ops["make"], req: httptest.NewRequest("POST", "/v1/things", nil)})
		if got := fmt.Sprint(m.said); got != c.want {
			t.Errorf("%s says %s, want %s", c.typ, got, c.want)
		}
	}
	if p.named["a"] != nil || p.named["c"] == nil {
		t.Errorf("the names are %v", p.named)
	}
	m := p.newMade(sample{params: map[string]string{"key": "k"}}, "", answer{p: p, route: ops["put"],
		req: httptest.NewRequest("PUT", "/v1/blobs/k", nil)})
	if m.ids["key"] != "k" || m.said["key"] != "k" {
		t.Errorf("the key k is %q in a path, and %q in the request", m.ids["key"], m.said["key"])
	}
}

// What only acts on an upload acts on one of its own, if another can be made.
func TestAnUploadIsMadeToBeActedOn(t *testing.T) {
	p, ops := specProber(t, strings.Replace(idSpec, "{description: All.}",
		"{description: All., content: {application/json: {}}}", 1))
	kept := &made{by: ops["make"], ids: map[string]string{"rowId": "r-1"}, own: []string{"r-1"},
		sample: firstSample(ops["make"])}
	for status, want := range map[int]string{http.StatusCreated: "r-2", http.StatusBadRequest: ""} {
		p.kept = []*made{kept}
		p.came = &response{status: status, header: http.Header{"Content-Type": {"application/json"}},
			body: []byte(`{"rowId":"r-2"}`)}
		s, own := p.onItsOwn(ops["fill"], sample{})
		if s.params["rowId"] != want || (own == nil) != (want == "") {
			t.Errorf("after a %d it acts on %q, want %q", status, s.params["rowId"], want)
		}
	}
	for action, want := range map[string]bool{"/rows/{rowId}/withdrawal": true, "/rows/{rowId}/release": false} {
		if undoes.MatchString(action) != want {
			t.Errorf("%s takes it away: %t", action, !want)
		}
	}
}
