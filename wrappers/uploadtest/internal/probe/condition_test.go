package probe

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
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
  /alone/{thingId}: {post: {operationId: alone, parameters: [*match, *id], responses: *if}}
  /things/{thingId}/sound: {parameters: [*id], get: {operationId: hear, responses: *all},
    put: &put {operationId: sound, parameters: [*match, {name: If-None-Match, in: header, schema: {type: string}}],
    responses: *if}}
  /things/{thingId}/text: {parameters: [*id], put: {<<: *put, operationId: text}}
  /keys/{key}: {parameters: [{name: key, in: path, required: true, schema: {type: string}}],
    put: {<<: *put, operationId: place}}
`
	for _, c := range []struct {
		what, op, tag string
		own           int // to its own ETag
		other         int // to another
		kept          int
		asked, want   string
	}{
		{"all is right", "change", `"1"`, 200, 412, 2, "GET POST GET POST GET GET POST ", ""},
		{"its own ETag is wrong", "change", `"1"`, 412, 412, 2, "GET POST GET POST GET GET POST ",
			"412 to an If-Match with the ETag"},
		{"another ETag is right", "change", `"1"`, 200, 200, 2, "GET POST GET POST ", "200 to"},
		{"a weak ETag", "change", `W/"1"`, 200, 412, 2, "GET POST GET POST GET GET ", "or it is weak"},
		{"no ETag", "change", "", 200, 412, 2, "GET POST GET POST GET GET ", "no GET of its path gives one"},
		{"one upload", "change", `"1"`, 200, 412, 1, "", "its 412: there are no two"},
		{"no 412", "bare", `"1"`, 200, 412, 2, "", ""},
		{"no parameter", "none", `"1"`, 200, 412, 2, "", "its 412: it takes no"},
		{"a GET", "look", `"1"`, 200, 412, 2, "", ""},
		{"no GET", "alone", `"1"`, 200, 412, 2, "POST GET GET ", "no GET of its path gives one"},
		{"only one has a sound", "sound", `"1"`, 200, 412, 2, "GET GET PUT GET GET PUT GET GET PUT ", ""},
		{"none has a sound", "sound", "", 200, 412, 2, "GET GET GET GET ", "its If-None-Match: a GET of its path"},
		{"nobody tells of a text", "text", `"1"`, 200, 412, 2, "", "its If-Match: a GET of its path finds no upload"},
		{"each key is taken once", "place", `"1"`, 200, 412, 2, "PUT PUT PUT PUT GET GET ",
			"place: not seen: an If-Match with the right ETag: no GET of its path gives one"},
		{"a key is taken twice at once", "place", "", 200, 412, 2, "PUT PUT PUT PUT GET GET ",
			"200 to both of two requests at once with an If-None-Match of * for one new name"},
		{"a completion", "closing", `"1"`, 200, 412, 2, "", ""},
	} {
		asked, l, taken, mu := "", &lab.Logged{}, map[string]bool{}, sync.Mutex{}
		lines := lab.Recorded(t, func(tb testing.TB) {
			l.TB = tb
			p, ops := specProber(l, spec)
			ops["closing"] = ops["change"]
			ops["change"].closing, ops["sound"].single, ops["place"].once = c.op == "closing", true, true
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				mu.Lock()
				defer mu.Unlock()
				asked += r.Method + " "
				resp := came(r, http.StatusOK, "", "")
				match := r.Header.Get("If-Match") + r.Header.Get("If-None-Match")
				switch one, isSound := strings.CutSuffix(r.URL.Path, "/sound"); {
				case isSound && (c.tag == "" || one != "/v1/things/t-0"):
					resp.StatusCode = map[string]int{"GET": 404, "PUT": 200}[r.Method]
					return resp, nil
				case r.Method == http.MethodPut && !isSound && r.URL.Path != "/v1/keys/t-0": // a new one
					if taken[r.URL.Path] && c.tag != "" {
						resp.StatusCode = http.StatusPreconditionFailed
					}
					taken[r.URL.Path] = true
					return resp, nil
				}
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
				if p.kept[n].ids["key"] = fmt.Sprint("t-", n); c.op == "place" && n == 0 {
					p.kept[n].by = ops["place"]
				}
			}
			p.asksIf(ops[c.op])
		})
		if got := strings.Join(lines, "\n") + l.Text.String(); asked != c.asked || !strings.Contains(got, c.want) ||
			c.want == "" && got != "" {
			t.Errorf("%s: asked %s: %s", c.what, asked, got)
		}
	}
}
