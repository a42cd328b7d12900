package standin_test

import (
	"crypto/tls"
	"encoding/xml"
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
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

// s3 checks that the answer is an error in S3's form.
func (a answer) s3(status int, code string) answer {
	a.T.Helper()
	var e struct {
		XMLName                  xml.Name `xml:"Error"`
		Code, Message, RequestId string
	}
	err := xml.Unmarshal([]byte(a.Text), &e)
	if err != nil || e.Message == "" || a.Status != status || e.Code != code {
		a.T.Errorf("%s: %d %s (%v), want %d %s", a.Asked, a.Status, a.Text, err, status, code)
	}
	if id := a.Header.Get("x-amz-request-id"); id == "" || id != e.RequestId {
		a.T.Errorf("request id %q in the header, %q in the body", id, e.RequestId)
	}
	if got := a.Header.Get("Content-Type"); got != "application/xml" {
		a.T.Errorf("Content-Type %s", got)
	}
	return a
}

// FuzzPresignedURL holds when the life ends.
func TestPresignedURLOverwritesWithinItsLife(t *testing.T) {
	s := serve(t, standin.Config{})
	i := s.initiate("text/plain")
	for _, content := range []string{"first", "", "third"} {
		s.put(i.UploadURL, "text/plain", content).Is(200)
		if got, _ := s.stored(i.FileID); got != content {
			t.Errorf("stored %q, want %q", got, content)
		}
	}
}

func TestPresignedURLTakesNothingElse(t *testing.T) {
	const plain, mismatch, denied = "text/plain", "SignatureDoesNotMatch", "AccessDenied"
	s := serve(t, standin.Config{MaxSize: 100})
	i, other := s.initiate(plain), s.initiate(plain)
	u, err := url.Parse(i.UploadURL)
	must(t, err)
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
			a := s.do(c.method, c.target, strings.NewReader(c.body), "Content-Type", c.contentType).
				s3(c.status, c.code)
			if got := a.Header.Get("Allow"); c.status == 405 && got != "PUT" {
				t.Errorf("Allow: %s", got)
			}
		})
	}
	more := func(header string) answer {
		return s.do("PUT", i.UploadURL, strings.NewReader("x"), "Content-Type", "text/plain", header, "x")
	}
	more("Authorization").s3(400, "InvalidArgument")
	more("X-Amz-Meta-Name").s3(403, "AccessDenied")
	more("x-amz-acl").s3(403, "AccessDenied")
	raw(t, i.UploadURL, "PUT URI HTTP/1.1\nHost: x\nContent-Type: text/plain\nContent-Type: text/html\n"+
		"Content-Length: 1\n\nx", false).s3(403, "SignatureDoesNotMatch")
	for _, id := range []string{i.FileID, other.FileID} {
		if got, _ := s.stored(id); got != "nothing" {
			t.Errorf("stored: %q", got)
		}
	}
	s.put(i.UploadURL, "text/plain", strings.Repeat("x", 100)).Is(200) // the URL as it is, with the largest file
	for _, no := range []string{signature, expires, "%!"} {            // the last shows a wrong format
		if strings.Contains(s.log.String(), no) {
			t.Errorf("the log shows %s", no)
		}
	}
}

// raw sends bytes to the URL's host and returns the answer.
func raw(t *testing.T, target, request string, hangUp bool) answer {
	t.Helper()
	u, err := url.Parse(target)
	must(t, err)
	conn := standintest.Dial(t, u.Host, strings.ReplaceAll(request, "URI", u.RequestURI()))
	if hangUp {
		conn.(*net.TCPConn).CloseWrite()
	}
	return answer{standintest.Receive(t, conn)}
}

func TestPresignedBodyHasALengthAndComesWhole(t *testing.T) {
	s := serve(t, standin.Config{Stall: 50 * time.Millisecond})
	i := s.initiate("text/plain")
	const head = "PUT URI HTTP/1.1\nHost: x\nContent-Type: text/plain\n"
	for _, framing := range []string{"Transfer-Encoding: chunked\n\n4\nfile\n0\n\n", "\n"} {
		raw(t, i.UploadURL, head+framing, false).s3(411, "MissingContentLength")
	}
	for hangUp, want := range map[bool]string{true: "IncompleteBody", false: "RequestTimeout"} {
		raw(t, i.UploadURL, head+"Content-Length: 100\n\nonly this", hangUp).s3(400, want)
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Errorf("stored: %q", got)
	}
	raw(t, i.UploadURL, head+"Content-Length: 0\n\n", false).Is(200)
	if got, _ := s.stored(i.FileID); got != "" {
		t.Errorf("stored of an empty file: %q", got)
	}
}

func TestFullStoreIsTooLarge(t *testing.T) {
	s := serve(t, standin.Config{Store: store.Memory(1 << 20)})
	i := s.initiate("a/b")
	s.put(i.UploadURL, "a/b", strings.Repeat("x", 2<<20)).s3(413, "EntityTooLarge")
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Error("something is stored")
	}
	s.put(i.UploadURL, "a/b", "fits").Is(200)
	if log := s.log.String(); !strings.Contains(log, store.ErrFull.Error()) {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

func TestURLHasTheOriginOfTheCaller(t *testing.T) {
	s := serve(t, standin.Config{})
	behind := serve(t, standin.Config{Origin: func(*http.Request) string { return "https://public.example" }})
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
	s := serve(t, standin.Config{})
	i := s.initiate("a/b")
	for _, c := range []struct{ url, method, traceID string }{
		{i.UploadURL, http.MethodPut, "X-Amz-Request-Id"},
		{"/v1/fileUpload", http.MethodPost, "X-Trace-Id"},
		{"/v1/fileUpload/" + i.FileID, http.MethodGet, "X-Trace-Id"},
		{"/oauth/token", http.MethodPost, "X-Trace-Id"},
	} {
		preflight := s.do(http.MethodOptions, c.url, nil, "Origin", "https://app.example",
			"Access-Control-Request-Method", c.method).Is(http.StatusNoContent)
		if got := preflight.Header.Get("Access-Control-Allow-Methods"); !strings.Contains(got, c.method) {
			t.Errorf("%s: the preflight allows %s", c.url, got)
		}
		h := s.do(c.method, c.url, nil, "Origin", "https://app.example").Header // of a refusal
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get(c.traceID) == "" ||
			!strings.Contains(h.Get("Access-Control-Expose-Headers"), c.traceID) {
			t.Errorf("%s: the answer has %v", c.url, h)
		}
		// The provider documents it for every status of its own services.
		got := h.Get("Access-Control-Allow-Credentials")
		if (got == "true") != strings.HasPrefix(c.url, "/v1/") {
			t.Errorf("%s: Access-Control-Allow-Credentials is %q", c.url, got)
		}
	}
}
