package apispec

import (
	"encoding/json"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// everyWord is a document with each word that package contract understands.
const everyWord = `
openapi: 3.0.3
info: {title: Words, version: '1'}
servers: [{url: /v1}]
paths:
  /things:
    post:
      operationId: all
      parameters:
        - {name: size, in: query, required: true, schema: {type: number, format: double, maximum: 3}}
        - {name: flag, in: header, schema: {type: boolean}}
        - {name: word, in: query, schema: {type: string, enum: [a, b]}}
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [id, secret]
              minProperties: 2
              properties:
                id: {type: string, readOnly: true}
                secret: {type: string, minLength: 2, maxLength: 4}
                time: {type: string, format: date-time}
                count: {type: integer, format: int64, minimum: -2, maximum: 5}
                half: {type: number}
                kind: {type: string, enum: [one, two], nullable: true}
                list: {type: array, minItems: 1, items: {type: object, additionalProperties: {type: integer}}}
                one: {oneOf: [{type: integer}, {type: number}]}
                free: {}
                loose: {type: object, additionalProperties: true}
                strict: {type: object, additionalProperties: false, properties: {a: {nullable: true, type: string}}}
            example:
              {secret: abc, time: '2026-01-31T12:00:00Z', count: 1, half: 0.5, kind: one, list: [{a: 1}],
                one: 1.5, free: 1, loose: {x: 1}, strict: {a: a}}
          '*/*':
            schema: {type: string, format: binary}
      responses:
        '200': {description: x, content: {text/plain: {schema: {type: string, minLength: 2}}}}
        default: {description: x, headers: {X-Left: {required: true, schema: {type: integer}}}}
`

// The program holds exchanges to rules of its own, since kin-openapi costs it
// too much. They must say what kin-openapi says: the same rule, at the same
// place, for the same reason.
func TestTheProgramsRulesSayWhatKinOpenAPISays(t *testing.T) {
	t.Parallel()
	documents := map[string][]byte{"depot": lab.DepotSpec, "every word": []byte(everyWord)}
	for _, name := range []string{"twentyfourseven", "ncloudmailer", "console"} {
		text, err := specs.FS.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		documents[name] = text
	}
	for name, text := range documents {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kin := parsed(t, text)
			own, err := contract.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if kin.TraceHeader != own.TraceHeader || fmt.Sprint(kin.Bases) != fmt.Sprint(own.Bases) ||
				kin.Title != own.Title || fmt.Sprint(kin.Schemes) != fmt.Sprint(own.Schemes) ||
				len(kin.Operations) != len(own.Operations) {
				t.Errorf("got %+v\nwant %+v", own.Spec, kin.Spec)
			}
			count := map[bool]int{}
			for _, op := range kin.Operations {
				same := own.Operation(op.Name)
				if same.Method != op.Method || same.Path != op.Path || same.TakesBody != op.TakesBody ||
					fmt.Sprint(same.Security) != fmt.Sprint(op.Security) {
					t.Errorf("got %+v\nwant %+v", same, op)
				}
				for what, verdict := range verdicts(t, op) {
					rule, detail := verdict(op)
					gotRule, got := verdict(same)
					count[detail == ""]++
					// Kin-openapi says this one twice, and cites a long pattern.
					detail = strings.Replace(detail, ": empty value is not allowed: empty", ": empty", 1)
					detail, _, _ = strings.Cut(detail, " (string doesn't match pattern")
					if gotRule != rule || got != detail {
						t.Errorf("%s: %s\n got %s: %s\nwant %s: %s", op.Name, what, gotRule, got, rule, detail)
					}
				}
			}
			t.Logf("%d verdicts: %d good, %d faults", count[true]+count[false], count[true], count[false])
			if count[true] == 0 || count[false] < 20 {
				t.Error("too little was seen")
			}
		})
	}
}

func parsed(t *testing.T, text []byte) *Spec {
	t.Helper()
	c, err := Parse(text, "", false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type verdict = func(*contract.Operation) (rule, detail string)

// verdicts returns questions to the rules of an operation, by their subject:
// good requests and answers, and the same with one mistake each.
func verdicts(t *testing.T, op *contract.Operation) map[string]verdict {
	all := map[string]verdict{}
	r := op.Rules.(Rules)
	ask := func(
		what string, head *http.Request, params map[string]string, whole bool, body []byte, form []*contract.Part,
	) {
		all[what] = func(op *contract.Operation) (string, string) {
			q := contract.Request{Request: head, Params: params, Whole: whole, Form: form}
			if body != nil {
				q.Body = &contract.Text{Bytes: body}
			}
			return op.Request(q)
		}
	}
	// Parameters, one at a time.
	written := func(value string) []string {
		switch value {
		case "absent":
			return nil
		case "twice":
			return []string{"", "1"}
		}
		return []string{value}
	}
	values := []string{"", "x", "a", "0", "1", "-1", "1.5", "4", "true", "9223372036854775808",
		strings.Repeat("é", 300)}
	for _, ref := range append(r.PathItem.Parameters, r.Operation.Parameters...) {
		for _, value := range append(values, "absent", "twice") {
			head, params := good(r)
			query := head.URL.Query()
			switch name := ref.Value.Name; ref.Value.In {
			case "path":
				params[name] = value
			case "query":
				query[name] = written(value)
			case "header":
				head.Header[http.CanonicalHeaderKey(name)] = written(value)
				maps.DeleteFunc(head.Header, func(_ string, values []string) bool { return values == nil })
			}
			head.URL.RawQuery = query.Encode()
			ask(fmt.Sprintf("%s %s=%.20q", ref.Value.In, ref.Value.Name, value), head, params, false, nil, nil)
		}
	}
	// Bodies.
	for typ, media := range ContentOf(r.Operation) {
		said := strings.ReplaceAll(typ, "*/*", "application/octet-stream")
		head, params := good(r)
		head.Header.Set("Content-Type", said)
		ask(typ+" without a body", head, params, true, nil, nil)
		ask(typ+" unread", head, params, false, nil, nil)
		whole, changed := texts(media)
		for name, body := range changed {
			if typ == "application/json" {
				head, params := good(r)
				head.Header.Set("Content-Type", typ)
				ask(typ+" "+name, head, params, true, body, nil)
			}
		}
		for name, body := range whole {
			for _, parameter := range []string{"", "; charset=utf-8"} {
				head, params := good(r)
				head.Header.Set("Content-Type", said+parameter)
				if typ != "multipart/form-data" {
					ask(said+parameter+" "+name, head, params, true, body, nil)
				}
			}
		}
		for name, parts := range forms() {
			known := func(p *contract.Part) bool { return slices.Contains(op.Media(typ).Fields, p.Name) }
			if typ == "multipart/form-data" && (len(parts) == 0 || known(parts[0])) {
				head, params := good(r)
				head.Header.Set("Content-Type", typ+"; boundary=b")
				ask(typ+" "+name, head, params, true, nil, parts)
			}
		}
	}
	// Answers.
	for status, ref := range r.Operation.Responses.Map() {
		code := 418
		if n := strings.NewReplacer("XX", "18", "default", "418").Replace(status); n != "" {
			fmt.Sscan(n, &code)
		}
		media := ref.Value.Content.Get("application/json")
		whole, changed := texts(media)
		for name, body := range changed {
			header := http.Header{"Content-Type": {"application/json"}}
			all[fmt.Sprintf("status %d: %s", code, name)] = answeredWith(code, header, body)
		}
		for name, body := range whole {
			for _, typ := range []string{"application/json", "application/json; charset=utf-8", "text/html",
				"text/plain", ""} {
				what := fmt.Sprintf("status %d as %q: %s", code, typ, name)
				all[what] = answeredWith(code, http.Header{"Content-Type": {typ}}, body)
			}
		}
		for name := range ref.Value.Headers {
			for _, value := range values {
				header := http.Header{http.CanonicalHeaderKey(name): {value}}
				all[fmt.Sprintf("status %d with %s=%.20q", code, name, value)] = answeredWith(code, header, nil)
			}
		}
		all[fmt.Sprintf("status %d unread", code)] = answeredWith(code, http.Header{}, nil)
		all[fmt.Sprintf("status %d without a body", code)] = answeredWith(code, http.Header{}, []byte{})
	}
	for _, code := range []int{200, 204, 299, 301, 304, 307, 402, 599} {
		all[fmt.Sprintf("status %d", code)] = answeredWith(code, http.Header{}, []byte(`{"x":1}`))
	}
	return all
}

func answeredWith(status int, header http.Header, body []byte) verdict {
	return func(op *contract.Operation) (string, string) {
		var text *contract.Text
		if body != nil {
			text = &contract.Text{Bytes: body}
		}
		return op.Response(httptest.NewRequest(op.Method, "/", nil), status, header, text)
	}
}

// good returns the head of a request with all parameters that are required.
func good(r Rules) (head *http.Request, params map[string]string) {
	query, header := url.Values{}, http.Header{}
	params = map[string]string{}
	for _, param := range Required(r.Route) {
		value := TextOf(ExampleOf(param))
		switch param.In {
		case "path":
			params[param.Name] = value
		case "query":
			query.Set(param.Name, value)
		case "header":
			header.Set(param.Name, value)
		}
	}
	head = httptest.NewRequest(r.Method, "/?"+query.Encode(), nil)
	head.Header = header
	return head, params
}

// texts returns the examples of a body, and each with one thing changed: of
// these, one media type is enough.
func texts(media *openapi3.MediaType) (found, different map[string][]byte) {
	found = map[string][]byte{"a text": []byte("text"), "nothing": {}, "half": []byte(`{"a":`), "two": []byte(`{} {}`)}
	different = map[string][]byte{}
	if media == nil {
		return found, nil
	}
	for name, value := range Examples(media.Example, media.Examples, media.Schema) {
		whole, _ := json.Marshal(value)
		found["example "+name] = whole
		for what, changed := range changes(value) {
			text, _ := json.Marshal(changed)
			different["example "+name+what] = text
		}
	}
	return found, different
}

// changes returns a value with one thing in it changed, by what was.
func changes(value any) map[string]any {
	found := map[string]any{}
	for _, other := range []any{nil, true, 0, -3, 2, 7, 1.5, json.Number("1e400"),
		json.Number("92233720368547758079"), "", "x",
		"ABC", "one", "abcde", "2026-13-31T12:00:00Z", []any{}, []any{nil, 1, "x"}, map[string]any{},
		map[string]any{"a": "x"}, map[string]any{"a": 1, "b": 1}} {
		text, _ := json.Marshal(other)
		found[" = "+string(text)] = other
	}
	switch v := value.(type) {
	case []any:
		for i := range v {
			for what, changed := range changes(v[i]) {
				list := slices.Clone(v)
				list[i] = changed
				found[fmt.Sprint("/", i, what)] = list
			}
		}
		found[" twice"] = slices.Concat(v, v, v)
	case map[string]any:
		for name := range v {
			less := maps.Clone(v)
			delete(less, name)
			found[" without "+name] = less
			for what, changed := range changes(v[name]) {
				object := maps.Clone(v)
				object[name] = changed
				found["/"+name+what] = object
			}
		}
		for _, name := range []string{"aMore", "zMore", "id", "errorCode", "errorMessage", "details"} {
			if _, there := v[name]; !there {
				more := maps.Clone(v)
				more[name] = 1
				found[" with "+name] = more
			}
		}
	}
	return found
}

// forms returns parts of forms.
func forms() map[string][]*contract.Part {
	part := func(name, fileName, typ string) *contract.Part {
		header := textproto.MIMEHeader{"Content-Disposition": {multipart.FileContentDisposition(name, fileName)}}
		if typ != "" {
			header.Set("Content-Type", typ)
		}
		return contract.NewPart(header)
	}
	found := map[string][]*contract.Part{"with no part": {}}
	for _, name := range []string{"file", "fileList"} {
		for _, typ := range []string{"", "text/plain", "text/plain; charset=utf-8", "application/pdf",
			"application/json", "image/png"} {
			found[fmt.Sprintf("with %s as %q", name, typ)] = []*contract.Part{part(name, "a.pdf", typ)}
		}
		found["with two of "+name] = []*contract.Part{part(name, "a", "text/plain"), part(name, "b", "text/plain")}
	}
	return found
}

func TestADocumentSaysWhatABodyMayBe(t *testing.T) {
	for body, want := range map[string]string{
		`{}`:                       "true []",
		`{schema: {}}`:             "true []",
		`{schema: {type: string}}`: "false []",
		`{schema: {type: string, format: binary}}`:                                            "true []",
		`{schema: {type: object, properties: {a: {}}}}`:                                       "false [a]",
		`{schema: {properties: {b: {}, a: {}}}}`:                                              "false [a b]",
		`{schema: {type: object, properties: {a: {}}, additionalProperties: false}}`:          "false [a]",
		`{schema: {type: object, properties: {a: {}}, additionalProperties: true}}`:           "false []",
		`{schema: {type: object, properties: {a: {}}, additionalProperties: {type: string}}}`: "false []",
	} {
		c := parsed(t, []byte("openapi: 3.0.3\ninfo: {title: x, version: '1'}\nservers: [{url: /}]\npaths:\n"+
			"  /a: {post: {operationId: a, requestBody: {content: {a/b: "+body+", application/octet-stream: {}}},"+
			" responses: {'200': {description: x}}}}\n"))
		if m := c.Operation("a").Media("a/b"); fmt.Sprint(m.Bytes, m.Fields) != want {
			t.Errorf("%s: %+v, want %s", body, m, want)
		}
	}
}

func TestTheFieldsOfAFormAreFilesOrValues(t *testing.T) {
	r := Rules{&routers.Route{Operation: &openapi3.Operation{RequestBody: &openapi3.RequestBodyRef{
		Value: openapi3.NewRequestBody().WithContent(openapi3.Content{"multipart/form-data": {Schema: lab.SchemaOf(t,
			`{"properties":{"file":{"type":"string","format":"binary"},"day":{"type":"string","format":"date"},
			"files":{"type":"array","items":{"format":"binary"}},"text":{"type":"string"},"meta":{"type":"object"},
			"tags":{"type":"array","items":{"type":"string"}},"free":{}}}`)},
			"multipart/mixed": {}})}}}}
	for fields, want := range map[string]string{ // a file has a dot behind the name of its field
		"file. files. files. text day meta": "",
		"free. free unknown. unknown":       "",
		"tags tags day. meta.":              "",
		"unknown. unknown. file":            `part 3: the field "file" is a file, and the part has no file name`,
		"files. files":                      `part 2: the field "files" is a file, and the part has no file name`,
		"text.":                             `part 1: the field "text" is a text, and the part has a file name`,
		"day text day":                      `part 3: the field "day" has one value, and this is another`,
	} {
		var parts []*contract.Part
		for _, field := range strings.Fields(fields) {
			name, isFile := strings.CutSuffix(field, ".")
			header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q`, name)}}
			if isFile {
				header.Set("Content-Disposition", multipart.FileContentDisposition(name, "a.pdf"))
			}
			parts = append(parts, contract.NewPart(header))
		}
		for typ, want := range map[string]string{"multipart/form-data": want, "multipart/mixed": ""} {
			head := httptest.NewRequest(http.MethodPost, "/", nil)
			head.Header.Set("Content-Type", typ)
			if got := r.formFault(contract.Request{Request: head, Form: parts}); got != want {
				t.Errorf("%s with %s: got %q, want %q", typ, fields, got, want)
			}
		}
	}
}

// For kin-openapi a value may be empty, and no words stand behind a parameter.
func TestAPathIsTheOperationThatKinOpenAPIFinds(t *testing.T) {
	t.Parallel()
	doc := "openapi: 3.0.3\ninfo: {title: x, version: '1'}\nservers: [{url: /v1}, {url: /v1-b}]\npaths:\n"
	for i, path := range []string{"/", "/a", "/a/b", "/a/{x}", "/{x}/b", "/{x}/{y}/c", "/a/b/c",
		"/ab", "/a{x}", "/c/", "/d/v{x}", "/e/{x}:go", "/e/{x}", "/f/g", "/g/{x}"} {
		doc += fmt.Sprintf("  %q: {get: {operationId: op%d, responses: {'200': {description: x}}%s}}\n", path, i,
			", parameters: ["+strings.Join(parametersOf(path), ", ")+"]")
	}
	loaded, err := load([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	loaded.Servers = openapi3.Servers{{URL: "/v1"}, {URL: "/v1-b"}}
	router, err := legacy.NewRouter(loaded)
	if err != nil {
		t.Fatal(err)
	}
	spec := contract.Spec{Bases: []string{"/v1", "/v1-b"}}
	for path := range loaded.Paths.Map() {
		r := &routers.Route{Path: path, Operation: loaded.Paths.Value(path).Get}
		spec.Operations = append(spec.Operations, &contract.Operation{
			Name: r.Operation.OperationID, Method: "GET", Path: contract.Template(path), Rules: Rules{r}})
	}
	c := contract.New(spec)
	words := []string{"", "a", "b", "c", "ab", "abc", "d", "v", "v1", "e", "x:go", "f", "g", "%2F", "a%20b"}
	seen := map[string]bool{}
	for _, base := range []string{"/v1", "/v1-b", "/v1x", ""} {
		for _, one := range words {
			for _, two := range words {
				for _, three := range words {
					for _, method := range []string{"GET", "PUT"} {
						r := httptest.NewRequest(method, base+"/"+one+"/"+two+"/"+three, nil)
						want := ""
						route, values, err := router.FindRoute(&http.Request{Method: method, URL: r.URL})
						switch isEmpty := slices.Contains(slices.Collect(maps.Values(values)), ""); {
						case err != nil || isEmpty:
						case route.Path == "/e/{x}" && values["x"] == "x:go":
							want = loaded.Paths.Value("/e/{x}:go").Get.OperationID
						default:
							want = route.Operation.OperationID
						}
						if got := c.Begin(r, contract.Watch{}).Op(); got != want {
							t.Errorf("%s %s is %q, want %q", method, r.URL, got, want)
						}
						seen[want] = true
					}
				}
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d operations were found", len(seen))
	}
}

// parametersOf declares the parameters of a path.
func parametersOf(path string) (list []string) {
	for _, part := range strings.Split(path, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		list = append(list, fmt.Sprintf("{name: %q, in: path, required: true, schema: {type: string}}", name))
	}
	return list
}
