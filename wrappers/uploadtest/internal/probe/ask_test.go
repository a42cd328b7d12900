package probe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

const askSpec = v1 + `
info: {title: Asks, version: '1'}
paths:
  /things: {post: {operationId: make, requestBody: {content: {image/png: {}}},
    responses: {default: {description: All.}}}}
  /things/{id}: {parameters: [{name: id, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: {'200': {description: It., content: {text/plain: {schema: {format: binary}}},
      headers: {X-Always: {x-sent: always, schema: {type: string}}, X-Often: {schema: {type: string}},
      X-Trace-Id: {schema: {type: string}}}}, '304': {description: Same.}, default: {description: All.},
      '501': {description: No.}}}}
  /moves: {put: {operationId: move, responses: {'301': &all {description: There.}, '303': *all, '307': *all,
    '308': *all}}}
`

// A redirect of a PUT or a POST without a body may ask for the bytes at its
// Location. Others are followed: one of what was sent by the same request.
func TestARedirectIsFollowedOrAsksForTheBytes(t *testing.T) {
	const there = "/v1/there"
	for _, c := range []struct {
		method   string
		status   int
		location string
		sent     string
		forwards bool
		asked    string // and the Location that is known then
	}{
		{"PUT", 307, there, "", true, ""}, {"POST", 308, there, "", true, ""}, {"PATCH", 307, there, "", false, ""},
		{"PUT", 307, "", "", false, ""}, {"PUT", 303, "", "", false, ""}, {"GET", 307, there, "", false, "GET  k "},
		{"PUT", 309, there, "", false, ""}, {"PUT", 307, there, "x", false, "PUT x k "},
		{"PUT", 303, there, "", false, "GET  k http://a.example/v1/there"}, {"PUT", 301, there, "", false, ""},
		{"HEAD", 301, there, "", false, "GET  k "}, {"GET", 200, there, "", false, ""},
		{"PUT", 200, there, "x", false, ""}, {"GET", 301, "http://b.example/v1/there", "", false, "GET   "},
		{"GET", 301, there + "?sig=x", "", false, "GET   "},
	} {
		p, ops := specProber(t, askSpec)
		p.authorize = faulty.Header("Key", "k")
		asked := ""
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			asked += fmt.Sprintf("%s %s %s ", r.Method, faulty.Peek(r), r.Header.Get("Key"))
			return came(r, http.StatusOK, "text/plain", ""), nil
		})
		a := answer{p: p, route: ops["move"], req: p.authorized(p.request(c.method, "/moves", "text/plain",
			[]byte(c.sent))),
			status: c.status, header: http.Header{"Location": {c.location}}}
		forwards := a.forwards()
		if a = p.follow(a); asked != "" {
			asked += a.header.Get("Location")
		}
		if forwards != c.forwards || asked != c.asked {
			t.Errorf("%s %q: %d with Location %q: it forwards %t, and is followed by %q", c.method, c.sent, c.status,
				c.location, forwards, asked)
		}
	}
}

func TestAnAnswerIsHeldToWhatNoSchemaSays(t *testing.T) {
	const secret = "0123456789abcdef"
	for _, c := range []struct {
		what, op, method, path string
		status                 int
		header                 http.Header
		body                   string
		traces                 int
		want                   string
	}{
		{"a credential in a refusal", "look", "GET", "/1", 400, nil, "no " + secret, 0, "it shows the credentials"},
		{"one in a file", "look", "GET", "/1", 200, http.Header{"X-Always": {"a"}}, secret, 0, ""},
		{"a path in a file", "look", "GET", "/1", 200, http.Header{"X-Always": {"a"}, "Content-Type": {"text/plain"}},
			"open /srv/data/o", 0, ""},
		{"a path in a file behind a URL", "", "GET", "/1", 200, nil, "open /srv/data/o", 0, ""},
		{"a path in JSON behind a URL", "", "GET", "/1", 200, http.Header{"Content-Type": {"application/json"}},
			`{"a":"open /srv/data/o"}`, 0, "it shows a path of the server's machine"},
		{"a path in a refusal", "look", "GET", "/1", 400, http.Header{"Content-Type": {"text/plain"}},
			"open /srv/data/o", 0, "it shows a path of the server's machine"},
		{"no header", "look", "GET", "/1", 200, nil, "", 0, "header X-Always is missing"},
		{"a trace id", "look", "GET", "/1", 200, http.Header{"X-Always": {"a"}, "X-Trace-Id": {"t"}}, "", 1, ""},
		{"a header twice", "look", "GET", "/1", 200, http.Header{"X-Always": {"a", "a"}}, "", 0, "more than once"},
		{"a HEAD of no operation's", "", "HEAD", "/1", 400, nil, secret, 0,
			"Asks: look: response body: status 400: it shows"},
		{"a GET of no operation's", "", "GET", "/1", 400, nil, secret, 0,
			"Asks: no operation: response body: status 400: it shows"},
		{"a HEAD of another path", "", "HEAD", "/1/2", 400, nil, secret, 0,
			"Asks: no operation: response body: status 400"},
		{"a URL of an operation's", "make", "PUT", "/1", 400, nil, secret, 0, "(PUT to a URL from POST /v1/things)"},
		{"an operation's own path", "look", "GET", "/1", 400, nil, secret, 0, "(GET /v1/things/{id})"},
	} {
		var p *prober
		lines := lab.Recorded(t, func(tb testing.TB) {
			var ops map[string]*operation
			p, ops = specProber(tb, askSpec)
			p.secrets[secret] = true
			a := answer{p: p, route: ops[c.op], req: p.request(c.method, "/things"+c.path, "", nil), status: c.status,
				header: c.header}
			p.holds(a, p.contract.Operation(c.op), []byte(c.body))
		})
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) || c.want == "" && got != "" ||
			p.traces["t"] != c.traces {
			t.Errorf("%s: %d traces: %s", c.what, p.traces["t"], got)
		}
	}
}

func TestWhatIsWrongIsRefused(t *testing.T) {
	for _, c := range []struct {
		op     string
		status int
		says   bool
		want   bool // it is blamed
	}{
		{"look", 404, false, false}, {"look", 501, false, false}, {"make", 501, false, true}, {"", 501, false, true},
		{"look", 500, false, true}, {"look", 200, true, false}, {"look", 200, false, true}, {"look", 500, true, true},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, askSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				resp := came(r, c.status, "text/plain", "")
				resp.Header.Set("X-Always", "a")
				return resp, nil
			})
			p.lacks("aspect", "what is wrong", ops[c.op], p.request(http.MethodGet, "/things/1", "", nil),
				func([]byte) bool { return c.says })
		})
		if got := strings.Contains(strings.Join(lines, "\n"), "to what is wrong"); got != c.want {
			t.Errorf("%d by %q: %q", c.status, c.op, lines)
		}
	}
}

func TestWhatIsTheSameNeedNotComeAgain(t *testing.T) {
	const tag = `"1"`
	for _, c := range []struct {
		what, op, tag, elsewhere string
		same                     int    // the answer to its own ETag
		now                      string // the ETag in that
		other                    int
		asked                    int
		want                     string
	}{
		{"all is right", "look", tag, "", 304, tag, 200, 2, ""}, {"no ETag", "look", "", "", 304, tag, 200, 0, ""},
		{"on another host", "look", tag, "b.example", 304, tag, 200, 0, ""},
		{"elsewhere on its host", "look", tag, "a.example", 304, tag, 200, 2, ""},
		{"it comes again", "look", tag, "", 200, tag, 200, 2, "200 to an If-None-Match with the ETag that it gave"},
		{"it is changed", "look", tag, "", 200, `"2"`, 200, 2, ""},
		{"it is gone", "look", tag, "", 404, `"2"`, 200, 2, "404 to an"},
		{"another is the same", "look", tag, "", 304, tag, 304, 2,
			"304 to an If-None-Match with an ETag that it did not give"},
		{"no 304", "make", tag, "", 200, tag, 200, 0, ""},
	} {
		asked := 0
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, askSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				asked++
				resp := came(r, c.other, "text/plain", "x")
				resp.Header.Set("X-Always", "a")
				if r.Header.Get("If-None-Match") == tag {
					resp.StatusCode = c.same
					resp.Header.Set("ETag", c.now)
				}
				if resp.StatusCode != http.StatusOK {
					resp.Body = http.NoBody
				}
				return resp, nil
			})
			p.revalidates(answer{p: p, route: ops[c.op], req: p.request(http.MethodGet, "/things/1", "", nil),
				status: 200, header: http.Header{"Etag": {c.tag}, "Content-Type": {"text/plain"}}, body: []byte("x"),
				elsewhere: c.elsewhere})
		})
		if got := strings.Join(lines, "\n"); asked != c.asked || !strings.Contains(got, c.want) ||
			c.want == "" && got != "" {
			t.Errorf("%s: asked %d times: %s", c.what, asked, got)
		}
	}
}
