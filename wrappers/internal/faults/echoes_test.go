package faults

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// A server may repeat the request where nobody expects it. The caller's error
// has the status and the kind, and shows nothing of the request. The kit tests
// messages, and wire tests each way to escape or cut a secret.
func TestEchoes(t *testing.T) {
	say := func(format string) func(h *hit) string {
		return func(h *hit) string { return strings.ReplaceAll(format, "SECRET", secretOf(h.r)) }
	}
	body := func(status int, format string) fault {
		return func(h *hit) { answer(status, say(format)(h), "Content-Type", "application/json")(h) }
	}
	invalid := func(status int) want { return want{kinds: kinds(upload.ErrInvalid), status: status, tries: 1} }
	unusable := want{kinds: unavailable, status: 200, tries: 1}
	broken := want{kinds: unavailable, tries: 4}
	refused := want{kinds: unavailable, op: presigned, reached: 1}
	rows := []row{
		{name: "the code in JSON", at: requests, want: invalid(400), fault: func(h *hit) {
			answer(400, fmt.Sprintf(`{"error":{"errorCode":%[1]q,"name":%[1]q,"message":"Odd"}}`, secretOf(h.r)))(h)
		}},
		{name: "the code in XML", at: requests, want: invalid(400), fault: func(h *hit) {
			answer(400, "<Error><Code>"+html.EscapeString(secretOf(h.r))+"</Code></Error>")(h)
		}},
		{name: "details in JSON", at: requests, want: invalid(400), fault: body(400,
			`{"error":{"message":"Odd","details":"SECRET","payload":{"errors":["SECRET"],`+
				`"validationErrors":["SECRET"]}}}`)},
		{name: "Retry-After", at: requests, want: want{kinds: kinds(upload.ErrRateLimited), status: 429, tries: 4},
			fault: func(h *hit) { answer(429, "", "Retry-After", secretOf(h.r))(h) }},
		{name: "the path of a redirect", at: requests, want: want{kinds: unavailable, status: 302, tries: 1},
			fault: func(h *hit) {
				answer(302, "", "Location", say("https://elsewhere.example/SECRET?SECRET")(h))(h)
			}},
		{name: "the reason of a status", at: requests, want: invalid(400),
			fault: func(h *hit) { raw(say("HTTP/1.1 400 SECRET\nTRACE\nContent-Length: 0\n\n")(h))(h) }},
		{name: "a line that is no status line", at: requests, want: broken,
			fault: func(h *hit) { raw(say("SECRET\n\n")(h))(h) }},
		{name: "a header line without a colon", at: requests, want: broken,
			fault: func(h *hit) { raw(say("HTTP/1.1 200 OK\nSECRET\n\n")(h))(h) }},
		{name: "the length of a body", at: requests, want: broken,
			fault: func(h *hit) { raw(say("HTTP/1.1 200 OK\nContent-Length: SECRET\n\n")(h))(h) }},
		{name: "a fileId", at: []place{fileUpload}, want: unusable, fault: body(200,
			`{"fileId":["SECRET"],"uploadMethod":"PUT","uploadUrl":"https://elsewhere.example/"}`)},
		{name: "an uploadMethod", at: []place{fileUpload}, want: refused, fault: body(200,
			`{"fileId":"1","uploadMethod":"SECRET","uploadUrl":"http://127.0.0.1/?SECRET"}`)},
		{name: "an uploadUrl of another scheme", at: []place{fileUpload}, want: refused, fault: body(200,
			`{"fileId":"1","uploadMethod":"PUT","uploadUrl":"ftp://elsewhere.example/SECRET"}`)},
		{name: "an uploadUrl with user info", at: []place{fileUpload}, want: refused, fault: body(200,
			`{"fileId":"1","uploadMethod":"PUT","uploadUrl":"http://SECRET@elsewhere.example/"}`)},
		{name: "a number", at: []place{createFile}, want: unusable, fault: body(200,
			`{"tempRequestId":"t","files":[{"fileId":"f","fileSize":"SECRET"}]}`)},
		{name: "a key", at: []place{createFile}, want: unusable, fault: body(200,
			`{"SECRET":"SECRET","files":{"SECRET":1}}`)},
		{name: "what is no JSON", at: apiCalls, want: unusable, fault: body(200, `SECRET`)},
	}
	runAll(t, rows)
}

// secretOf returns a secret that the request carries.
func secretOf(r *http.Request) string {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return cmp.Or(token, r.Header.Get("X-Ncp-Iam-Access-Key"), r.URL.Query().Get("signature"))
}
