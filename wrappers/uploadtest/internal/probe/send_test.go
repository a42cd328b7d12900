package probe

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// sendSpec is a provider's that hands out URLs of others and of its own.
const sendSpec = v1 + `
info: {title: Sends, version: '1'}
security: [{key: []}]
paths:
  /uploads: {post: {operationId: start, responses: &all {default: {description: All.,
    content: {application/json: {}}}}}, get: {operationId: list, responses: *all}}
  /uploads/{id}: {parameters: [&id {name: id, in: path, required: true, schema: {type: string}}],
    get: {operationId: look, responses: *all}, delete: {operationId: drop, responses: *all},
    post: {operationId: add, responses: *all}}
  /lists: {post: {operationId: listed, requestBody: {content: {application/json: {example: {files: [{name: a}]},
    schema: {type: object, properties: {files: {type: array,
      items: {type: object, properties: {name: {type: string}}}}}}}}},
    responses: *all}}
  /anything: {post: {operationId: anything, security: [], requestBody: {content: {image/png: {},
    application/json: {}, multipart/form-data: {}}}, responses: {default: {description: All.}}}}
  /ours/{id}: {parameters: [*id], put: {operationId: ours, responses: *all}}
  /references: {post: {operationId: refer, responses: *all,
    requestBody: {content: {application/json: {example: {uploadUuid: x}}}}}}
  /open/{id}: {parameters: [*id], put: {operationId: open, security: [], responses: *all}}
  /read/{id}: {parameters: [*id], get: {operationId: read, responses: *all},
    delete: {operationId: cut, responses: *all}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: Key}}}
`

func TestAURLTakesBytesIfNoOperationDoes(t *testing.T) {
	p, ops := specProber(t, sendSpec)
	for _, c := range []struct {
		by, url string
		want    bool
	}{
		{"start", "http://a.example/v1/open/1", true}, {"start", "http://a.example/v1/ours/1", false},
		{"start", "http://a.example/v1/ours/", false}, {"start", "http://a.example/v1/open", true},
		{"start", "http://a.example/v1/read/1", true}, {"start", "http://b.example/v1/ours/1", true},
		{"list", "http://b.example/1", true}, {"look", "http://b.example/1", false},
		{"add", "http://b.example/1", true},
		{"list", "http://b.example/file", false}, {"add", "http://b.example/file", true},
		{"refer", "http://b.example/file", false},
	} {
		p.issued["/v1/lists l-1"] = &made{files: []sentFile{{content: []byte("a file")}}}
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/file" {
				return came(r, http.StatusOK, "text/plain", "a file"), nil
			}
			return came(r, http.StatusOK, "application/json", `{"uploadUrl":"`+c.url+`"}`), nil
		})
		m := &made{by: ops[c.by], answer: p.ask(ops[c.by], p.good(ops[c.by], sample{}))}
		if got := len(p.outs(m)) == 1; got != c.want {
			t.Errorf("%s hands out %s: %t", c.by, c.url, got)
		}
	}
	announces := sample{typ: "application/json", object: map[string]any{"size": 1}, later: []byte("a")}.stating()
	for _, c := range []struct {
		s    sample
		to   string
		want bool
	}{{announces, "/v1/uploads/1", true}, {sample{}, "/v1/uploads/1", false}, {announces, "/v1/ours/1", false},
		{sample{}, "/v1/uploads/1/bytes", true}} {
		m := &made{sample: c.s, by: ops["start"], answer: answer{header: http.Header{"Location": {c.to}},
			req: p.good(ops["start"], sample{})}}
		if got := len(p.outs(m)) == 1; got != c.want {
			t.Errorf("the Location %s of a request with %v is a session: %t", c.to, c.s.object, got)
		}
	}
	for _, c := range []struct {
		said map[string]any
		want sentFile
	}{
		{map[string]any{"contentType": "a/b", "fileName": "a.txt", "id": "x/y"},
			sentFile{name: "a.txt", contentType: "a/b"}},
		{map[string]any{"fileType": "pdf", "path": "a/b"}, sentFile{}},
	} {
		if got := (&made{said: c.said}).announced(); got.name != c.want.name || got.contentType != c.want.contentType {
			t.Errorf("%v announces %q as %q", c.said, got.name, got.contentType)
		}
	}
	for _, c := range []struct {
		out  contract.HandedOut
		want bool
	}{
		{contract.HandedOut{URL: "http://a.example/k"}, true},
		{contract.HandedOut{URL: "http://a.example/k?sig=x"}, false},
		{contract.HandedOut{URL: "http://a.example/k?sig=x", Session: true}, true},
		{contract.HandedOut{URL: "http://a.example/k", Method: "PUT"}, false},
		{contract.HandedOut{URL: "http://a.example/k", Fields: map[string]string{}}, false},
	} {
		if isOpen(c.out) != c.want {
			t.Errorf("nothing says how %v is used: %t", c.out, !c.want)
		}
	}
}

// A session ends with an answer about what came of it. It may have another id.
func TestWhatIsSentMakesTheUpload(t *testing.T) {
	const session, other = "http://a.example/v1/uploads?session=1", "http://b.example/v1/uploads?session=1"
	for _, c := range []struct {
		what    string
		url     string
		ids     []string // of the session
		content string
		again   bool
		status  int // of the first answer; those with a key get 200
		body    string
		asked   int
		id      string // of the upload; empty: that of the session
		want    string // empty: nothing is wrong
	}{
		{what: "an id of its own", url: session, ids: []string{"s-1"}, content: "x", status: 200,
			body: `{"id":"f-1"}`, id: "f-1"},
		{what: "an id where the session has none", url: session, content: "x", status: 200,
			body: `{"size":1}`, id: "none"},
		{what: "the id of the session", url: session, ids: []string{"s-1"}, content: "x", status: 200,
			body: `{"id":"s-1"}`},
		{what: "no id", url: session, ids: []string{"s-1"}, content: "x", status: 200, body: `{"size":1}`},
		{what: "no JSON", url: session, content: "x", status: 204},
		{what: "an id of another host", url: "http://b.example/k?sig=x", ids: []string{"s-1"},
			content: "x", status: 200, body: `{"id":"f-1"}`},
		{what: "a session for those with a key", url: session, content: "x", status: 401, body: `{}`,
			asked: 2, id: "none"},
		{what: "a session on another host", url: other, content: "x", status: 401, asked: 1},
		{what: "a refusal to those without a key", url: "http://a.example/k?sig=x", content: "x", status: 401, asked: 1,
			want: "401 to the URL that it handed out"},
		{what: "a refusal", url: "http://b.example/k?sig=x", content: "x", status: 403, want: "403 to the URL"},
		{what: "a refusal of an empty file", url: "http://b.example/k?sig=x", status: 403},
		{what: "a refusal of a second file", url: "http://b.example/k?sig=x", content: "x", again: true, status: 403},
		{what: "a failure with an empty file", url: "http://b.example/k?sig=x", status: 500,
			want: "500 to an empty file"},
	} {
		asked, id := 0, ""
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, sendSpec)
			p.authorize = faulty.Header("Key", "k")
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				status := c.status
				if asked++; r.Header.Get("Key") != "" {
					status = 200
				}
				return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(c.body)), Request: r,
					Header: http.Header{"Content-Type": {"application/json"}}}, nil
			})
			begun := answer{p: p, route: ops["start"], req: httptest.NewRequest("POST", "/v1/uploads", nil), ids: c.ids}
			out := contract.HandedOut{URL: c.url, Session: strings.Contains(c.url, "session")}
			m := &made{by: ops["start"], answer: begun, outs: []contract.HandedOut{out}, ids: map[string]string{},
				waiting: !c.again, given: map[string]func(string) answer{}}
			m.later = []byte(c.content)
			p.sends(m, out)
			if m.answer.req != begun.req {
				id = cmp.Or(ownID(m.answer.body), "none")
			}
		})
		if c.asked != 0 && asked != c.asked || id != c.id {
			t.Errorf("%s: asked %d times, and the id is %q", c.what, asked, id)
		}
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// A server that takes what it must refuse is not read before the right request,
// since that would break another rule.
func TestEachURLThatIsHandedOutIsUsed(t *testing.T) {
	long, short := fmt.Sprint("PUT /k ", len(presignedContent)), "PUT /k 5"
	for _, c := range []struct {
		what  string
		outs  []contract.HandedOut
		takes string // a request that is taken, beside the right ones
		sends bool   // those are taken
		asked []string
		kept  int
	}{
		{"a URL", []contract.HandedOut{{URL: "http://b.example/k"}}, "", true,
			[]string{"GET look", long, "GET look", short, "GET look"}, 1},
		{"a URL that takes more", []contract.HandedOut{{URL: "http://b.example/k"}}, "PUT /kx", true,
			[]string{long, "GET look", short, "GET look"}, 1},
		{"a URL that takes nothing", []contract.HandedOut{{URL: "http://b.example/k"}}, "", false,
			[]string{"GET look", long}, 0},
		{"two URLs", []contract.HandedOut{{URL: "http://b.example/k"}, {URL: "http://b.example/k"}}, "", true,
			[]string{"GET look", long, "GET look", long}, 0},
		{"a session", []contract.HandedOut{{URL: "http://b.example/k", Session: true}}, "", true,
			[]string{"GET look", long, "GET look"}, 1},
	} {
		var asked []string
		spoiled := false
		lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, sendSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				status, it := http.StatusForbidden, r.Method+" "+r.URL.Path
				switch {
				case r.URL.Host == "a.example":
					status, it = http.StatusOK, "GET look"
				case it == "PUT /k" && r.ContentLength > 0:
					it += fmt.Sprint(" ", r.ContentLength)
					if c.sends {
						status = http.StatusOK
					}
				case it == c.takes:
					status = http.StatusOK
				}
				spoiled = spoiled || it == "PUT /kx"
				if it == long || it == short || it == "GET look" {
					asked = append(asked, it)
				}
				_, err := io.Copy(io.Discard, r.Body)
				return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("{}")), Request: r,
					Header: http.Header{"Content-Type": {"application/json"}}}, err
			})
			m := &made{by: ops["start"], outs: c.outs, ids: map[string]string{"id": "u-1"}, shown: map[string][]leaf{},
				given: map[string]func(string) answer{}}
			m.later, m.answer = presignedContent, answer{p: p, route: m.by,
				req: httptest.NewRequest("POST", "/v1/uploads", nil)}
			none := m.answer
			none.body = []byte(`{"method":"none"}`)
			if !p.handedOut(m) || p.handedOut(&made{by: m.by, answer: none}) {
				t.Errorf("%s is not handed out, or nothing is", c.what)
			}
			if len(p.kept) != c.kept {
				t.Errorf("%s: %d uploads are kept", c.what, len(p.kept))
			}
		})
		if asked = slices.Compact(asked); !slices.Equal(asked, c.asked) || !spoiled {
			t.Errorf("%s: asked %q, want %q", c.what, asked, c.asked)
		}
	}
	const grants = "what comes of a file"
	for body, want := range map[string]string{`{"urls":["http://b.example/k?sig=a"]}`: grants,
		`{"urls":["k?sig=a"]}`: "", `{"urls":["http://b.example/k"]}`: "", `{"url":"http://b.example/k?sig=a"}`: "",
		`{"downloadUrls":["http://b.example/k?sig=a"]}`: ""} {
		l := &lab.Logged{TB: t}
		lines := lab.Recorded(t, func(tb testing.TB) {
			l.TB = tb
			p, ops := specProber(l, sendSpec)
			p.transport, _ = answered(http.StatusOK)
			p.handedOut(&made{by: ops["list"], answer: answer{p: p, body: []byte(body)}})
			if ops["list"].grants != (want != "") {
				t.Errorf("%s grants: %t", body, want == "")
			}
		})
		got := l.Text.String()
		if !strings.Contains(got, want) || want == "" && got != "" || len(lines) != len(want)/len(grants) {
			t.Errorf("%s: %s %q", body, got, lines)
		}
	}
}
