package standin_test

import (
	"bufio"
	"crypto/tls"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store"
)

// s3Code reads the code out of an error in S3's form.
func s3Code(t *testing.T, resp *http.Response, text string) string {
	t.Helper()
	var e struct {
		XMLName                  xml.Name `xml:"Error"`
		Code, Message, RequestId string
	}
	if err := xml.Unmarshal([]byte(text), &e); err != nil || e.Message == "" {
		t.Errorf("not an error in S3's form: %v\n%s", err, text)
	}
	if id := resp.Header.Get("x-amz-request-id"); id == "" || id != e.RequestId {
		t.Errorf("request id %q in the header, %q in the body", id, e.RequestId)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/xml" {
		t.Errorf("Content-Type %s", got)
	}
	return e.Code
}

// FuzzPresignedURL holds when the life ends.
func TestPresignedURLOverwritesWithinItsLife(t *testing.T) {
	s := serve(t, config())
	i := s.initiate("text/plain")
	for _, content := range []string{"first", "", "third"} {
		if resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader(content), "Content-Type", "text/plain",
			"Content-Length", "0"); resp.StatusCode != http.StatusOK {
			t.Fatalf("%q: %d %s", content, resp.StatusCode, text)
		}
		if got, _ := s.stored(i.FileID); got != content {
			t.Errorf("stored %q, want %q", got, content)
		}
	}
}

func TestPresignedURLTakesNothingElse(t *testing.T) {
	const plain, mismatch, denied = "text/plain", "SignatureDoesNotMatch", "AccessDenied"
	cfg := config()
	cfg.MaxSize = 100
	s := serve(t, cfg)
	i, other := s.initiate(plain), s.initiate(plain)
	u, err := url.Parse(i.UploadURL)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		v, q := *u, u.Query()
		q.Set(name, value)
		v.RawQuery = q.Encode()
		return v.String()
	}
	signature, expires := u.Query().Get("signature"), u.Query().Get("expires")
	end, _ := strconv.ParseInt(expires, 10, 64)
	flipped := strings.Map(func(r rune) rune {
		if r == '0' {
			return '1'
		}
		return '0'
	}, signature)
	for _, c := range []struct {
		what, method, target, contentType string
		body                              string
		status                            int
		code                              string
	}{
		{"another signature", "PUT", with("signature", flipped), plain, "x", 403, mismatch},
		{"a later end", "PUT", with("expires", strconv.FormatInt(end+3600, 10)), plain, "x", 403, mismatch},
		{"no number", "PUT", with("expires", "never"), plain, "x", 403, denied},
		{"another parameter", "PUT", i.UploadURL + "&x=y", plain, "x", 403, denied},
		{"a parameter twice", "PUT", i.UploadURL + "&expires=" + expires, plain, "x", 403, denied},
		{"a query that is none", "PUT", i.UploadURL + "&%zz", plain, "x", 403, denied},
		{"no query", "PUT", s.url + u.Path, plain, "x", 403, denied},
		{"another type", "PUT", i.UploadURL, "text/html", "x", 403, mismatch},
		{"GET", "GET", i.UploadURL, plain, "", 405, "MethodNotAllowed"},
		{"too large", "PUT", i.UploadURL, plain, strings.Repeat("x", 101), 413, "EntityTooLarge"},
	} {
		t.Run(c.what, func(t *testing.T) {
			resp, body := s.do(c.method, c.target, strings.NewReader(c.body), "Content-Type", c.contentType)
			if code := s3Code(t, resp, body); resp.StatusCode != c.status || code != c.code {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, body, c.status, c.code)
			}
			if c.status == 405 && resp.Header.Get("Allow") != "PUT" {
				t.Errorf("Allow: %s", resp.Header.Get("Allow"))
			}
		})
	}
	for _, header := range []string{"Authorization", "X-Amz-Meta-Name", "x-amz-acl"} {
		resp, text := s.do("PUT", i.UploadURL, strings.NewReader("x"), "Content-Type", "text/plain", header, "x")
		want := "403 AccessDenied"
		if header == "Authorization" {
			want = "400 InvalidArgument"
		}
		if got := fmt.Sprint(resp.StatusCode, " ", s3Code(t, resp, text)); got != want {
			t.Errorf("with %s: %s, want %s", header, got, want)
		}
	}
	resp, text := raw(t, i.UploadURL,
		"PUT URI HTTP/1.1\nHost: x\nContent-Type: text/plain\nContent-Type: text/html\nContent-Length: 1\n\nx", false)
	if code := s3Code(t, resp, text); resp.StatusCode != http.StatusForbidden || code != "SignatureDoesNotMatch" {
		t.Errorf("two types: %d %s", resp.StatusCode, text)
	}
	for _, id := range []string{i.FileID, other.FileID} {
		if got, _ := s.stored(id); got != "nothing" {
			t.Errorf("stored: %q", got)
		}
	}
	if resp, _ := s.do("PUT", i.UploadURL, strings.NewReader(strings.Repeat("x", 100)), "Content-Type",
		"text/plain"); resp.StatusCode != http.StatusOK {
		t.Errorf("the URL as it is, with the largest file: %d", resp.StatusCode)
	}
	for _, no := range []string{signature, expires, "%!"} { // the last shows a wrong format
		if strings.Contains(s.log.String(), no) {
			t.Errorf("the log shows %s", no)
		}
	}
}

// raw sends bytes to the URL's host and returns the answer.
func raw(t *testing.T, target, request string, hangUp bool) (*http.Response, string) {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	conn := standintest.Dial(t, u.Host, strings.ReplaceAll(request, "URI", u.RequestURI()))
	if hangUp {
		conn.(*net.TCPConn).CloseWrite()
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	return resp, string(text)
}

func TestPresignedBodyHasALengthAndComesWhole(t *testing.T) {
	cfg := config()
	cfg.Stall = 50 * time.Millisecond
	s := serve(t, cfg)
	i := s.initiate("text/plain")
	const head = "PUT URI HTTP/1.1\nHost: x\nContent-Type: text/plain\n"
	for what, framing := range map[string]string{"chunked": "Transfer-Encoding: chunked\n\n4\nfile\n0\n\n",
		"no length": "\n"} {
		resp, text := raw(t, i.UploadURL, head+framing, false)
		if code := s3Code(t, resp, text); resp.StatusCode != http.StatusLengthRequired ||
			code != "MissingContentLength" {
			t.Errorf("%s: %d %s", what, resp.StatusCode, text)
		}
	}
	for hangUp, want := range map[bool]string{true: "IncompleteBody", false: "RequestTimeout"} {
		resp, text := raw(t, i.UploadURL, head+"Content-Length: 100\n\nonly this", hangUp)
		if code := s3Code(t, resp, text); resp.StatusCode != http.StatusBadRequest || code != want {
			t.Errorf("half a body, want %s: %d %s", want, resp.StatusCode, text)
		}
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Errorf("stored: %q", got)
	}
	if resp, _ := raw(t, i.UploadURL, head+"Content-Length: 0\n\n", false); resp.StatusCode != http.StatusOK {
		t.Errorf("an empty file: %d", resp.StatusCode)
	}
	if got, _ := s.stored(i.FileID); got != "" {
		t.Errorf("stored of an empty file: %q", got)
	}
}

func TestFullStoreIsTooLarge(t *testing.T) {
	cfg := config()
	cfg.Store = store.Memory(1 << 20)
	s := serve(t, cfg)
	i := s.initiate("a/b")
	resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader(strings.Repeat("x", 2<<20)),
		"Content-Type", "a/b")
	if code := s3Code(t, resp, text); resp.StatusCode != http.StatusRequestEntityTooLarge || code != "EntityTooLarge" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Error("something is stored")
	}
	if resp, _ := s.do(http.MethodPut, i.UploadURL, strings.NewReader("fits"), "Content-Type",
		"a/b"); resp.StatusCode != http.StatusOK {
		t.Errorf("a file that fits: %d", resp.StatusCode)
	}
	if log := s.log.String(); !strings.Contains(log, store.ErrFull.Error()) {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

func TestURLHasTheOriginOfTheCaller(t *testing.T) {
	s := serve(t, config())
	public := config()
	public.Origin = func(*http.Request) string { return "https://public.example" }
	behind := serve(t, public)
	ask := func(s *service, edit func(*http.Request)) string {
		r := httptest.NewRequest(http.MethodPost, "/v1/fileUpload", strings.NewReader(`{"contentType":"a/b"}`))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		edit(r)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		_, after, _ := strings.Cut(w.Body.String(), `"uploadUrl":"`)
		base, _, _ := strings.Cut(after, "/upload/")
		return base
	}
	if got := ask(s, func(r *http.Request) { r.Host = "files.example:8080" }); got != "http://files.example:8080" {
		t.Errorf("plain: %s", got)
	}
	if got := ask(s, func(r *http.Request) {
		r.Host = "files.example"
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-Host", "evil.example")
		r.Header.Set("Forwarded", "proto=https;host=evil.example")
	}); got != "http://files.example" {
		t.Errorf("headers that a caller may have made up: %s", got)
	}
	if got := ask(behind, func(*http.Request) {}); got != "https://public.example" {
		t.Errorf("with an Origin: %s", got)
	}
	if got := ask(s, func(r *http.Request) { r.TLS = new(tls.ConnectionState) }); got != "https://example.com" {
		t.Errorf("TLS: %s", got)
	}
}

// Standinhttp holds what a preflight asks for, and what a script may read.
func TestScriptsOfOtherOriginsMayUpload(t *testing.T) {
	s := serve(t, config())
	i := s.initiate("a/b")
	for _, c := range []struct{ url, method, traceID string }{
		{i.UploadURL, http.MethodPut, "X-Amz-Request-Id"},
		{"/v1/fileUpload", http.MethodPost, "X-Trace-Id"},
		{"/v1/fileUpload/" + i.FileID, http.MethodGet, "X-Trace-Id"},
		{"/oauth/token", http.MethodPost, "X-Trace-Id"},
	} {
		resp, _ := s.do(http.MethodOptions, c.url, nil, "Origin", "https://app.example",
			"Access-Control-Request-Method", c.method)
		if h := resp.Header; resp.StatusCode != http.StatusNoContent ||
			!strings.Contains(h.Get("Access-Control-Allow-Methods"), c.method) {
			t.Errorf("%s: the preflight is answered with %d %v", c.url, resp.StatusCode, h)
		}
		resp, _ = s.do(c.method, c.url, nil, "Origin", "https://app.example") // refused
		exposed := resp.Header.Get("Access-Control-Expose-Headers")
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(exposed, c.traceID) ||
			resp.Header.Get(c.traceID) == "" {
			t.Errorf("%s: the answer is %d %v", c.url, resp.StatusCode, resp.Header)
		}
		// The provider documents it for every status of its own services.
		got := resp.Header.Get("Access-Control-Allow-Credentials")
		if (got == "true") != strings.HasPrefix(c.url, "/v1/") {
			t.Errorf("%s: Access-Control-Allow-Credentials is %q", c.url, got)
		}
	}
}
