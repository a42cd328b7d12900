package probe

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// nestSpec is a provider's whose things have parts.
const nestSpec = v1 + `
info: {title: Nest, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.}}},
    get: {operationId: things, responses: *all}}
  /things/{thingId}: {parameters: [{name: thingId, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *all}}
  /finds: {post: {operationId: find, responses: *all}, get: {operationId: finds, responses: *all,
    parameters: [{name: q, in: query, required: true, schema: {type: string}}]}}
  /things/{thingId}/parts: {parameters: [&thing {name: thingId, in: path, required: true, schema: {type: string}}],
    post: {operationId: add, responses: *all}, get: {operationId: parts, responses: *all}}
  /things/{thingId}/parts/{partId}: {parameters: [*thing,
    &part {name: partId, in: path, required: true, schema: {type: string}}], get: {operationId: part, responses: *all},
    put: {operationId: put, responses: *all}, delete: &drop {operationId: drop, responses: *all}}
  /things/{thingId}/parts/{partId}/file: {parameters: [*thing, *part],
    get: {operationId: kept, responses: {default: {description: It., content: {application/json: {}}}}},
    delete: {<<: *drop, operationId: wipe, description: It is no error when there is none.}}
  /things/{thingId}/files: {parameters: [*thing], get: {operationId: files, responses: *all}}
  /things/{thingId}/files/{thePart}: {parameters: [*thing, {<<: *part, name: thePart}],
    put: {operationId: lay, responses: *all}}
  /parts: {get: {operationId: all, responses: *all}}
  /things/{thingId}/others: {parameters: [*thing], get: {operationId: others, responses: *all}}
`

func TestAnUploadIsLookedForUnderAnotherParent(t *testing.T) {
	cameBy := func(place string) func(one, other *made) {
		return func(one, other *made) {
			one.by = &operation{Route: one.by.Route, path: "/things"}
			other.by, one.own = one.by, []string{"t-1"}
			one.place, other.place = place, "/v1/things"
		}
	}
	for _, c := range []struct {
		what, op, param string
		spoil           func(one, other *made)
		want            string
	}{
		{"a part", "part", "thingId", func(_, _ *made) {}, "t-2"},
		{"their list", "parts", "thingId", func(_, _ *made) {}, "t-2"},
		{"the part itself", "part", "partId", func(_, _ *made) {}, ""},
		{"another list", "others", "thingId", func(_, _ *made) {}, ""},
		{"a part without a parent", "part", "thingId", func(one, _ *made) { delete(one.ids, "thingId") }, ""},
		{"parts of one parent", "part", "thingId", func(_, other *made) { other.ids["thingId"] = "t-1" }, ""},
		{"a part that both have", "part", "thingId", func(_, other *made) { other.ids["partId"] = "p-1" }, ""},
		{"what waits, and another", "part", "thingId", func(one, _ *made) { one.waiting = true }, "t-1"},
		{"what was put", "part", "partId", func(one, other *made) { one.by, other.by = other.by, one.by }, ""},
		{"what came with a parent", "part", "thingId", cameBy("/v1/things"), "t-2"},
		{"a parent that came with a part", "look", "thingId", cameBy("/v1/things"), ""},
		{"what came with a parent elsewhere", "part", "thingId", cameBy("/v1/finds"), ""},
		{"what came twice", "part", "thingId", func(one, other *made) {
			cameBy("/v1/things")(one, other)
			other.own = one.own
		}, ""},
		{"what came with both", "part", "thingId", func(one, other *made) {
			cameBy("/v1/things")(one, other)
			other.ofFile = []map[string]string{{"partId": "p-1"}}
		}, "t-1"},
	} {
		p, ops := specProber(t, nestSpec)
		one := &made{by: ops["add"], place: "/v1/things/t-1/parts",
			ids: map[string]string{"thingId": "t-1", "partId": "p-1"}}
		other := &made{by: ops["add"], place: "/v1/things/t-2/parts",
			ids: map[string]string{"thingId": "t-2", "partId": "p-2"}}
		p.kept = []*made{one, other}
		if c.spoil(one, other); c.what == "what was put" {
			one.by = ops["put"]
		}
		if _, id := p.elsewhere(ops[c.op], c.param); id != c.want {
			t.Errorf("%s is looked for under %q, want %q", c.what, id, c.want)
		}
	}
	for other, want := range map[[2]string]string{{"t-1", "p-2"}: "make: not seen: an upload under another thingId",
		{"t-2", "p-2"}: "", {"t-2", "p-1"}: "", {}: ""} {
		l := &lab.Logged{TB: t}
		p, ops := specProber(l, nestSpec)
		p.transport, _ = answered(http.StatusNotFound)
		p.learned["thingId"] = "t-1"
		for _, id := range [][2]string{{"t-1", "p-1"}, other} {
			ids := map[string]string{"thingId": id[0], "partId": id[1]}
			p.kept = append(p.kept, &made{by: ops["add"], ids: ids})
		}
		if other[0] == "" {
			p.kept = nil
		}
		if p.strays(ops["part"]); !strings.Contains(l.Text.String(), want) || want == "" && l.Text.Len() > 0 {
			t.Errorf("beside one under %s: %s", other, &l.Text)
		}
	}
	// What is found there is still at its own place. So is what a DELETE of nothing may leave.
	for _, c := range []struct {
		op, body    string
		kept, lines int
	}{{"part", "", 1, 1}, {"drop", "", 0, 1}, {"wipe", "{}", 1, 0}, {"wipe", `{"deleted":true}`, 0, 1}} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, nestSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodDelete || c.body == "" {
					return came(r, http.StatusOK, "", ""), nil
				}
				return came(r, http.StatusOK, "application/json", c.body), nil
			})
			ops["kept"].succeeded = true
			m := &made{by: ops["add"], ids: map[string]string{"thingId": "t-1", "partId": "p-1"}}
			p.kept = []*made{m}
			if p.stray(ops[c.op], m, "thingId", m.found().under("thingId", "t-2")); len(p.kept) != c.kept {
				t.Errorf("%s: %d are kept, want %d", c.op, len(p.kept), c.kept)
			}
		})
		if len(lines) != c.lines {
			t.Errorf("%s of %s: %q", c.op, c.body, lines)
		}
	}
}

// What is still to come of an upload is late if it came of a later one.
func TestWhatIsStillToComeIsLate(t *testing.T) {
	for _, c := range []struct {
		what  string
		spoil func(m, other *made)
		want  bool
	}{
		{"a later one is there", func(_, _ *made) {}, true},
		{"a later one is not there", func(_, other *made) { delete(other.ids, "partId") }, false},
		{"an earlier one is there", func(m, other *made) { other.sent = m.sent.Add(-time.Second) }, false},
		{"one of another kind is there", func(m, other *made) { other.by = m.coming }, false},
		{"it was sent just now", func(m, other *made) {
			m.sent = time.Now()
			other.sent = m.sent.Add(time.Second)
		}, false},
		{"it is ready", func(m, _ *made) { m.unready = "" }, false},
		{"nothing is to come", func(m, _ *made) { m.coming = nil }, false},
		{"nobody gave any", func(m, _ *made) { m.coming.succeeded = false }, false},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, nestSpec)
			ops["part"].succeeded = true
			said := answer{p: p, route: ops["part"], req: p.good(ops["part"], sample{})}
			m := &made{by: ops["add"], sent: time.Now().Add(-time.Hour)}
			m.coming, m.unready, m.saidBy = ops["part"], "the answer is still 409", said
			other := &made{by: ops["add"], sent: m.sent.Add(time.Minute), ids: map[string]string{"partId": "p-2"}}
			c.spoil(m, other)
			p.kept = []*made{m, other}
			p.lags()
		})
		if got := len(lines) > 0; got != c.want {
			t.Errorf("%s: %q", c.what, lines)
		}
	}
}
