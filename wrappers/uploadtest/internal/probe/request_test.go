package probe

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

const parameterSpec = v1 + `
info: {title: Parameters, version: '1'}
paths:
  /things: {post: {operationId: make, parameters: [
    {name: mode, in: query, schema: {type: string, enum: [a, b], default: a}},
    {name: note, in: query, example: n, schema: {type: string}},
    {name: more, in: query, examples: {x: {value: m}}, schema: {type: string}},
      {name: none, in: query, schema: {type: string}},
    {name: need, in: query, required: true, example: q, schema: {type: string}},
    {name: old, in: query, deprecated: true, example: o, schema: {type: string}},
    {name: size, in: query, example: 1, schema: {type: integer}},
    {name: If-Match, in: header, example: x, schema: {type: string}},
      {name: X-Mode, in: header, example: h, schema: {type: string}}],
    requestBody: {content: {application/json: {example: {given: a}, schema: {type: object, properties: {
    flag: {type: boolean, default: true}, given: {type: string, example: g}, label: {type: string, example: l},
    past: {type: string, example: p, deprecated: true}, ro: {type: string, example: r, readOnly: true},
    at: {type: string, format: date, example: '2026-01-31'}, plain: {type: boolean},
      kept: {type: string, default: k}}}}}},
    responses: &all {default: {description: All., content: {application/json: {}}}}}}
  /one: {post: {operationId: one, parameters: [{name: note, in: query, example: n, schema: {type: string}}],
    responses: *all}}
  /free: {get: {operationId: free, parameters: [{name: note, in: query, example: n, schema: {type: string}}],
    responses: *all}}
  /notes/{noteId}: {parameters: [{name: noteId, in: path, required: true, schema: {type: string}}], patch: &change {
    operationId: change, requestBody: {content: {application/json: {example: {data: {id: n-9, folder: {id: f-1}}}}}},
    responses: *all}, put: {<<: *change, operationId: put}}
  /raw: {put: {operationId: raw, requestBody: {content: {image/png: {}}}, responses: *all}}
  /cards/{id}/notes: {parameters: [&id {name: id, in: path, required: true, example: 7, schema: {type: string}}],
    get: {operationId: notes, responses: *all}}
  /made: {post: {operationId: made, responses: *all}}
  /made/{id}/notes: {parameters: [*id], get: {operationId: ofMade, responses: *all}}
  /kinds/{id}/notes: {parameters: [{name: id, in: path, required: true, schema: {type: string, example: 7}}],
    get: {operationId: ofKind, responses: *all}}
  /others/{id}/notes: {parameters: [{name: id, in: path, required: true, schema: {type: string}},
    {name: q, in: query, required: true, example: 7, schema: {type: string}}],
      get: {operationId: ofOther, responses: *all}}
  /ends/{id}: {parameters: [*id, {name: note, in: query, example: n, schema: {type: string}}],
    get: {operationId: end, responses: *all}}
`

func TestARequestMayHaveMore(t *testing.T) {
	p, ops := specProber(t, parameterSpec)
	for op, want := range map[string]string{
		"make": "mode=b note=n more=m X-Mode=h flag=false kept=k label=l ", "raw": "", "made": "",
	} {
		got := ""
		for _, o := range optionsOf(ops[op], firstSample(ops[op])) {
			got += fmt.Sprintf("%s=%v ", o.name, o.value)
		}
		if got != want {
			t.Errorf("%s may have %s", op, got)
		}
	}
	for op, want := range map[string]bool{"notes": true, "ofMade": false, "ofKind": true, "ofOther": false,
		"end": false} {
		if p.isOfParent(ops[op]) != want {
			t.Errorf("%s is of a parent that nobody makes: %t", op, !want)
		}
	}
	for _, c := range []struct {
		op     string
		status int
		asked  int
	}{{"make", 400, 8}, {"make", 500, 1}, {"one", 400, 1}, {"raw", 400, 0}, {"end", 400, 0}, {"free", 400, 1}} {
		asked := 0
		lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, parameterSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				asked++
				return came(r, c.status, "application/json", "{}"), nil
			})
			p.offers(ops[c.op], firstSample(ops[c.op]))
		})
		if asked != c.asked {
			t.Errorf("%s answered %d: asked %d times", c.op, c.status, asked)
		}
	}
	options := []option{{"kind", "v", nil}, {"n", 7, nil}}
	for body, want := range map[string]bool{
		`{"kind":"v"}`: false, `{"kind":"V"}`: false, `{"kind":"w"}`: true, `{"n":8}`: false, `{"kind":["w"]}`: false,
		`{"list":[{"kind":"w"}]}`: false, `{"other":{"kind":"w"}}`: false, `{"data":{"id":"t-1","kind":"w"}}`: true,
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, parameterSpec)
			a := answer{p: p, route: ops["make"], req: p.good(ops["make"], sample{}), body: []byte(body)}
			p.heeds(&made{own: []string{"t-1"}}, a, options)
		})
		if got := len(lines) > 0; got != want {
			t.Errorf("%s: %q", body, lines)
		}
	}
}

func TestAParameterHasWhatIsKnownOfIt(t *testing.T) {
	p, ops := specProber(t, parameterSpec)
	p.learned = map[string]string{"id": "t-1", "thingId": "t-2", "label": "t-3"}
	for _, c := range []struct {
		in, name string
		ofParent bool
		want     string
	}{
		{"path", "id", false, "t-1"}, {"path", "id", true, "x"}, {"path", "thingId", true, "t-2"},
		{"path", "none", false, "x"},
		{"query", "thingId", false, "t-2"}, {"query", "label", false, "x"}, {"header", "thingId", false, "x"},
		{"query", "Idempotency-Key", false, "x"}, {"header", "X-Kind", false, "x"},
	} {
		param := &openapi3.Parameter{In: c.in, Name: c.name, Example: "x"}
		if got := p.valueOf(&operation{ofParent: c.ofParent}, param, sample{}); got != c.want {
			t.Errorf("%s in the %s is %s, want %s", c.name, c.in, got, c.want)
		}
	}
	data := &openapi3.Parameter{In: "header", Name: "X-Data", Content: openapi3.Content{
		"application/json": {Example: map[string]any{"kind": "v"}}}}
	if got := p.valueOf(&operation{}, data, sample{}); got != `{"kind":"v"}` {
		t.Errorf("a header with content is %s", got)
	}
	for ofParent, want := range map[bool]string{true: "t-1 n-1", false: "c-1 n-1"} {
		q, _ := specProber(t, parameterSpec)
		q.learned["id"] = "t-1"
		q.remembers(&made{by: &operation{ofParent: ofParent}, ids: map[string]string{"id": "c-1", "noteId": "n-1"}})
		if got := q.learned["id"] + " " + q.learned["noteId"]; got != want {
			t.Errorf("of a parent, %t: %s, want %s", ofParent, got, want)
		}
	}
	for op, want := range map[string]string{"change": `{"data":{"folder":{"id":"f-1"},"id":"n-1"}}`,
		"put": `{"data":{"folder":{"id":"f-1"},"id":"n-9"}}`} {
		req := p.build(ops[op], firstSample(ops[op]).under("noteId", "n-1"))
		if got, _ := io.ReadAll(req.Body); string(got) != want {
			t.Errorf("%s sends %s, want %s", op, got, want)
		}
	}
	for of, want := range map[string]bool{"GET thingId": true, "GET none": false, "DELETE none": false,
		"PUT none": true, "POST none": true} {
		method, param, _ := strings.Cut(of, " ")
		if p.known(&operation{Route: &routers.Route{Method: method}, params: []string{param}}) != want {
			t.Errorf("%s is known: %t", of, !want)
		}
	}
	key := p.valueOf(&operation{}, &openapi3.Parameter{In: "header", Name: "Idempotency-Key", Example: "x"}, sample{})
	if len(key) != len(newKey()) {
		t.Errorf("the key is %s", key)
	}
}

func TestCredentialsAreLongAndNew(t *testing.T) {
	const long, short = "0123456789abcdef", "0123456789abcde"
	p, _ := specProber(t, parameterSpec)
	p.authorize = func(r *http.Request) {
		r.Header = http.Header{"A": {"Bearer " + long + "1"}, "B": {long}, "C": {short}, "D": {"Bearer " + short},
			"Accept": {long + "2"}, "Known": {long + "3"}, "E": {strings.Repeat("k", 20)}}
	}
	req := p.request(http.MethodGet, "/", "", nil)
	req.Header.Set("Known", long+"3")
	want := fmt.Sprintf("map[%s:true %s1:true %s:true]", long, long, strings.Repeat("k", 20))
	if p.authorized(req); fmt.Sprint(p.secrets) != want {
		t.Errorf("secrets are %v", p.secrets)
	}
	got := codesIn([]byte(`{"code":"1","errorCode":null,"error":{"code":["2"],"status":3,"name":"4"}}`))
	if len(got) != 2 {
		t.Errorf("codes are %v", got)
	}
}
