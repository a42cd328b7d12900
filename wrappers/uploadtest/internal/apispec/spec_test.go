package apispec

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestASpecThatCannotBeUsed(t *testing.T) {
	depot := string(lab.DepotSpec)
	changed := func(old, other string) string { return strings.Replace(depot, old, other, 1) }
	const head = "openapi: 3.0.3\ninfo: {title: x, version: '1'}\nservers: [{url: /v1}]\n"
	const plain = "paths: {/a: {get: {responses: {'200': {description: x}}}}}\n"
	for _, c := range []struct{ name, spec, want string }{
		{"a text", "hello", "it is no OpenAPI document: neither YAML nor JSON with members such as openapi and paths"},
		{"nothing", "\n", "it is empty"},
		{"half a document", "{\n\"openapi\": \"3.0\n", "line 2: the text ends in the middle of its JSON"},
		{"JSON that is none", `{"openapi":]`,
			"it is no OpenAPI document: neither YAML nor JSON with members such as openapi and paths"},
		{"a page", "<html>\na: b: c", "it is no OpenAPI document: it begins with <, as HTML and XML do"},
		{"YAML that is none", "openapi: 3.0.3\n  info: [", "line 2: mapping values are not allowed in this context"},
		{"Swagger 2", "swagger: '2.0'\npaths: {}\n",
			"at /openapi: no version is stated, and only OpenAPI 3.0 is understood, not Swagger 2.0"},
		{"OpenAPI 3.1", changed("3.0.3", "3.1.0"), `at /openapi: version "3.1.0", but only OpenAPI 3.0 is understood`},
		{"a type of 3.1", changed("name: {type: string}", "name: {type: [string, 'null']}"),
			`invalid components: response "Object": an array of types is for OpenAPI >=3.1; ` +
				`before that type MUST be a single string`},
		{"no operation", head + "paths: {}\n", "at /paths: there is no operation"},
		{"no server", changed("servers:", "x-servers:"),
			"at /servers: there is none, and no base path is given instead"},
		{"an address that is none", changed("https://{host}/v2", "http://[::1"),
			`at /servers: "http://[::1" is no URL`},
		{"an empty body", head + "paths: {/a: {post: {operationId: a, requestBody: {content: {text/plain: }}," +
			" responses: {'200': {description: x}}}}}\n", "a: its body text/plain is declared, but empty"},
		{"an empty answer", head + "paths: {/a: {get: {operationId: a, responses: {'200': {description: x, " +
			"content: {text/plain: }}}}}}\n", "a: its answer text/plain is declared, but empty"},
		{"a server of null", strings.Replace(head, "{url: /v1}", "null", 1) + plain,
			"at /servers: one of them, or a variable of one, is empty"},
		{"a variable of null", strings.Replace(head, "{url: /v1}", "{url: '/{v}', variables: {v: null}}", 1) +
			plain,
			"at /servers: one of them, or a variable of one, is empty"},
		{"another document", changed("'#/components/schemas/Announcement'", "'other.yaml#/A'"),
			"line 18: it refers to another document, \"other.yaml#/A\", and only references within the spec are read"},
		{"a reference to nothing", changed("schemas/Announcement'", "schemas/None'"),
			"line 18: it refers to \"#/components/schemas/None\", which is not there"},
		{"a tab", head + "paths:\n\t/a: 1\n", "line 5: found a character, such as a tab, that cannot start any token"},
		{"a key twice", head + "paths: {}\npaths: {}\n", `line 5: mapping key "paths" already defined at line 4`},
		{"a version that is a number", strings.Replace(head, "'1'", "1", 1) + plain,
			"at Info.version: it is a number and must be a string"},
	} {
		want := "uploadtest: the spec cannot be used: " + c.want
		if _, err := Parse([]byte(c.spec), "", false); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestASpecMayLeaveTheFileOutOfAnExample(t *testing.T) {
	spec := strings.Replace(lab.ShelfSpec, ", papers: [first paper]}", "}", 1)
	if _, err := Parse([]byte(spec), "", false); err != nil {
		t.Error(err)
	}
}

func TestFilesAreTakenByFormsRawBodiesAndURLs(t *testing.T) {
	operation := func(text string) string {
		return "openapi: 3.0.3\ninfo: {title: x, version: '1'}\nservers: [{url: /v1}]\npaths: {/a: {post: " + text +
			"}}\n"
	}
	for spec, want := range map[string]bool{
		operation("{requestBody: {content: {multipart/form-data: {schema: {type: object}}}}, responses: {'200': " +
			"{description: x}}}"): true,
		operation("{requestBody: {content: {image/png: {schema: {type: string, format: binary}}}}, responses: " +
			"{'200': {description: x}}}"): true,
		operation("{responses: {'200': {description: x, content: {application/json: {schema: {type: object, " +
			"properties: {uploadUrl: {type: string}}}}}}}}"): true,
		operation("{responses: {'201': {description: x, headers: {Location: {schema: {type: string}}}}}}"): true,
		operation("{requestBody: {content: {application/json: {schema: {type: object}}}}, responses: {'200': " +
			"{description: x}}}"): false,
		operation("{responses: {'200': {description: x, content: {application/json: {schema: {type: object, " +
			"properties: {state: {type: string}}}}}}}}"): false,
		operation("{responses: {'200': {description: x, content: {application/json: {schema: {additionalProperties: " +
			"{properties: {href: {}}}}}}}}}"): true,
	} {
		_, err := Parse([]byte(spec), "", false)
		if got := err == nil || !strings.Contains(err.Error(), "no operation takes a file"); got != want {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func TestABaseURLHasAHost(t *testing.T) {
	for _, address := range []string{"/v2", "http://a b/v2"} {
		lab.Named(t, lab.Recorded(t, func(tb testing.TB) {
			ParseAt(tb, address, lab.DepotSpec)
		}), "the base URL cannot be parsed")
	}
	for address, base := range map[string]string{"http://a.example": "", "http://a.example/v3/": "/v3"} {
		if c, host := ParseAt(t, address, lab.DepotSpec); host != "a.example" || c.Bases[0] != base {
			t.Errorf("%s: %s, %q", address, host, c.Bases)
		}
	}
	lab.Named(t, lab.Recorded(t, func(tb testing.TB) { ParseAt(tb, "http://a.example", nil) }), "it is empty")
	l := &lab.Logged{TB: t}
	ParseAt(l, "http://a.example/v3", lab.DepotSpec)
	ParseAt(l, "http://a.example", bytes.Replace(lab.DepotSpec, []byte("servers:"), []byte("x-servers:"), 1))
	const want = "uploadtest: at /servers: the spec names none, so \"http://a.example\" is taken for its only one\n"
	if got := l.Text.String(); got != want {
		t.Errorf("the log is %q, want %q", got, want)
	}
}

func TestASpecIsAskedAboutItsOperations(t *testing.T) {
	c := parsed(t, []byte(`
openapi: 3.0.3
info: {title: x, version: '1'}
servers: [{url: /}]
paths:
  /a:
    post:
      operationId: make
      requestBody:
        content:
          image/*: {schema: {type: string, format: binary}}
          multipart/form-data:
            schema: {type: object, properties: {file: {type: string, format: binary}, other: {}}}
            encoding: {file: {contentType: 'text/plain, image/*'}, other: {style: form}}
      responses:
        '201': {description: x, content: {application/json: {schema: {type: object, required: [id],
          properties: {u: {type: string, format: uuid}}}}}}
        '202': {description: x, content: {application/json: {}}}
        '400': {description: x, content: {application/json: {examples: {b: {value: {n: 1}}, a: {value: [2]}}}}}
        '4XX': {description: x, content: {text/plain: {}}}
    get: {operationId: any, responses: &x {default: {description: x}}}
    delete: {operationId: wipe, responses: *x}
  /a/{n}: {delete: {operationId: drop, parameters: [{name: n, in: path, required: true, schema: {}}], responses: *x}}
  /b/{n}/c/{s}:
    put:
      operationId: put
      parameters:
        - &n {name: n, in: path, required: true, schema: {type: integer}}
        - &s {name: s, in: path, required: true, schema: {type: string}}
        - {name: q, in: query, content: {text/plain: {}}}
      responses: {default: {description: x}}
  /v{n}-{s}.json: {get: {operationId: see, parameters: [*n, *s], responses: {default: {description: x}}}}
`))
	order := ""
	for _, r := range c.Routes {
		order += r.Operation.OperationID + " "
	}
	if order != "make put any see drop wipe " {
		t.Errorf("the operations come as %s", order)
	}
	for _, ask := range []struct{ op, uri, want string }{
		{"put", "/v1/b/7/c/x%20y?q=z", "map[n:7 q:z s:x%20y]"}, {"put", "/b/7/c/", "map[]"},
		{"any", "/a?p=1", "map[p:1]"},
		{"see", "/v1/v2-3-a.json", "map[n:2-3 s:a]"}, {"see", "/v2-.json", "map[]"}, {"see", "/v2-3.jso", "map[]"},
		{"none", "/b?q=z", "map[:/b q:z]"},
	} {
		if got := fmt.Sprint(c.Values(ask.op, ask.uri)); got != ask.want {
			t.Errorf("%s of %s has %s, want %s", ask.uri, ask.op, got, ask.want)
		}
	}
	for name, want := range map[string]bool{"n": true, "s": false, "q": false, "m": false} {
		if c.IsInteger("put", name) != want || c.IsInteger("none", name) {
			t.Errorf("%s is an integer: %t", name, !want)
		}
	}
	for _, ask := range []struct {
		op     string
		status int
		answer string
		want   bool
	}{
		{"make", 201, `{"id":1}`, true}, {"make", 201, `{}`, false}, {"make", 201, `{"id"`, false},
		{"make", 201, `{"id":1,"u":"7"}`, false},
		{"make", 201, `{"id":1,"u":"0F8fad5b-d9cb-469f-a165-70867728950e"}`, true},
		{"make", 202, `{}`, true}, {"make", 202, `{`, false}, {"make", 404, `{}`, false}, {"make", 500, `{}`, false},
		{"none", 201, `{"id":1}`, false},
	} {
		if got := c.Allows(ask.op, ask.status, []byte(ask.answer)); got != ask.want {
			t.Errorf("%s allows %d %s: %t", ask.op, ask.status, ask.answer, got)
		}
	}
	for status, want := range map[int]string{202: `["uploadtest"]`, 400: `[[2] [2] {"n":1}]`, 404: `[]`} {
		if got := fmt.Sprintf("%s", c.Answers("make", status)); got != want {
			t.Errorf("the examples of %d are %s, want %s", status, got, want)
		}
	}
	for op, want := range map[string]string{"make": "[true true false]", "any": "[true true true]",
		"none": "[true true true]"} {
		if got := fmt.Sprint([]bool{c.Declares(op, 201), c.Declares(op, 404), c.Declares(op, 500)}); got != want {
			t.Errorf("%s declares 201, 404 and 500: %s", op, got)
		}
	}
	for _, ask := range []struct {
		op, typ, field, fileType string
		want                     bool
	}{
		{"none", "", "", "a/b", true}, {"make", "image/png", "", "image/png", true}, {"make", "a/b", "", "a/b", false},
		{"make", "multipart/form-data", "file", "text/plain", true},
		{"make", "multipart/form-data", "file", "image/png", true},
		{"make", "multipart/form-data", "file", "a/b", false}, {"make", "multipart/form-data", "other", "a/b", true},
		{"make", "multipart/form-data", "more", "a/b", true}, {"make", "multipart/mixed", "file", "a/b", true},
	} {
		header := http.Header{"Content-Type": {ask.typ}}
		if got := c.Takes(ask.op, header, ask.field, ask.fileType); got != ask.want {
			t.Errorf("%s takes %q of %q as %q: %t", ask.op, ask.field, ask.typ, ask.fileType, got)
		}
	}
}
