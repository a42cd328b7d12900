package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestAChangeIsHeldToWhatItNames(t *testing.T) {
	const spec = v1 + `
info: {title: Changes, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.,
    content: {application/json: {}}}}}, get: {operationId: list, responses: *all}}
  /things/{thingId}: {parameters: [{name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *all}, patch: {operationId: patch, requestBody: {content: {application/json: {
    example: {label: August, tags: [x], title: T, checksum: c},
      schema: {type: object, properties: {label: {type: string},
    state: {type: string}, title: {type: string}, checksum: {type: string},
      tags: {type: array, items: {type: string}}}}}}},
    responses: *all}}
  /papers/{thingId}: {parameters: [{name: thingId, in: path, required: true, schema: {type: string}}],
    get: {responses: *all}, patch: {operationId: revise, requestBody: {content: {application/json: {
    examples: {a: {value: {data: {attributes: {label: August}}}}, b: {value: {data: {attributes: {title: T}}}}},
    schema: {type: object, properties: {data: {type: object, properties: {attributes: {type: object,
    properties: {label: {type: string}, title: {type: string}}}}}}}}}}, responses: *all}}
  /jobs/{thingId}: {parameters: [{name: thingId, in: path, required: true, schema: {type: string}}],
    get: {responses: *all}, patch: {operationId: move, requestBody: {content: {application/json: {
    examples: {a: {value: {title: T}}, b: {value: {state: done}}}, schema: {type: object, properties: {
    title: {type: string}, state: {type: string}}}}}}, responses: *all}}
`
	for _, c := range []struct {
		what, before, after, list string
		status                    int
		want                      string
		listed                    bool
		files                     int
		then                      string // after the second change
		op                        string
	}{
		{what: "all is right", before: `{"label":"July","size":1}`, after: `{"label":"August","size":1}`,
			list: `August`, listed: true},
		{what: "nothing is changed", before: `{"label":"July"}`, after: `{"label":"July"}`,
			want: `label is still "July" after`},
		{what: "it is so already", before: `{"label":"August"}`, after: `{"label":"August"}`},
		{what: "it is changed later", before: `{"label":"July"}`, after: `{"label":"July"}`, status: 202},
		{what: "it is refused", before: `{"label":"July"}`, after: `{"label":"July"}`, status: 409},
		{what: "another is reset", before: `{"label":"July","size":1}`, after: `{"label":"August","size":2}`,
			want: "size is not what it was", listed: true},
		{what: "another is gone", before: `{"label":"July","size":1}`, after: `{"label":"August"}`,
			want: "size is not what it was", listed: true},
		{what: "a part of another is reset", before: `{"size":{"x":1}}`, after: `{"size":{"x":2}}`,
			want: "size.x is not what it was"},
		{what: "a counter goes on", before: `{"label":"July","views":1}`, after: `{"label":"August","views":2}`,
			listed: true},
		{what: "what was not said is not changed", before: `{"title":"a"}`, after: `{"title":"a"}`,
			want: `title is still "a" after`},
		{what: "what nobody may set", before: `{"checksum":"a"}`, after: `{"checksum":"a"}`},
		{what: "a list in another order", before: `{"parts":["a","b"]}`, after: `{"parts":["b","a"]}`},
		{what: "a list is empty", before: `{"links":[]}`, after: `{"links":[]}`},
		{what: "a list of no files ends", before: `{"links":["a","b"]}`, after: `{"links":[]}`, files: 1},
		{what: "a counter ends", before: `{"views":1}`, after: `{}`, files: 1},
		{what: "the list of the files ends", before: `{"links":["a"]}`, after: `{"links":[]}`, files: 1,
			want: "links has no files any more"},
		{what: "a list of steps ends", before: `{"links":[{"url":"a","headers":[{"name":"b"}]}]}`,
			after: `{"links":[]}`, files: 1},
		{what: "a list of objects with names ends", before: `{"links":[{"name":"a"}]}`, after: `{"links":[]}`, files: 1,
			want: "links has no files any more"},
		{what: "a list of other length", before: `{"tags":["a","b"]}`, after: `{"tags":["x"]}`},
		{what: "nothing is found any more", before: `{"label":"July"}`, after: ""},
		{what: "the list is old", before: `{"label":"July"}`, after: `{"label":"August"}`, list: "July",
			want: `label is still "July" in the list`, listed: true},
		{what: "the list follows", before: `{"label":"July"}`, after: `{"label":"August"}`, list: "July August",
			listed: true},
		{what: "what the first change named is reset", before: `{"title":"a"}`, after: `{"title":"T"}`,
			then: `{"title":""}`, want: "title is not what it was", listed: true},
		{what: "a state resets what a change named", before: `{"title":"a"}`, after: `{"title":"T"}`,
			then: `{"title":""}`, op: "move", listed: true},
		{what: "what is wrapped is not changed", before: `{"data":{"id":"t-1","attributes":{"label":"July"}}}`,
			after: `{"data":{"id":"t-1","attributes":{"label":"July"}}}`, op: "revise",
			want: `label is still "July" after`},
		{what: "what is wrapped is reset by the second example",
			before: `{"data":{"id":"t-1","attributes":{"label":"July","title":"a"}}}`,
			after:  `{"data":{"id":"t-1","attributes":{"label":"August","title":"a"}}}`,
			then:   `{"data":{"id":"t-1","attributes":{"label":"","title":"T"}}}`, op: "revise",
			want: "label is not what it was", listed: true},
	} {
		listed, patches := false, 0
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, spec)
			first, then, changes := strings.Cut(c.list, " ")
			p.inVain["list after a PATCH"] = !changes // it is not awaited
			body := c.before
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPatch {
					patches++
				}
				switch {
				case r.Method == http.MethodPatch && c.status != 0:
					return came(r, c.status, "application/json", "{}"), nil
				case r.Method == http.MethodPatch:
					body, c.after = c.after, cmp.Or(c.then, c.after)
				case r.URL.Path == "/v1/things":
					said := fmt.Sprintf(`[{"id":"t-1","label":%q}]`, first)
					listed, first = true, cmp.Or(then, first)
					return came(r, http.StatusOK, "application/json", said), nil
				case body == "":
					return came(r, http.StatusNotFound, "application/json", "{}"), nil
				}
				return came(r, http.StatusOK, "application/json", body), nil
			})
			p.kept = []*made{{by: ops["make"], ids: map[string]string{"thingId": "t-1"}, own: []string{"j-1"},
				files: make([]sentFile, c.files),
				said:  map[string]any{"label": "July", "size": 1, "parts": 1, "tags": 1}},
				{by: ops["make"], ids: map[string]string{"thingId": "t-2"},
					said: map[string]any{"label": "August", "tags": 1, "a": 1, "b": 1, "c": 1, "d": 1}}}
			p.patches(ops[cmp.Or(c.op, "patch")])
			p.patches(ops["look"])
		})
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) || c.want == "" && got != "" ||
			listed != c.listed ||
			patches != 2 {
			t.Errorf("%s: %d changes, listed %t: %s", c.what, patches, listed, got)
		}
	}
}

// A PATCH without an example changes what it may, to what the spec allows.
func TestAChangeIsMadeUp(t *testing.T) {
	p, ops := specProber(t, v1+`
info: {title: Changes, version: '1'}
paths:
  /files: {post: {requestBody: {content: {image/png: {}}}, responses: {default: {description: All.}}}}
  /things: {post: {operationId: make, requestBody: &body {content: {application/json: {schema: {type: object,
    properties: {title: {type: string}, label: {type: string, pattern: '^[0-9]$'}, size: {type: integer}}}}}},
    responses: &all {default: {description: All.}}}}
  /things/{id}: {parameters: [{name: id, in: path, required: true, schema: {type: string}}],
    patch: {operationId: patch, requestBody: *body, responses: *all}}
`)
	if made := firstSample(ops["make"]).object; len(made) > 0 {
		t.Errorf("a POST sends %v", made)
	}
	if changes := firstSample(ops["patch"]).object; len(changes) != 1 || changes["title"] == nil {
		t.Errorf("a PATCH sends %v", changes)
	}
	id := func(id string) map[string]any { return map[string]any{"id": id} }
	with := firstSample(ops["patch"]).of(map[string]any{"id": "a", "data": id("b"), "owner": id("c")}, "")
	with.params = map[string]string{"id": "t-1"}
	got := string(p.identified(ops["patch"], with).body)
	if got != `{"data":{"id":"t-1"},"id":"a","owner":{"id":"c"}}` {
		t.Errorf("a PATCH tells what it changes by %s", got)
	}
}
