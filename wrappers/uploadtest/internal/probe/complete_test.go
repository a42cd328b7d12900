package probe

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// completeSpec is a provider's with several ways to complete an upload.
const completeSpec = v1 + `
info: {title: Completions, version: '1'}
paths:
  /files: {post: {operationId: start, requestBody: {content: {image/png: {}}},
    responses: &all {default: {description: All.}}}}
  /begin: {post: {operationId: begin, responses: {'201': {description: It., content: {application/json: {}}},
    default: {description: All.}}}}
  /seen/{k}: {parameters: &k [{name: k, in: path, required: true, schema: {type: string}}],
    put: {operationId: seen, responses: {'200': {description: It.}, '422': {description: Other bytes.}}}}
  /blind/{k}: {parameters: *k, put: {operationId: blind, responses: {'200': {description: It.}}}}
  /a/complete: {get: {operationId: state, responses: *all}, post: {operationId: body, requestBody: &body {content: {
    application/json: {example: {fileId: x, id: x, note: x, parts: 1}}}}, responses: *all}}
  /b/{bId}/complete: {post: {operationId: both, requestBody: *body, parameters: [{name: bId, in: path, required: true,
    schema: {type: string}}], responses: *all}}
  /c/complete: {post: {operationId: nothing, responses: *all}}
`

func TestAnUploadIsCompletedByWhatNamesIt(t *testing.T) {
	asked, status := "", http.StatusForbidden
	p, ops := specProber(t, completeSpec)
	p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		asked += r.Method + " " + r.URL.Path + "\n"
		return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
	})
	start := ops["start"]
	for _, c := range []struct {
		ids     map[string]string
		answer  []string
		found   string
		request string
	}{
		{map[string]string{"fileId": "f-1", "bId": "b-1"}, nil, "[body both]", "fileId:f-1 id:x note:x parts:1"},
		{map[string]string{"fileId": "f-1"}, []string{"f-1"}, "[body]", "fileId:f-1 id:f-1 note:x parts:1"},
		{map[string]string{"fileId": "f-1", "id": "a"}, []string{"f-1"}, "[body]", "fileId:f-1 id:a note:x parts:1"},
		{map[string]string{"fileId": "f-1"}, []string{"f-1", "f-2"}, "[body]", "fileId:f-1 id:x note:x parts:1"},
		{map[string]string{}, nil, "[]", "fileId:x id:x note:x parts:1"},
	} {
		m := &made{by: start, ids: c.ids, answer: answer{ids: c.answer}}
		if found := p.completions(m); found != nil {
			t.Errorf("of what has no URL for its file: %v", found)
		}
		m.outs = make([]contract.HandedOut, 1)
		var found []string
		for _, r := range p.completions(m) {
			found = append(found, r.name)
		}
		s := firstSample(ops["body"])
		if got := fmt.Sprint(s.replaced(m.identifying)); fmt.Sprint(found) != c.found || got != "map["+c.request+"]" {
			t.Errorf("%v: %v by %s", c.ids, found, got)
		}
	}
	// it hands out no URL
	for _, status = range []int{http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusOK} {
		asked = ""
		p.refusesToComplete(start, firstSample(start))
		p.growsLater(start, firstSample(start), []byte("large"))
		p.crosswise(start, firstSample(start))
		p.growsLater(ops["state"], sample{}, []byte("large"))
		p.growsLater(&operation{Route: start.Route, closing: true}, firstSample(start), []byte("large"))
		if asked != strings.Repeat("POST /v1/files\n", 4) {
			t.Errorf("after %d: %s", status, asked)
		}
	}
}

// Where the client says the place, that has a file, unless each place takes one once.
func TestAFileThatIsTooLargeGoesWhereAFileIs(t *testing.T) {
	for _, once := range []bool{false, true} {
		p, ops := specProber(t, readSpec)
		there := false
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			isLarge := string(faulty.Peek(r)) == "large"
			there = there || isLarge && r.URL.Path == "/v1/blobs/k-1"
			return came(r, map[bool]int{true: 413, false: 200}[isLarge], "text/plain", ""), nil
		})
		r := ops["put"]
		r.once = once
		p.kept = []*made{{by: r, ids: map[string]string{"key": "k-1"}, shown: map[string][]leaf{}},
			{by: ops["make"], ids: map[string]string{"id": "t-1"}, shown: map[string][]leaf{}}}
		p.growsNow(r, sample{typ: "text/plain", body: []byte("x")}, []byte("large"))
		if there == once {
			t.Errorf("each place takes one once: %t, and it goes where one is: %t", once, there)
		}
	}
}

func TestAFileThatIsTooLargeIsRefusedWithItsURLOrItsCompletion(t *testing.T) {
	const tooLarge, notTooLarge = "which is too large, is taken", "413 to a file of 4 bytes, which is not too large"
	for _, c := range []struct {
		begin, put, complete int // begin: of the largest
		want                 string
	}{{200, 200, 200, tooLarge}, {200, 200, 409, ""}, {200, 200, 500, tooLarge}, {200, 403, 200, ""},
		{413, 403, 200, notTooLarge}, {400, 403, 200, ""}} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, strings.ReplaceAll(completeSpec, "{description: All.}",
				"{description: All., content: {application/json: {}}}"))
			isLarge, n := false, 0
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				body, _ := io.ReadAll(r.Body)
				isLarge = isLarge || string(body) == "large"
				status := map[string]int{"/k": c.put, "/v1/a/complete": c.complete}[r.URL.Path]
				if status = cmp.Or(status, 200); !isLarge {
					status = map[string]int{`{"size":4}`: c.begin}[string(body)]
				}
				if r.URL.Path == "/v1/begin" {
					n++
				}
				return came(r, cmp.Or(status, 200), "application/json",
					fmt.Sprintf(`{"fileId":"f-%d","uploadUrl":"http://b.example/k"}`, n)), nil
			})
			s := sample{typ: "application/json", object: map[string]any{"size": 1}, schema: lab.SchemaOf(t, `{}`).Value}
			p.growsLater(ops["begin"], s, []byte("large"))
			if held := p.seen.Has("largest file"); held != (c.begin == 200) {
				t.Errorf("%d to the largest: held %t", c.begin, held)
			}
		})
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) || len(lines) > 1 ||
			c.want == "" && got != "" {
			t.Errorf("%d to the largest, %d to the file and %d to its completion: %q", c.begin, c.put,
				c.complete, lines)
		}
	}
}

// Where nothing completes an upload, its URL refuses other bytes, if their checksum is compared.
func TestTheURLOfAnUploadRefusesOtherBytes(t *testing.T) {
	const compared = "The service compares the SHA-256 with what came; if it differs, the PUT answers 422."
	const url = `{"uploadUrl":"http://a.example/v1/put/f-1"}`
	const wrong = "200 to an upload whose file is not the one that was announced, which must be refused by a 4xx (PUT "
	for _, c := range []struct {
		what, info, operation, member string
		answer                        string // empty: a Location
		begins                        string // the object of the request
		put                           int
		want                          string
	}{
		{"the member says so", "", "", compared, url, "sha256", 200, wrong},
		{"it is so", "", "", compared, url, "sha256", 422, ""},
		{"a session", "", "", compared, "", "sha256", 200, wrong},
		{"the operation says so", "", "One. " + compared + " No SHA256, no upload.", "", url, "sha256", 200, wrong},
		{"the spec says so", "One. " + compared, "", "", url, "sha256", 200, wrong},
		{"clients do it", "The sha256 lets you verify it.", "", "", url, "sha256", 200, ""},
		{"nobody says so", "", "", "", url, "sha256", 200, ""},
		{"no checksum", compared, compared, compared, url, "size", 200, ""},
		{"its URL has a 422", "", "", "", strings.Replace(url, "put/", "seen/", 1), "sha256", 200, wrong},
		{"its URL has none", "", "", "", strings.Replace(url, "put/", "blind/", 1), "sha256", 200, ""},
		{"another host's has", "", "", "", `{"uploadUrl":"http://b.example/v1/seen/f-1"}`, "sha256", 200, ""},
		{"its URL has a 422, and no checksum", "", "", "", strings.Replace(url, "put/", "seen/", 1), "size", 200, ""},
		{"its form is refused", "", "", "Anything but hex is refused.", url, "sha256", 200, ""},
		{"the first of two is so", "", "", compared,
			`{"uploads":[` + url + `,{"uploadUrl":"http://a.example/v1/put/f-2"}]}`, "sha256", 422, ""},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			p, ops := specProber(tb, completeSpec)
			p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
				resp := came(r, http.StatusCreated, "application/json", c.answer)
				if r.Method == http.MethodPut {
					resp = came(r, map[bool]int{true: 200, false: c.put}[strings.HasSuffix(r.URL.Path, "f-2")], "", "")
				} else if c.answer == "" {
					resp.Header.Set("Location", "/upload-sessions/f-1")
				}
				return resp, nil
			})
			r := ops["begin"]
			r.Spec.Info.Description, r.Operation.Description = c.info, c.operation
			schema := lab.SchemaOf(t, `{"properties":{"sha256":{"type":"string"},"size":{"type":"integer"}}}`).Value
			schema.Properties["sha256"].Value.Description = c.member
			s := sample{typ: "application/json", schema: schema, object: map[string]any{"sha256": "0"}}
			if c.begins == "size" {
				s.object = map[string]any{"size": 1}
			}
			p.refusesToComplete(r, s)
		})
		if got := strings.Join(lines, "\n"); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %s", c.what, got)
		}
	}
}

// A completion that was answered 202 is looked at later.
func TestACompletionFailsLater(t *testing.T) {
	const unknown = "done: not seen: what becomes of it: the answer is 202, and no later one tells of its end\n"
	const processing, link = `{"status":"processing"}`, `{"downloadUrl":"http://b.example/t-1"}`
	for _, c := range []struct {
		first string
		takes time.Duration
		last  string
		want  string
	}{
		{processing, 3 * time.Second, `{"status":"ready"}`, `: 202 to it, and its status is "ready" later`},
		{processing, 3 * time.Second, `{"status":"failed"}`, ""},
		{processing, 3 * time.Second, processing, unknown},
		{processing, 3 * time.Second, `{"status":"processing","done":"9%"}`, unknown},
		{`{"status":"awaiting_upload"}`, time.Second / 2, link, "its downloadUrl is "},
		{`{"status":"new"}`, time.Second / 2, `{"status":"ready"}`, `its status is "ready"`},
		{link, time.Second / 2, `{"downloadUrl":""}`, unknown}, // it was there when nothing was sent yet
	} {
		synctest.Test(t, func(t *testing.T) {
			l, began := &lab.Logged{}, time.Now()
			lines := lab.Recorded(t, func(tb testing.TB) {
				l.TB = tb
				p, ops := specProber(l, strings.ReplaceAll(readSpec, "All.}", "All., content: {application/json: {}}}")+
					`  /things/{id}/complete: {parameters: *id, post: {operationId: done, responses: {
    '409': {description: No.}, default: {description: All., content: {application/json: {}}}}}}`)
				p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
					said := map[bool]string{true: c.first, false: c.last}[time.Since(began) < c.takes]
					switch {
					case r.Method == http.MethodPost:
						return came(r, http.StatusAccepted, "application/json", "{}"), nil
					case r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/t-1"): // of another
						said = `{"status":"ready"}`
					}
					return came(r, http.StatusOK, "application/json", said), nil
				})
				p.staysOpen(&made{by: ops["make"], ids: map[string]string{"id": "t-1"},
					outs: make([]contract.HandedOut, 1), answer: answer{body: []byte(c.first)}}, "it")
			})
			got := strings.Join(lines, "\n") + strings.TrimPrefix(l.Text.String(), "Reads: ")
			if !strings.Contains(got, c.want) || c.want == "" && got != "" {
				t.Errorf("%s and then %s: %q", c.first, c.last, got)
			}
		})
	}
}
