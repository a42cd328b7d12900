package uploadtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Probe checks the service at baseURL against spec, an OpenAPI 3.0 document in YAML or
// JSON, from the outside: a handler of your own behind httptest.NewServer, or
// somebody else's server. Authorize puts good credentials on a request, the
// last thing before it is sent; it is nil where none are needed.
//
// Each operation is asked with the spec's own examples, which must succeed,
// POST first and DELETE last; a path parameter gets the value that an earlier answer
// gave under its name, or the id in the answer of the path before it: what POST /files
// calls id is the fileId of /files/{fileId}. An operation whose parameters no answer
// gave may fail, and a line of the test's log says that it was not seen to succeed.
// Then each is asked without credentials and with spoiled
// ones, without a body, with a body that is cut off, of another media type or
// short of what is required, which must each be refused by a 4xx. Every answer
// must be declared and match its schema. A broken rule fails t by one line.
//
// Probe uploads a few bytes and leaves what the operations cannot delete. Do not
// point it at a [Server], which reports requests that are wrong on purpose.
func Probe(t testing.TB, baseURL string, spec []byte, authorize func(*http.Request)) {
	t.Helper()
	base, err := url.Parse(baseURL)
	if err != nil {
		t.Fatal("uploadtest: the base URL cannot be parsed")
	}
	c, err := at(base).parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	p := &prober{TB: t, contract: c, base: strings.TrimRight(baseURL, "/"), learned: map[string]string{}, authorize: authorize}
	if p.authorize == nil {
		p.authorize = func(*http.Request) {}
	}
	routes := c.Routes()
	for _, r := range routes {
		p.succeeds(r)
	}
	for _, r := range routes {
		p.needsCredentials(r)
		p.refusesBodies(r)
		p.refusesMethods(r)
	}
	p.refused("a path that the spec does not have", p.request(http.MethodGet, "/uploadtest/no/such/path", "", nil))
}

type prober struct {
	testing.TB
	contract  *contract.Contract
	base      string
	learned   map[string]string // what answers gave, by name
	authorize func(*http.Request)
}

// path fills in the parameters of a route's path; known says that all of them
// came out of earlier answers, so that they name something.
func (p *prober) path(r *routers.Route) (path string, known bool) {
	path, known = r.Path, true
	for _, list := range []openapi3.Parameters{r.PathItem.Parameters, r.Operation.Parameters} {
		for _, ref := range list {
			param := ref.Value
			if param.In != openapi3.ParameterInPath {
				continue
			}
			value, learned := p.learned[param.Name]
			if !learned {
				known = false
				value = "uploadtest"
				if v, ok := examples(param.Example, param.Examples, param.Schema)[""]; ok {
					value = fmt.Sprint(v)
				}
			}
			path = strings.ReplaceAll(path, "{"+param.Name+"}", url.PathEscape(value))
		}
	}
	return path, known
}

// examples are those that a spec gives of one thing, by name; the single one
// has the empty name.
func examples(one any, many openapi3.Examples, schema *openapi3.SchemaRef) map[string]any {
	found := map[string]any{}
	for name, ref := range many {
		if ref.Value != nil && ref.Value.Value != nil {
			found[name] = ref.Value.Value
		}
	}
	switch {
	case one != nil:
		found[""] = one
	case len(found) > 0:
		found[""] = found[slices.Min(slices.Collect(maps.Keys(found)))]
	case schema != nil && schema.Value != nil && schema.Value.Example != nil:
		found[""] = schema.Value.Example
	case schema != nil && schema.Value != nil && len(schema.Value.Properties) > 0:
		object := map[string]any{}
		for name, property := range schema.Value.Properties {
			if property.Value != nil && property.Value.Example != nil {
				object[name] = property.Value.Example
			}
		}
		found[""] = object
	}
	return found
}

// sample is a body made from an example.
type sample struct {
	contentType string
	body        []byte
	without     map[string][]byte // the same short of a required property, by its name
}

func (p *prober) samples(r *routers.Route) []sample {
	if r.Operation.RequestBody == nil || r.Operation.RequestBody.Value == nil {
		return nil
	}
	var samples []sample
	content := r.Operation.RequestBody.Value.Content
	for _, typ := range slices.Sorted(maps.Keys(content)) {
		media := content[typ]
		given := examples(media.Example, media.Examples, media.Schema)
		if len(given) > 1 {
			delete(given, "") // it is one of the others
		}
		for _, name := range slices.Sorted(maps.Keys(given)) {
			object, ok := given[name].(map[string]any)
			if !ok || media.Schema == nil {
				continue
			}
			s := sample{without: map[string][]byte{}}
			s.contentType, s.body = encode(typ, media.Schema.Value, object)
			for _, required := range media.Schema.Value.Required {
				short := maps.Clone(object)
				delete(short, required)
				if typ == "multipart/form-data" {
					short["uploadtest"] = "a form without parts is none"
				}
				_, s.without[required] = encode(typ, media.Schema.Value, short)
			}
			if s.body != nil {
				samples = append(samples, s)
			}
		}
	}
	return samples
}

const boundary = "uploadtest-boundary"

// encode is object as JSON or as a form; as anything else it is nil.
func encode(typ string, schema *openapi3.Schema, object map[string]any) (contentType string, body []byte) {
	if typ != "multipart/form-data" {
		if typ != "application/json" {
			return typ, nil
		}
		body, _ = json.Marshal(object) // it came out of a document of that kind
		return typ, body
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary(boundary)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		values, many := object[name].([]any)
		if !many {
			values = []any{object[name]}
		}
		for _, value := range values {
			header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", name)}}
			if isBinary(schema.Properties[name]) {
				header.Set("Content-Disposition", multipart.FileContentDisposition(name, "uploadtest.txt"))
				header.Set("Content-Type", "text/plain")
			}
			part, _ := w.CreatePart(header)
			fmt.Fprint(part, value)
		}
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

func isBinary(schema *openapi3.SchemaRef) bool {
	for schema != nil && schema.Value != nil {
		if schema.Value.Format == "binary" {
			return true
		}
		schema = schema.Value.Items
	}
	return false
}

// succeeds asks with the spec's own examples.
func (p *prober) succeeds(r *routers.Route) {
	samples := p.samples(r)
	if samples == nil {
		if body := r.Operation.RequestBody; body != nil && body.Value.Required {
			p.Logf("%s: %s: not asked: the spec has no example of its body", p.contract.Title, contract.Name(r))
			return
		}
		samples = []sample{{}}
	}
	for _, s := range samples {
		path, known := p.path(r)
		req := p.authorized(p.request(r.Method, path, s.contentType, s.body))
		status, answer := p.ask(req, true)
		switch {
		case status/100 == 2:
			p.learn(r, answer)
		case status == 0: // reported already
		case !known:
			p.Logf("%s: %s: not seen to succeed: no answer gave what its path takes, and the spec's own example was answered %d (%s %s)", p.contract.Title, contract.Name(r), status, r.Method, r.Path)
		default:
			p.Errorf("%s: %s: %s: %d to the spec's own example (%s %s)", p.contract.Title, contract.Name(r), contract.RuleStatus, status, r.Method, req.URL.EscapedPath())
		}
	}
}

// learn keeps what later paths may take of an answer.
func (p *prober) learn(r *routers.Route, answer []byte) {
	var own struct{ ID json.RawMessage }
	if json.Unmarshal(answer, &own) == nil {
		for _, id := range contract.Members(own.ID) {
			for path := range p.contract.Doc.Paths.Map() {
				if rest, below := strings.CutPrefix(path, r.Path+"/{"); below {
					name, _, _ := strings.Cut(rest, "}")
					p.learned[name] = id.Value
				}
			}
		}
	}
	for _, m := range contract.Members(answer) {
		p.learned[m.Name] = m.Value
	}
}

// needsCredentials asks with each header of the credentials missing, spoiled, and
// with none at all.
func (p *prober) needsCredentials(r *routers.Route) {
	required := r.Operation.Security
	if required == nil {
		required = &p.contract.Doc.Security
	}
	if len(*required) == 0 {
		return
	}
	path, _ := p.path(r)
	var s sample
	if samples := p.samples(r); len(samples) > 0 {
		s = samples[0]
	}
	build := func() *http.Request { return p.request(r.Method, path, s.contentType, s.body) }
	bare, good := build(), p.authorized(build())
	p.unauthorized(r, "no credentials", bare)
	for _, name := range slices.Sorted(maps.Keys(good.Header)) {
		if value := good.Header.Get(name); bare.Header.Get(name) == "" && value != "" {
			missing := p.authorized(build())
			missing.Header.Del(name)
			p.unauthorized(r, "no "+name, missing)
			spoiled := p.authorized(build())
			spoiled.Header.Set(name, spoil(spoiled.Header.Get(name)))
			p.unauthorized(r, "a wrong "+name, spoiled)
		}
	}
}

// spoil changes one character in the middle of a credential.
func spoil(value string) string {
	b := []byte(value)
	at := len(b) - len(b)/3 - 1
	if b[at] == '1' {
		b[at] = '2'
	} else {
		b[at] = '1'
	}
	return string(b)
}

func (p *prober) unauthorized(r *routers.Route, what string, req *http.Request) {
	status, _ := p.ask(req, false)
	if status != 0 && status != http.StatusUnauthorized && status != http.StatusForbidden {
		p.Errorf("%s: %s: %s: %d to a request with %s, want 401 or 403 (%s %s)", p.contract.Title, contract.Name(r), contract.RuleStatus, status, what, r.Method, req.URL.EscapedPath())
	}
}

// refusesBodies asks with bodies that are wrong.
func (p *prober) refusesBodies(r *routers.Route) {
	if body := r.Operation.RequestBody; body == nil || !body.Value.Required {
		return
	}
	path, _ := p.path(r)
	for _, s := range p.samples(r) {
		ask := func(what, contentType string, body []byte) {
			p.refused(contract.Name(r)+" with "+what, p.request(r.Method, path, contentType, body))
		}
		ask("no body", s.contentType, []byte{})
		ask("a body of another media type", "application/x-uploadtest", s.body)
		ask("a body that is cut off", s.contentType, s.body[:len(s.body)-len(s.body)/4-1])
		for _, required := range slices.Sorted(maps.Keys(s.without)) {
			ask("a body without "+required, s.contentType, s.without[required])
		}
	}
}

// refusesMethods asks for the path by a method that it does not have.
func (p *prober) refusesMethods(r *routers.Route) {
	path, _ := p.path(r)
	for _, method := range []string{http.MethodPatch, http.MethodPut} {
		if r.PathItem.GetOperation(method) == nil {
			p.refused(fmt.Sprintf("the method %s on %s", method, r.Path), p.request(method, path, "text/plain", []byte("x")))
			return
		}
	}
}

// refused sees that an authorized request is answered by a 4xx.
func (p *prober) refused(what string, req *http.Request) {
	status, _ := p.ask(p.authorized(req), false)
	if status != 0 && status/100 != 4 {
		p.Errorf("%s: %s: %d to %s, which must be refused by a 4xx (%s %s)", p.contract.Title, contract.RuleStatus, status, what, req.Method, req.URL.EscapedPath())
	}
}

// request is one with a body, of which nil is none.
func (p *prober) request(method, path, contentType string, body []byte) *http.Request {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.Context(), method, p.base+path, r)
	if err != nil {
		p.Fatal("uploadtest: the base URL makes no request")
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func (p *prober) authorized(req *http.Request) *http.Request {
	p.authorize(req)
	return req
}

// ask sends a request and holds the answer, and where it is meant to be
// right the request too, to the contract. Status 0 is a failure that was reported.
func (p *prober) ask(req *http.Request, right bool) (status int, answer []byte) {
	x := p.contract.Begin(req, contract.Watch{})
	resp, err := http.DefaultTransport.RoundTrip(x.Watching(req))
	violations := x.FinishRequest()
	if !right {
		violations = nil
	}
	if err != nil {
		p.Errorf("%s: no answer to %s %s: %v", p.contract.Title, req.Method, req.URL.EscapedPath(), err)
		return 0, nil
	}
	defer resp.Body.Close()
	answer, _ = io.ReadAll(io.LimitReader(resp.Body, contract.Keep))
	violations = append(violations, x.FinishResponse(resp.StatusCode, resp.Header, answer)...)
	for _, v := range violations {
		p.Error(v)
	}
	if len(violations) > 0 {
		return 0, answer
	}
	return resp.StatusCode, answer
}
