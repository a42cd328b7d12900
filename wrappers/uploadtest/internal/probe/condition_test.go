package probe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestAConditionIsHeldToItsETag(t *testing.T) {
	const spec = v1 + `
info: {title: Conditions, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.}}}}
  /things/{thingId}: {parameters: [&id {name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, parameters: [&match {name: If-Match, in: header, schema: {type: string}}],
    responses: &if {default: {description: All.}, '412': {description: No.}}},
    post: {operationId: change, parameters: [{name: X-Kind, in: header, schema: {type: string}}, *match,
      {name: if-none-match, in: header, schema: {type: string}}], responses: *if},
    patch: {operationId: bare, parameters: [*match], responses: *all},
    delete: {operationId: none, responses: *if}}
  /alone/{thingId}: {parameters: [*id], post: {operationId: alone, parameters: [*match], responses: *if}}
`
	for _, c := range []struct {
		what, op, tag string
		own           int // to its own ETag
		other         int // to another
		kept          int
		asked, want   string
	}{
		{"all is right", "change", `"1"`, 200, 412, 2, "POST GET GET POST POST ", ""},
		{"its own ETag is wrong", "change", `"1"`, 412, 412, 2, "POST GET GET POST POST ",
			"412 to an If-Match with the ETag"},
		{"another ETag is right", "change", `"1"`, 200, 200, 2, "POST POST ", "200 to"},
		{"a weak ETag", "change", `W/"1"`, 200, 412, 2, "POST GET GET POST ", "its GET gives none"},
		{"no ETag", "change", "", 200, 412, 2, "POST GET GET POST ", "its GET gives none"},
		{"one upload", "change", `"1"`, 200, 412, 1, "", "its 412: there are no two"},
		{"no 412", "bare", `"1"`, 200, 412, 2, "", ""},
		{"no parameter", "none", `"1"`, 200, 412, 2, "", "its 412: it takes no"},
		{"a GET", "look", `"1"`, 200, 412, 2, "", ""},
		{"no GET", "alone", `"1"`, 200, 412, 2, "POST GET ", ""},
		{"a completion", "closing", `"1"`, 200, 412, 2, "", ""},
	} {
		asked, l := "", &lab.Logged{}
		lines := lab.Recorded(t, func(tb testing.TB) {
			l.TB = tb
			p, ops := specProber(l, spec)
			ops["closing"] = ops["change"]
			ops["change"].closing = c.op == "closing"
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				asked += r.Method + " "
				resp := came(r, http.StatusOK, "", "")
				match := r.Header.Get("If-Match") + r.Header.Get("If-None-Match")
				if resp.Header.Set("ETag", c.tag); match == c.tag && match != "" {
					resp.StatusCode = c.own
				} else if match != "" {
					resp.StatusCode = c.other
				}
				return resp, nil
			})
			for n := range c.kept {
				p.kept = append(p.kept, &made{by: ops["make"], ids: map[string]string{"thingId": fmt.Sprint("t-", n)},
					answer: answer{p: p}, shown: map[string][]leaf{}})
			}
			p.asksIf(ops[c.op])
		})
		if got := strings.Join(lines, "\n") + l.Text.String(); asked != c.asked || !strings.Contains(got, c.want) ||
			c.want == "" && got != "" {
			t.Errorf("%s: asked %s: %s", c.what, asked, got)
		}
	}
}
