package contract

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"os"
	"strings"
	"testing"
)

// depotSpec returns the spec of the kit's own provider.
func depotSpec(t *testing.T) []byte {
	t.Helper()
	spec, err := os.ReadFile("../../uploadtest/internal/lab/depot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func parsed(t *testing.T, document []byte) *Contract {
	t.Helper()
	c, err := Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheTraceIDStandsInADeclaredHeader(t *testing.T) {
	for want, names := range map[string][]string{
		"X-Depot-Trace":    {"X-Depot-Trace"},
		"X-Request-Id":     {"x-request-id"},
		"X-Trace-Id":       {"a-request-id", "x-trace-id"},
		"X-Other-Trace-Id": {"X-Request-Id", "X-Other-Trace-Id"},
		"":                 {"X-Requested"},
	} {
		var declared []byte
		for _, name := range names {
			declared = append(declared, name+": {schema: {type: string}}\n        "...)
		}
		c := parsed(t, bytes.Replace(bytes.Replace(depotSpec(t), []byte("X-Depot-Trace: {x-sent"),
			[]byte("X-Other: {x-sent"), 1),
			[]byte("X-Depot-Trace: {schema: {type: string}}"), bytes.TrimSpace(declared), 1))
		if got := c.TraceHeader; got != want {
			t.Errorf("%q declared: got %q, want %q", names, got, want)
		}
	}
}

func TestServersOfTheSpecAreTheBases(t *testing.T) {
	c := parsed(t, depotSpec(t))
	for uri, want := range map[string]string{"/v2/forms": "submit", "/eu/v2/forms": "submit", "/forms": "",
		"/v2/form": "", "/v2": "", "/v2x/forms": "", "/v2/objects/a%2Fb": "look", "/v2/objects//x": ""} {
		method := "POST"
		if strings.HasPrefix(uri, "/v2/objects/") {
			method = "GET"
		}
		r := httptest.NewRequest(method, uri, nil)
		if got := c.find(r, "h", uri).name; got != want {
			t.Errorf("%s is %q, want %q", uri, got, want)
		}
		r.URL = &url.URL{Scheme: "https", Opaque: "//h" + uri}
		if got := c.find(r, "h", r.URL.RequestURI()).name; got != want {
			t.Errorf("%s as an opaque address is %q, want %q", uri, got, want)
		}
	}
	for _, mux := range []bool{false, true} {
		c.ServeMux = mux
		for call, want := range map[string]string{"GET /v2/objects/o-1": "look look", "GET /v2/objects/o-1/": "look ",
			"HEAD /v2/objects/o-1": " look", "PATCH /v2/objects/o-1": " "} {
			method, uri, _ := strings.Cut(call, " ")
			plain, byMux, _ := strings.Cut(want, " ")
			if mux {
				plain = byMux
			}
			if got := c.find(httptest.NewRequest(method, uri, nil), "h", uri).name; got != plain {
				t.Errorf("%s is %q, want %q, as http.ServeMux does it: %t", call, got, plain, mux)
			}
		}
	}
}

// A server may refuse a request before it has read the body.
func TestAMediaTypeIsHeldToTheSpecBeforeTheBodyIsRead(t *testing.T) {
	c := parsed(t, depotSpec(t))
	const unreadable = "request body: header Content-Type has parameters that cannot be read"
	for sent, want := range map[string]string{
		"multipart/form-data; boundary=b": "",
		"text/plain":                      `request body: header Content-Type has unexpected value "text/plain"`,
		"":                                `request body: header Content-Type has unexpected value ""`,
		"multipart/form-data":             "request form: header Content-Type names no boundary",
		"multipart/form-data; boundary=b; boundary=c":              unreadable,
		"multipart/form-data; boundary=b; x":                       unreadable,
		"multipart/form-data; boundary=" + strings.Repeat("b", 70): "",
		"multipart/form-data; boundary=" + strings.Repeat("b", 71): "request form: " +
			"the boundary has more than 70 bytes (RFC 2046, 5.1.1)",
	} {
		r := sized("POST", "/v2/forms", sent, "not read")
		if got := rules(c.Begin(r, Watch{}).CheckRequest(true)); got != want {
			t.Errorf("Content-Type %q: %q, want %q", sent, got, want)
		}
	}
}

func TestACallToTheTokenAddressIsATokenCallWhateverItIsLike(t *testing.T) {
	spec := bytes.Replace(depotSpec(t), []byte("  securitySchemes:\n"), []byte(`  securitySchemes:
    app: {type: oauth2, flows: {clientCredentials: {tokenUrl: 'https://login.depot.example/token', scopes: {}},
      password: {tokenUrl: 'https://login.depot.example', scopes: {}}}}
`), 1)
	c := parsed(t, spec)
	for _, call := range []struct{ method, uri, contentType, body, want string }{
		{"POST", "/token", "application/x-www-form-urlencoded", "grant_type=client_credentials", "token: "},
		{"POST", "/elsewhere", "application/x-www-form-urlencoded", "grant_type=client_credentials", "token: "},
		{"POST", "/token", "application/json", "{}", `token: token request: Content-Type "application/json", not`},
		{"GET", "/token", "", "", "token: token request: the method is not POST"},
		{"GET", "http://h", "", "", ": request address"},
		{"POST", "/token", "application/x-www-form-urlencoded", "scope=x",
			"token: token request: the form has no grant_type"},
		{"POST", "/elsewhere", "application/json", "{}", ": request address"},
	} {
		broken, x := looked(c, sized(call.method, call.uri, call.contentType, call.body), Watch{})
		got := x.Op() + ": " + broken
		if !strings.HasPrefix(got, call.want) || call.want == "token: " && got != call.want {
			t.Errorf("%s %s as %q: %q, want %q", call.method, call.uri, call.contentType, got, call.want)
		}
	}
}

// rules returns what was broken in one line.
func rules(broken []*Violation) string {
	var lines []string
	for _, v := range broken {
		lines = append(lines, v.Rule+": "+v.Detail)
	}
	return strings.Join(lines, "; ")
}

func TestSecretsAreFoundInAQuery(t *testing.T) {
	c := parsed(t, depotSpec(t))
	const query = "X-Amz-Signature=abcdef0123456789&X-Amz-Expires=1000000000&key=12345678&sig=1234567"
	c.grant("https://h?"+query+"#x", &grant{})
	if c.granted("h", "/?"+query) == nil {
		t.Error("the URL is not known")
	}
	if got := c.Secrets(); len(got) != 3 || got[1] != "abcdef0123456789" || got[2] != "12345678" {
		t.Errorf("got %q", got)
	}
}

func TestTheLastURLsAreRememberedAndNotAllOfThem(t *testing.T) {
	c := &Contract{grants: map[string]*grant{}}
	for i := range 2*enough + 1 {
		c.grant(fmt.Sprintf("http://h/%d", i), &grant{})
	}
	for i, want := range map[int]bool{2 * enough: true, enough: true, enough - 1: false, 0: false} {
		if got := c.granted("h", fmt.Sprintf("/%d", i)) != nil; got != want {
			t.Errorf("URL %d is remembered: %t", i, got)
		}
	}
}

func TestAURLCanBeRecognisedUnderAnyHost(t *testing.T) {
	for _, anyHost := range []bool{false, true} {
		c := &Contract{AnyHost: anyHost, grants: map[string]*grant{}}
		c.grant("https://public.example/upload/1?signature=x", &grant{})
		if got := c.granted("127.0.0.1:80", "/upload/1?signature=x") != nil; got != anyHost {
			t.Errorf("any host %t: recognised %t", anyHost, got)
		}
		if c.granted("127.0.0.1:80", "/upload/1?signature=y") != nil {
			t.Error("another query is recognised")
		}
		c.grant("https://public.example", &grant{})
		if c.granted("public.example", "/") == nil {
			t.Error("a URL without a path is not recognised")
		}
	}
}

// Each case is a URL as another API hands it out, and a request to it.
func TestPresignedRulesFitOtherAPIs(t *testing.T) {
	const lfs = `{"objects":[{"oid":"1","actions":{
		"upload":{"href":"https://s.example/put?sig=12345678",
			"header":{"Authorization":"Basic QQ==","X-Amz-Acl":"private"}},
		"verify":{"href":"https://h/verify?sig=1"}}}]}`
	const form = `{"url":"https://s.example/bucket","fields":{"key":"k-1","policy":"p-1"},
		"downloadUrl":"https://s.example/d"}`
	// A form for the URL of a whole bucket is not the last one that was handed out for it.
	const later = `{"url":"https://s.example/bucket","fields":{"key":"k-2","policy":"p-2"}}`
	const small = `{"uploadUrl":"https://s.example/s","uploadMethod":"put"}`
	const signedURL = "https://s.example/o?X-Goog-SignedHeaders=host%3Bx-goog-acl&X-Goog-Signature=12345678"
	const signed = `{"uploadUrl":"` + signedURL + `"}`
	policy := func(fields ...string) (string, string) {
		var b strings.Builder
		w := multipart.NewWriter(&b)
		for i := 0; i+1 < len(fields); i += 2 {
			if fields[i] == "file" {
				part, _ := w.CreatePart(textproto.MIMEHeader{"Content-Type": {"text/plain"},
					"Content-Disposition": {`form-data; name="file"` + fields[i+1]}})
				_, _ = part.Write([]byte("x"))
				continue
			}
			_ = w.WriteField(fields[i], fields[i+1])
		}
		w.Close()
		return w.FormDataContentType(), b.String()
	}
	const named = `; filename="a"`
	whole, wholeBody := policy("key", "k-1", "policy", "p-1", "file", named)
	short, shortBody := policy("key", "k-1", "file", named)
	late, lateBody := policy("key", "k-1", "file", named, "policy", "p-1")
	nameless, namelessBody := policy("key", "k-1", "file", "", "policy", "p-1")
	const notBefore = `request form: the field "policy" does not stand before the file as it was handed out`
	const host = `{"uploadUrl":"https://s.example/h","headers":{"Host":"s.example","Content-Length":"1"}}`
	plain := map[string]string{"x-goog-meta": "1"} // and 20 others: a map yields its keys in any order
	for _, c := range "abcdefghijklmnopqrst" {
		plain[string(c)] = "1"
	}
	for _, c := range []struct {
		name, answer, method, url, body string
		header                          map[string]string
		want                            string
	}{
		{"listed headers", lfs, "PUT", "https://s.example/put?sig=12345678", "x",
			map[string]string{"Authorization": "Basic QQ==", "X-Amz-Acl": "private"}, ""},
		{"a listed header is missing", lfs, "PUT", "https://s.example/put?sig=12345678", "x",
			map[string]string{"Authorization": "Basic QQ=="},
			"presigned header: header X-Amz-Acl was handed out with the URL and is not sent"},
		{"a listed header is another", lfs, "PUT", "https://s.example/put?sig=12345678", "x",
			map[string]string{"Authorization": "Basic QQ==", "X-Amz-Acl": "public"},
			"presigned header: header X-Amz-Acl was handed out with the URL and is sent with another value"},
		{"the API's own credentials", lfs, "PUT", "https://s.example/put?sig=12345678", "x",
			map[string]string{"Authorization": "Bearer api", "X-Amz-Acl": "private"},
			"presigned credentials: header Authorization tells"},
		{"another URL than the upload's", lfs, "POST", "https://h/verify?sig=1", "{}",
			map[string]string{"X-Depot-Key": "k"}, ""},
		{"a signed header", signed, "PUT", signedURL, "x", map[string]string{"x-goog-acl": "private"}, ""},
		{"a header that is not signed", signed, "PUT", signedURL, "x", plain,
			"presigned header: header X-Goog-Meta is not part of what was signed"},
		{"a method as it was written", small, "put", "https://s.example/s", "x", nil, ""},
		{"a method in capitals", small, "PUT", "https://s.example/s", "x", nil, ""},
		{"a method in other letters", small, "Put", "https://s.example/s", "x", nil,
			"presigned method: Put, but the URL was handed out for PUT"},
		{"headers that net/http sends itself", host, "PUT", "https://s.example/h", "x", nil, ""},
		{"headers of a proxy", signed, "PUT", signedURL, "x",
			map[string]string{"x-forwarded-for": "192.0.2.1", "x-request-id": "1", "x-real-ip": "192.0.2.1"}, ""},
		{"a policy form", form, "POST", "https://s.example/bucket", wholeBody,
			map[string]string{"Content-Type": whole}, ""},
		{"a policy form without a field", form, "POST", "https://s.example/bucket", shortBody,
			map[string]string{"Content-Type": short}, notBefore},
		{"a policy form with a field after the file", form, "POST", "https://s.example/bucket", lateBody,
			map[string]string{"Content-Type": late}, notBefore},
		{"a policy form with a field after a file without a name", form, "POST",
			"https://s.example/bucket", namelessBody, map[string]string{"Content-Type": nameless}, notBefore},
		{"a policy form by PUT", form, "PUT", "https://s.example/bucket", wholeBody,
			map[string]string{"Content-Type": whole}, "presigned method: PUT, but the URL was handed out for POST"},
		{"no policy form at all", form, "POST", "https://s.example/bucket", "x",
			map[string]string{"Content-Type": "text/plain"},
			"request form: the URL was handed out for a form, and the body is none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			contract := parsed(t, depotSpec(t))
			(&Exchange{c: contract}).Learn(nil, []byte(c.answer))
			(&Exchange{c: contract}).Learn(nil, []byte(later))
			r, _ := http.NewRequest(c.method, c.url, strings.NewReader(c.body))
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			got, _ := looked(contract, r, Watch{})
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTheBytesGoWithTheMediaTypeThatWasAnnounced(t *testing.T) {
	const url = `{"uploadUrl":"https://s.example/o","id":"1","uploadMethod":"PUT"}`
	for _, tc := range []struct{ announced, answer, typ, want string }{
		{`{"contentType":"text/plain"}`, url, "text/plain", ""},
		{`{"contentType":"text/plain"}`, url, "text/html",
			`presigned media type: Content-Type "text/html", but "text/plain" was announced`},
		{`{"contentTypes":"text/plain"}`, url, "text/html", ""},
		{`{"contentType":"text/plain"}`, `{"uploadUrl":"https://s.example/o","fields":{"key":"k"}}`, "text/html",
			"presigned method: PUT, but the URL was handed out for POST; " +
				"request form: the URL was handed out for a form, and the body is none"},
	} {
		c := parsed(t, depotSpec(t))
		_, x := looked(c, sized("POST", "/v2/objects", "application/json", tc.announced), Watch{})
		answered := rules(x.FinishResponse(200, http.Header{"Content-Type": {"application/json"}}, []byte(tc.answer)))
		if tc.answer == url && answered != "" {
			t.Errorf("a good answer: %q", answered)
		}
		put, _ := http.NewRequest("PUT", "https://s.example/o", strings.NewReader("x"))
		put.Header.Set("Content-Type", tc.typ)
		if got, _ := looked(c, put, Watch{}); got != tc.want {
			t.Errorf("%s, and then %s: %q, want %q", tc.announced, tc.typ, got, tc.want)
		}
	}
}

func TestWhatAnAnswerHandsOutIsFound(t *testing.T) {
	for answer, want := range map[string]string{
		`{"uploadUrl":"https://s.example/o","method":"get"}`: "[{https://s.example/o   map[] map[] false}]",
		`{"uploadUrl":"HTTPS://s.example/o","verb":"patch"}`: "[{HTTPS://s.example/o PATCH  map[] map[] false}]",
		`{"url":"http://s.example/o","headers":{"a":"1"}}`:   "[{http://s.example/o   map[A:[1]] map[] false}]",
		`{"url":"http://s.example/o","fields":{"key":"k"}}`:  "[{http://s.example/o POST  map[] map[key:k] false}]",
		`{"url":"http://s.example/o","headers":[{"key":"a","value":"1"},{"name":"b","value":"2"}]}`: "" +
			"[{http://s.example/o   map[A:[1] B:[2]] map[] false}]",
		`{"url":"http://s.example/o","headers":["a","b"],"fields":["key"]}`: "" +
			"[{http://s.example/o   map[] map[] false}]",
		`{"url":"http://s.example/o","fields":[{"name":"key","value":"k"}]}`: "" +
			"[{http://s.example/o POST  map[] map[key:k] false}]",
		`{"url":"http://s.example/o","details":{"Policy":"p"}}`: "" +
			"[{http://s.example/o POST  map[] map[Policy:p] false}]",
		`{"upload":{"uploadUrl":"http://s.example/o","assetUrl":"http://s.example/a"}}`: "" +
			"[{http://s.example/o   map[] map[] false}]",
		`{"uploadUrl":"https://s.example","id":"1"}`: "[{https://s.example   map[] map[] false}]",
		`{"uploadUrl":"https://s.example/o","a":"put","b":"put","c":"put","d":"put","method":"post","z":"put"}`: "" +
			"[{https://s.example/o POST  map[] map[] false}]",
		`{"uploadUrl":"ftp://s.example/o"}`:                    "[]",
		`{"uploadUrl":"https:///o"}`:                           "[]",
		`{"uploadUrl":"https://s.example/%zz"}`:                "[]",
		`{"uploadUrl":"s.example/o"}`:                          "[]",
		`{"uploadUrl":"http://s.example/o","url":"http://d/"}`: "[{http://s.example/o   map[] map[] false}]",
		`{"upload":"http://s.example/o","downloadUrl":"http://d/upload","uploader":{"url":"http://u/"}}`: "" +
			"[{http://s.example/o   map[] map[] false}]",
		`{"downloadUrl":"http://s.example/o"}`: "[]",
	} {
		c := New(Spec{})
		(&Exchange{c: c}).Learn(nil, []byte(answer))
		if got := fmt.Sprint(c.HandedOut([]byte(answer))); got != want {
			t.Errorf("%s: %s, want %s", answer, got, want)
		}
	}
}

// An upload may go to an operation, with the credentials of the API.
func TestAnUploadURLMayBeThatOfAnOperation(t *testing.T) {
	for uri, want := range map[string]string{"/v2/forms": "submit", "/v2/form": Presigned} {
		c := parsed(t, depotSpec(t))
		(&Exchange{c: c}).Learn(nil, []byte(`{"uploadUrl":"https://h`+uri+`"}`))
		if got := c.find(httptest.NewRequest("POST", uri, nil), "h", uri).name; got != want {
			t.Errorf("%s is %q, want %q", uri, got, want)
		}
	}
}

// Where no name says upload, the operation tells.
func TestAnAnswerAboutAFileHandsOutNothing(t *testing.T) {
	c := parsed(t, depotSpec(t))
	for _, tc := range []struct {
		method, path, typ, name, url string
		want                         int
	}{
		{"POST", "/v2/objects", "application/json", "url", "https://s.example/o", 1},
		{"POST", "/v2/objects", "application/json", "url", "https://api.example/v2/objects/o-1", 0},
		{"GET", "/v2/objects/o-1", "", "url", "https://s.example/o", 0},
		{"POST", "/v2/raw?name=a", "application/octet-stream", "upload", "https://s.example/o", 0},
		{"POST", "/v2/forms", "multipart/form-data; boundary=b", "upload", "https://s.example/o", 0},
	} {
		r := sized(tc.method, tc.path, tc.typ, "")
		answer := []byte(fmt.Sprintf(`{"id":"o-1",%q:%q}`, tc.name, tc.url+"?"+tc.method+tc.path))
		c.Begin(r, Watch{}).Learn(nil, answer)
		if got := c.HandedOut(answer); len(got) != tc.want {
			t.Errorf("%s %s and %s: %v", tc.method, tc.path, tc.url, got)
		}
	}
}

func TestADocumentWithAURLInAnAnswerHandsOut(t *testing.T) {
	for typ, want := range map[string]bool{"{type: string, format: uri}": true, "{type: string}": false,
		"{type: array, items: {type: string, format: uri}}": true} {
		c := parsed(t, bytes.Replace(depotSpec(t), []byte("{type: string, format: uri}"), []byte(typ), 1))
		if c.HandsOut != want {
			t.Errorf("%s: %v", typ, c.HandsOut)
		}
	}
}

func TestCredentialsAreAskedForAsTheSpecSays(t *testing.T) {
	key := Scheme{Type: "apiKey", In: "header", Name: "x-key"}
	query := Scheme{Type: "apiKey", In: "query", Name: "key"}
	basic, bearer := Scheme{Type: "http", Scheme: "basic"}, Scheme{Type: "oauth2"}
	const noKey, noQuery = "header x-key is missing", "query parameter key is missing"
	const noBasic = "header Authorization holds no basic credentials"
	const long, escaped = "0123456789abcde/", "0123456789abcde%2F"
	const noBearer = "header Authorization holds no bearer credentials"
	for _, tc := range []struct {
		security                  [][]Scheme
		key, query, authorization string
		want                      string
	}{
		{nil, "", "", "", ""},
		{[][]Scheme{{key}}, "", "", "", noKey},
		{[][]Scheme{{key}}, "k", "", "", ""},
		{[][]Scheme{{query}}, "k", "", "", noQuery},
		{[][]Scheme{{query}}, "", "key=1", "", ""},
		{[][]Scheme{{basic}}, "", "", "Basic QQ==", ""},
		{[][]Scheme{{basic}}, "", "", "Basic ", noBasic},
		{[][]Scheme{{basic}}, "", "", "Bearer QQ==", noBasic},
		{[][]Scheme{{bearer}}, "", "", "bearer t", ""},
		{[][]Scheme{{{Type: "openIdConnect"}}}, "", "", "", noBearer},
		{[][]Scheme{{key, query}}, "", "key=1", "", noKey},
		{[][]Scheme{{key, query}}, "k", "", "", noQuery},
		{[][]Scheme{{key}, {bearer}}, "", "", "", noKey + ", or " + noBearer},
		{[][]Scheme{{key}, {bearer}}, "", "", "Bearer t", ""},
		{[][]Scheme{{bearer}, {bearer}}, "", "", "", noBearer},
		{[][]Scheme{{key}}, long, "a=" + long, "", "the query shows the value of header x-key too"},
		{[][]Scheme{{key}}, "k", "a=k", "", ""},
		{[][]Scheme{{key}, {query}}, long, "key=" + long, "", ""},
		{[][]Scheme{{bearer}}, "", "a=" + escaped, "Bearer " + long,
			"the query shows the value of header Authorization too"},
	} {
		r := httptest.NewRequest("GET", "/?"+tc.query, nil)
		for name, value := range map[string]string{"X-Key": tc.key, "Authorization": tc.authorization} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if got := credentialsFault(r, tc.security); got != tc.want {
			t.Errorf("%v of %v?%s: %q, want %q", tc.security, r.Header, tc.query, got, tc.want)
		}
	}
	twice := httptest.NewRequest("GET", "/", nil)
	twice.Header = http.Header{"X-Key": {"k", "k"}, "Authorization": {"Bearer t", "Bearer u"}}
	const want = "header x-key is there more than once, or header Authorization is there more than once"
	if got := credentialsFault(twice, [][]Scheme{{key}, {bearer}}); got != want {
		t.Errorf("credentials that stand there twice: %q, want %q", got, want)
	}
	if got := New(Spec{Schemes: []Scheme{key, query, basic}}).CredentialHeaders; len(got) != 4 || got[3] != "X-Key" {
		t.Errorf("credentials stand in the headers %q", got)
	}
}

func TestALocationTakesTheBytes(t *testing.T) {
	c := parsed(t, depotSpec(t))
	start, _ := http.NewRequest("POST", "https://h/v2/objects", nil)
	x := c.Begin(start, Watch{})
	x.Learn(http.Header{"Location": {"https://s.example/session/1?upload_id=abcdefgh"}}, []byte(`{"id":"o-1"}`))
	x.Learn(http.Header{"Location": {"/v2/objects/o-1"}}, []byte(`{"id":"o-1"}`))
	put, _ := http.NewRequest("PUT", "https://s.example/session/1?upload_id=abcdefgh", strings.NewReader("x"))
	put.Header.Set("X-Goog-Meta", "1")
	put.Host = "" // net/http takes the URL's
	if x := c.Begin(put, Watch{}); x.Op() != Presigned || len(x.CheckRequest(true)) != 0 || x.FileIDs()[0] != "o-1" {
		t.Errorf("the session's URL is taken for %q", x.Op())
	}
	put.Header.Set("X-Depot-Key", "k")
	if broken := c.Begin(put, Watch{}).CheckRequest(true); len(broken) != 1 || broken[0].Rule != RuleForeign {
		t.Errorf("the API's key at another host: %v", broken)
	}
	received := httptest.NewRequest("POST", "/v2/objects", nil)
	c.Begin(received, Watch{}).Learn(http.Header{"Location": {"/session/2"}}, nil)
	if x := c.Begin(httptest.NewRequest("PUT", "/session/2", nil), Watch{}); x.Op() != Presigned {
		t.Errorf("the session's path is taken for %q", x.Op())
	}
	look, _ := http.NewRequest("GET", "https://h/v2/objects/o-1", nil)
	if x := c.Begin(look, Watch{}); x.Op() != "look" {
		t.Errorf("the Location of an operation is taken for %q", x.Op())
	}
}

// A rule that nobody looks at would be worse than none.
func TestADocumentWithAnUnknownWordIsRefused(t *testing.T) {
	depot := string(depotSpec(t))
	for _, c := range []struct{ old, word, want string }{
		{"name: {type: string}", "name: {type: string, multipleOf: 2}", `unknown field "multipleOf"`},
		{"name: {type: string}", "name: {type: string, format: email}", `the format "email"`},
		{"name: {type: string}", "name: {type: string, enum: [1]}", "cannot unmarshal number"},
		{"name: {type: string}", "name: {not: {type: string}}", `unknown field "not"`},
		{"in: query, required", "in: cookie, required", `parameter name: its place "cookie" is not known`},
		{"in: query, required", "in: query, style: form, required", `unknown field "style"`},
		{"schema: {type: integer}}", "schema: {type: object}}", "it must have a schema with a simple type"},
		{"items: {type: string, format: binary}", "items: {type: string}", "field file: it must be a file"},
		{", items: {type: string, format: binary}", "", "field file: it must be a file"},
		{"required: [file]", "additionalProperties: true", "must be an object that names all fields"},
		{"name: {type: string}", "name: {type: string, format: int64}",
			`the format "int64" of a value of type "string"`},
		{"name: {type: string}", "name: {type: number, format: int64}",
			`the format "int64" of a value of type "number"`},
		{"name: {type: string}", "name: {type: integer, format: double}", `the format "double"`},
		{"    Announcement:\n", "    Announcement:\n      $ref: '#/components/schemas/Announcement'\n",
			"round in a circle"},
		{"operationId: look", "callbacks: {}", `unknown field "callbacks"`},
		{"schemas/Announcement'", "schemas/None'", "#/components/schemas/None refers to nothing in this document"},
		{"contentType: {type: string, minLength: 3}", "contentType: {$ref: '#/components/schemas/Announcement'}",
			"references go round in a circle"},
	} {
		changed := strings.Replace(depot, c.old, c.word, 1)
		if _, err := Parse([]byte(changed)); changed == depot || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.word, err, c.want)
		}
	}
}
