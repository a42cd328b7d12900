package contract

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// words is a document with one operation. Its answers are of each kind.
const words = `
openapi: 3.0.3
info: {title: Words, version: '1'}
servers: [{url: 'https://{host}/v1', variables: {host: {default: a.example}}}]
paths:
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
      - {name: size, in: query, schema: {type: integer, maximum: 1}}
      - {name: page, in: query, schema: {type: integer}}
    put:
      operationId: put
      parameters:
        - {name: size, in: query, required: true, schema: {type: integer, maximum: 3}}
        - {name: flag, in: header, schema: {type: boolean}}
      requestBody:
        required: true
        content:
          application/json: {schema: {type: object, required: [name]}}
          application/x-words+json: {schema: {type: object}}
          text/plain: {schema: {type: string, minLength: 2}}
          text/*: {schema: {type: object}}
          image/*: {schema: {type: string, format: binary}}
          odd: {schema: {}}
      responses:
        '200':
          description: x
          headers:
            X-Left: {required: true, schema: {type: integer, minimum: 1}}
            X-Note: {schema: {type: string}}
            Content-Type: {schema: {type: string}}
          content:
            application/json: {schema: {type: object, required: [name]}}
        '204': {description: x}
        '206': {description: x, x-source: documented}
        '207': {description: x, x-source: observed}
        '303': {description: x}
        3XX: {description: x, content: {application/json: {schema: {type: object}}}}
        default: {description: x, headers: {X-Left: {schema: {type: integer}}}}
`

func TestAnAnswerIsHeldToItsStatus(t *testing.T) {
	rules := parsed(t, []byte(words)).Operation("put").Rules
	const json = "application/json"
	for _, c := range []struct {
		method          string
		status          int
		left, typ, body string // body "-": not looked at
		want            string
	}{
		{"PUT", 200, "1", json, `{"name":1}`, ""},
		{"PUT", 200, "1", json + "; charset=utf-8", `{"name":1}`, ""},
		{"PUT", 200, "1", "", "-", ""},
		{"PUT", 200, "", json, `{"name":1}`, `response header: status 200: response header "X-Left" missing`},
		{"PUT", 200, "x", json, "-", `response header: status 200: unable to decode header "X-Left" value: value x`},
		{"PUT", 200, "0", json, "-", "response header: status 200: at /: number must be at least 1"},
		{"PUT", 200, "1", json, `{}`, `response body: status 200: at /name: property "name" is missing`},
		{"PUT", 200, "1", json, `{`, "response body: status 200: failed to decode response body"},
		{"PUT", 200, "1", json, "", "response body: status 200: failed to decode response body"},
		{"PUT", 200, "1", "text/html", "x",
			`response body: status 200: response header Content-Type has unexpected value: "text/html"`},
		{"HEAD", 200, "", "", "", ""},
		{"PUT", 204, "", "", "", ""},
		{"PUT", 204, "", json, "x", "response body: 1 bytes, but status 204 declares no body"},
		{"PUT", 204, "", json, "-", ""},
		{"PUT", 206, "", json, "x", "response body: 1 bytes, but status 206 declares no body"},
		{"PUT", 207, "", json, "x", ""},
		{"PUT", 303, "", "text/html", "x", ""},
		{"PUT", 302, "", json, "x", "response body: status 302: failed to decode response body"},
		{"PUT", 301, "", json, "x", ""},
		{"PUT", 304, "", json, "x", ""},
		{"PUT", 307, "", json, "x", ""},
		{"PUT", 308, "", json, "x", ""},
		{"PUT", 404, "", "", "", ""},
		{"PUT", 404, "x", "", "", `response header: status 404: unable to decode header "X-Left"`},
	} {
		header := http.Header{}
		for name, value := range map[string]string{"X-Left": c.left, "Content-Type": c.typ} {
			if value != "" {
				header.Set(name, value)
			}
		}
		body := &Text{Bytes: []byte(c.body)}
		if c.body == "-" {
			body = nil
		}
		rule, got := rules.Response(httptest.NewRequest(c.method, "/", nil), c.status, header, body)
		if got != "" {
			got = rule + ": " + got
		}
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s answered %d as %q with X-Left %q and %q: %q, want %q",
				c.method, c.status, c.typ, c.left, c.body, got, c.want)
		}
	}
}

func TestARequestIsHeldToItsParametersAndItsBody(t *testing.T) {
	c := parsed(t, []byte(words))
	const json, good = "application/json", "size=3"
	for _, tc := range []struct{ query, flag, typ, body, want string }{
		{good, "", json, `{"name":1}`, ""},
		{good, "true", json, `{"name":1}`, ""},
		{"", "", json, "{}", `request parameter: query parameter "size": value is required but missing`},
		{"size=", "", json, "{}", `request parameter: query parameter "size": empty value is not allowed`},
		{"size=&size=3", "", json, `{"name":1}`, ""},
		{"size=4", "", json, "{}", `request parameter: query parameter "size": at /: number must be at most 3`},
		{"size=x", "", json, "{}", `request parameter: query parameter "size": value x: an invalid integer`},
		{good + "&page=x", "", json, "{}", `request parameter: query parameter "page": value x: an invalid integer`},
		{good, "x", json, "{}", `request parameter: header parameter "flag": value x: an invalid boolean`},
		{good, "", json, "{}", `request body: at /name: property "name" is missing`},
		{good, "", json, "{", "request body: failed to decode request body"},
		{good, "", "", "", "request body: value is required but missing"},
		{good, "", "application/x-words+json", "{}", ""},
		{good, "", "Text/Plain; charset=utf-8", "xx", ""},
		{good, "", "text/plain", "x", "request body: at /: minimum string length is 2"},
		{good, "", "text/csv", "x", `request body: failed to decode request body: unsupported content type "text/csv"`},
		{good, "", "image/png", "x", ""},
		{good, "", "odd", "x", ""},
		{good, "", "even", "x", `request body: header Content-Type has unexpected value "even"`},
		{good, "", "audio/x", "x", `request body: header Content-Type has unexpected value "audio/x"`},
	} {
		r := sized("PUT", "/v1/things/a?"+tc.query, tc.typ, tc.body)
		if tc.flag != "" {
			r.Header.Set("Flag", tc.flag)
		}
		if got, _ := looked(c, r, Watch{}); (got == "") != (tc.want == "") || !strings.HasPrefix(got, tc.want) {
			t.Errorf("?%s, flag %q, %q as %q: %q, want %q", tc.query, tc.flag, tc.body, tc.typ, got, tc.want)
		}
	}
}
