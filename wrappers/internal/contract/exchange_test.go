package contract

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// sized returns a request that arrived with the type and the length of its body.
func sized(method, uri, contentType, body string) *http.Request {
	r := httptest.NewRequest(method, uri, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Content-Length", fmt.Sprint(len(body)))
	r.Header.Set("X-Depot-Key", "k")
	return r
}

// looked returns the violations of a request that is read to its end.
func looked(c *Contract, r *http.Request, w Watch) (string, *Exchange) {
	x := c.Begin(r, w)
	if body := x.Watching(r.Context(), r).Body; body != nil {
		for p := make([]byte, 3); ; p = make([]byte, 1<<10) {
			if _, err := body.Read(p); err == io.EOF {
				break
			}
		}
	}
	return rules(x.CheckRequest(true)), x
}

// A body that broke off, or was not read, breaks no rule.
func TestOnlyAWholeBodyIsHeldToTheSpec(t *testing.T) {
	c := parsed(t, depotSpec(t))
	const chunked, missingType = "request length: chunked: the length of the body is not stated",
		`request body: at /contentType: property "contentType" is missing`
	broken := io.MultiReader(strings.NewReader("{"), iotest.ErrReader(io.ErrUnexpectedEOF))
	for _, tc := range []struct {
		name   string
		body   io.Reader
		length int64
		want   string
	}{
		{"whole", strings.NewReader("{}"), 2, missingType},
		{"whole and chunked", strings.NewReader(`{      }`), -1, chunked + "; " + missingType},
		{"shorter than it says", strings.NewReader("{}"), 3, ""},
		{"no body", http.NoBody, 0, "request body: value is required but missing"},
		{"as long as is checked", strings.NewReader("{" + strings.Repeat(" ", Keep-2) + "}"), Keep, missingType},
		{"longer than is checked", strings.NewReader("{" + strings.Repeat(" ", Keep-1) + "}"), Keep + 1, ""},
		{"empty", strings.NewReader(""), 0, "request body: value is required but missing"},
		{"broken off", &endsAfter{broken}, -1, chunked},
	} {
		r := sized("POST", "/v2/objects", "application/json", "")
		r.Body, r.ContentLength = io.NopCloser(tc.body), tc.length
		if tc.body == http.NoBody {
			r.Body = http.NoBody
		}
		if tc.length < 0 {
			r.TransferEncoding = []string{"chunked"}
		}
		if got, _ := looked(c, r, Watch{}); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// endsAfter ends after the first error, as the bodies of net/http do.
type endsAfter struct{ io.Reader }

func (e *endsAfter) Read(p []byte) (int, error) {
	n, err := e.Reader.Read(p)
	if err != nil {
		e.Reader = strings.NewReader("")
	}
	return n, err
}

func TestARequestSaysTheLengthOfItsBody(t *testing.T) {
	c := parsed(t, depotSpec(t))
	c.grant("https://s.example/o", &grant{upload: true})
	const none = "request length: no Content-Length"
	const unknown = "request address: neither an operation of the spec nor, byte for byte, a URL that an " +
		"answer handed out"
	const requeried = "request address: a URL that an answer handed out, but with another query: send it byte for byte"
	const chunked = "request length: chunked: the length of the body is not stated"
	for _, tc := range []struct {
		method, url string
		received    bool
		body        io.Reader
		said        string
		want        string
	}{
		{"PUT", "https://s.example/o", false, nil, "", ""},
		{"PUT", "https://s.example/o", false, http.NoBody, "", ""},
		{"PUT", "https://s.example/o", false, strings.NewReader("x"), "", ""},
		{"PUT", "https://s.example/o", false, io.MultiReader(), "", chunked},
		{"PUT", "https://s.example/o", true, strings.NewReader("x"), "", none},
		{"PUT", "https://s.example/o", true, strings.NewReader("x"), "1", ""},
		{"GET", "https://s.example/o", true, nil, "", ""},
		{"HEAD", "https://s.example/o", true, nil, "", ""},
		{"GET", "https://h/v2/objects/o-1", true, nil, "", ""},
		{"POST", "https://h/elsewhere", true, nil, "", unknown},
		{"GET", "https://s.example/o?a=1", true, nil, "", requeried},
		{"GET", "https://s.example/o/p", true, nil, "", unknown},
		{"GET", "https://h/v2/objects", true, nil, "", unknown}, // an id is not empty
	} {
		r, _ := http.NewRequest(tc.method, tc.url, tc.body)
		if tc.received {
			r = httptest.NewRequest(tc.method, tc.url, tc.body)
			r.RequestURI = r.URL.RequestURI()
		}
		if tc.said != "" {
			r.Header.Set("Content-Length", tc.said)
		}
		if !strings.HasPrefix(tc.url, "https://s.") {
			r.Header.Set("X-Depot-Key", "k")
		}
		if got, _ := looked(c, r, Watch{}); got != tc.want {
			t.Errorf("%s %s, received %t, Content-Length %q: %q, want %q", tc.method, tc.url, tc.received,
				tc.said, got, tc.want)
		}
	}
}

func TestAFileThatPassesByIsRemembered(t *testing.T) {
	c := parsed(t, depotSpec(t))
	c.OthersPass = true
	(&Exchange{c: c}).Learn(nil, []byte(`{"uploadUrl":"http://example.com/s?name=s",
		"headers":{"Content-Disposition":"attachment; filename=s"}}`))
	const sum = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589" // of abcd
	const form = "--b\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nvalue\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"d/f\"\r\nContent-Type: " +
		"a/b\r\n\r\nabcd\r\n--b--\r\n"
	for _, tc := range []struct {
		uri, typ, disposition, body string
		w                           Watch
		want, head                  string
	}{
		{"/v2/raw?name=n", "a/b", "", "abcd", Watch{Head: 2, Sum: true}, "[{ n a/b 4 " + sum + " ab}]", "ab"},
		{"/v2/raw?name=n", "a/b", "", "abcd", Watch{}, "[{ n a/b 4  }]", ""},
		{"/v2/raw?File-Name=n", "a/b", "", "", Watch{Head: 2}, "[{ n a/b 0  }]", ""},
		{"/v2/raw?rename=n", "a/b", "", "x", Watch{}, "[{  a/b 1  }]", ""},
		{"/v2/raw?name=n", "a/b", `attachment; filename="o"`, "x", Watch{}, "[{ o a/b 1  }]", ""},
		{"/v2/raw?name=n", "", "", "x", Watch{}, "[{ n  1  }]", ""},
		{"/v2/raw?name=n", "a/b", "attachment", "x", Watch{}, "[{ n a/b 1  }]", ""},
		{"/v2/raw?name=n", "a/b", "attachment; filename", "x", Watch{}, "[{ n a/b 1  }]", ""},
		{"/v2/forms", "multipart/form-data; boundary=b", "", form, Watch{Head: 2, Sum: true},
			"[{file d/f a/b 4 " + sum + " ab}]", "--"},
		{"/v2/objects", "application/json", "", "{}  ", Watch{Head: 2}, "[]", "{}  "},
		{"/s?name=s", "a/b", "attachment; filename=s", "x", Watch{}, "[{  a/b 1  }]", ""},
		{"/s?name=s", "a/b", "attachment; filename=c", "x", Watch{}, "[{ c a/b 1  }]", ""},
		{"/elsewhere", "a/b", "", "abcd", Watch{Head: 2}, "[]", "ab"},
	} {
		r := sized("POST", tc.uri, tc.typ, tc.body)
		if tc.disposition != "" {
			r.Header.Set("Content-Disposition", tc.disposition)
		}
		_, x := looked(c, r, tc.w)
		got := []string{}
		for _, f := range x.Files() {
			got = append(got, fmt.Sprintf("{%s %s %s %d %s %s}", f.Field, f.Name, f.ContentType, f.Size,
				f.SHA256, f.Body))
		}
		_, head := x.Received()
		if fmt.Sprint(got) != tc.want || string(head) != tc.head {
			t.Errorf("%s: %s, and %q of the body; want %s and %q", tc.uri, got, head, tc.want, tc.head)
		}
		if fields := x.Fields(); tc.uri == "/v2/forms" && fmt.Sprint(fields) != "map[n:[value]]" {
			t.Errorf("the fields are %v", fields)
		}
	}
}

// In a path of an operation each id is the spec's word for it.
func TestAPlaceIsTheSpecsOwnPath(t *testing.T) {
	atRoot := bytes.Replace(depotSpec(t), []byte("https://{host}/v2"), []byte("https://{host}"), 1)
	for uri, want := range map[string]string{
		"/v2/objects/o-1":    "GET /v2/objects/{id}",
		"/v2/objects/o-1/":   "GET /v2/objects/{id}",
		"/eu/v2/objects/o-1": "GET /eu/v2/objects/{id}",
		"/v2/elsewhere/o-1":  "GET /v2/elsewhere/o-1",
		"/objects/o-1":       "GET /objects/{id}",
	} {
		spec := depotSpec(t)
		if uri == "/objects/o-1" {
			spec = atRoot
		}
		c := parsed(t, spec)
		r := httptest.NewRequest("GET", uri, nil)
		if broken := c.Begin(r, Watch{}).CheckRequest(true); len(broken) != 1 || broken[0].At != want {
			t.Errorf("%s: %v, want one at %s", uri, broken, want)
		}
	}
}

// A body is sent again where a kept connection turns out to be dead.
func TestABodyThatIsSentAgainCountsFromItsFirstByte(t *testing.T) {
	c := parsed(t, depotSpec(t))
	r, _ := http.NewRequest("POST", "https://h/v2/raw?name=n", strings.NewReader("abc"))
	x := c.Begin(r, Watch{})
	sent := x.Watching(r.Context(), r)
	_, _ = io.Copy(io.Discard, sent.Body)
	again, err := sent.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = again.Read(make([]byte, 2))
	if size, _ := x.Received(); size != 2 {
		t.Errorf("%d bytes count, want 2", size)
	}
	if r.GetBody = nil; x.Watching(r.Context(), r).GetBody != nil {
		t.Error("a body that cannot be had again is promised again")
	}
}

// A server may answer before the body has come.
func TestABodyCountsUntilTheRequestIsFinished(t *testing.T) {
	c := parsed(t, depotSpec(t))
	r := sized("POST", "/v2/objects", "application/json", "{  }")
	x := c.Begin(r, Watch{})
	body := x.Watching(r.Context(), r).Body
	read := func() int64 {
		_, _ = body.Read(make([]byte, 1))
		size, _ := x.Received()
		return size
	}
	read()
	if early := x.CheckRequest(false); len(early) != 0 || x.Checked() || read() != 2 {
		t.Errorf("a body that is still to come is checked: %v", early)
	}
	if late := x.CheckRequest(true); len(late) != 0 || !x.Checked() || read() != 2 {
		t.Errorf("a body that did not come is checked, or counts afterwards: %v", late)
	}
}

func TestABodyThatNoOperationTakesIsNotLookedAt(t *testing.T) {
	for _, typ := range []string{"application/json", "multipart/form-data; boundary=b"} {
		r := sized("GET", "/v2/objects/o-1", typ, "--b--")
		if got, _ := looked(parsed(t, depotSpec(t)), r, Watch{}); got != "" {
			t.Errorf("%s: got %q", typ, got)
		}
	}
}

func TestAHeadThatIsRememberedMayChange(t *testing.T) {
	c := parsed(t, depotSpec(t))
	r := sized("GET", "/v2/objects/o-1", "", "")
	x := c.Begin(r, Watch{Head: 1})
	r.Header.Del("X-Depot-Key")
	if got := rules(x.CheckRequest(true)); got != "" {
		t.Errorf("got %q of a header that was there", got)
	}
}

func TestAnIDHasManySpellings(t *testing.T) {
	for name, want := range map[string]bool{"fileId": true, "file_id": true, "FILE-ID": true, "fileid": true,
		"fileIds": false, "id": false, "file": false, "": false} {
		if isFileID(name) != want {
			t.Errorf("%q names a file's id: %t, want %t", name, !want, want)
		}
	}
	c := &Contract{grants: map[string]*grant{}}
	for answer, want := range map[string][]string{
		`{"id":"1","list":[{"id":2}]}`: {"1", "2"}, `{"id":"1","fileId":"2"}`: {"2"}, `{"name":"1"}`: {"old"},
	} {
		x := &Exchange{c: c, ids: []string{"old"}, head: httptest.NewRequest("GET", "/", nil)}
		x.Learn(nil, []byte(answer))
		if !slices.Equal(x.FileIDs(), want) {
			t.Errorf("%s is about %q, want %q", answer, x.FileIDs(), want)
		}
	}
}
