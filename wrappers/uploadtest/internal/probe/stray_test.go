package probe

import (
	"net/http"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// nestSpec is a provider's whose things have parts.
const nestSpec = `
openapi: 3.0.3
info: {title: Nest, version: '1'}
servers: [{url: /v1}]
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}}, responses: &all {default: {description: All.}}}}
  /things/{thingId}/parts: {parameters: [&thing {name: thingId, in: path, required: true, schema: {type: string}}],
    post: {operationId: add, responses: *all}, get: {operationId: parts, responses: *all}}
  /things/{thingId}/parts/{partId}: {parameters: [*thing,
    &part {name: partId, in: path, required: true, schema: {type: string}}], get: {operationId: part, responses: *all},
    put: {operationId: put, responses: *all}}
  /things/{thingId}/others: {parameters: [*thing], get: {operationId: others, responses: *all}}
`

func TestAnUploadIsLookedForUnderAnotherParent(t *testing.T) {
	for _, c := range []struct {
		what, op, param string
		spoil           func(one, other *made)
		want            string
	}{
		{"a part", "part", "thingId", func(_, _ *made) {}, "t-2"}, {"their list", "parts", "thingId", func(_, _ *made) {}, "t-2"},
		{"the part itself", "part", "partId", func(_, _ *made) {}, ""},
		{"another list", "others", "thingId", func(_, _ *made) {}, ""},
		{"a part without a parent", "part", "thingId", func(one, _ *made) { delete(one.ids, "thingId") }, ""},
		{"parts of one parent", "part", "thingId", func(_, other *made) { other.ids["thingId"] = "t-1" }, ""},
		{"what waits, and another", "part", "thingId", func(one, _ *made) { one.waiting = true }, "t-1"},
		{"what was put", "part", "partId", func(one, other *made) { one.by, other.by = other.by, one.by }, ""},
	} {
		p, ops := specProber(t, nestSpec)
		one := &made{by: ops["add"], place: "/v1/things/t-1/parts", ids: map[string]string{"thingId": "t-1", "partId": "p-1"}}
		other := &made{by: ops["add"], place: "/v1/things/t-2/parts", ids: map[string]string{"thingId": "t-2", "partId": "p-2"}}
		p.kept = []*made{one, other}
		if c.spoil(one, other); c.what == "what was put" {
			one.by = ops["put"]
		}
		if _, id := p.elsewhere(ops[c.op], c.param); id != c.want {
			t.Errorf("%s is looked for under %q, want %q", c.what, id, c.want)
		}
	}
	// What is found there is still at its own place.
	lab.Recorded(t, func(tb testing.TB) {
		p, ops := specProber(tb, nestSpec)
		p.transport, _ = answered(http.StatusOK)
		m := &made{by: ops["add"], ids: map[string]string{"thingId": "t-1", "partId": "p-1"}}
		p.kept = []*made{m}
		if p.stray(ops["part"], m, "thingId", m.found().under("thingId", "t-2")); len(p.kept) != 1 {
			t.Error("what was found is forgotten")
		}
	})
}
