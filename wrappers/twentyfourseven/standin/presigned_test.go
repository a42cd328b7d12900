package standin_test

import (
	"bufio"
	"context"
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

func TestPresignedURLOverwritesWithinItsLife(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	cfg := config()
	cfg.Now, cfg.URLLife = clock.Now, time.Minute
	s := serve(t, cfg)
	i := s.initiate("text/plain")
	for _, content := range []string{"first", "", "third"} {
		clock.Add(19 * time.Second)
		if resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader(content), "Content-Type", "text/plain",
			"Content-Length", "0"); resp.StatusCode != http.StatusOK {
			t.Fatalf("%q: %d %s", content, resp.StatusCode, text)
		}
		if got, _ := s.stored(i.FileID); got != content {
			t.Errorf("stored %q, want %q", got, content)
		}
	}
	clock.Add(2 * time.Second) // 59 s
	if resp, _ := s.do(http.MethodPut, i.UploadURL, strings.NewReader("last"), "Content-Type",
		"text/plain"); resp.StatusCode != http.StatusOK {
		t.Errorf("a second before its end: %d", resp.StatusCode)
	}
	clock.Add(time.Second)
	resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader("late"), "Content-Type", "text/plain")
	if code := s3Code(t, resp, text); resp.StatusCode != http.StatusForbidden || code != "AccessDenied" ||
		!strings.Contains(text, "Request has expired") {
		t.Errorf("at its end: %d %s", resp.StatusCode, text)
	}
	if got, _ := s.stored(i.FileID); got != "last" {
		t.Errorf("stored in the end: %q", got)
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
		{"half a signature", "PUT", with("signature", signature[:32]), plain, "x", 403, mismatch},
		{"an empty signature", "PUT", with("signature", ""), plain, "x", 403, mismatch},
		{"a signature in capitals", "PUT", with("signature", strings.ToUpper(signature)), plain, "x", 403, mismatch},
		{"a later end", "PUT", with("expires", strconv.FormatInt(end+3600, 10)), plain, "x", 403, mismatch},
		{"the end written otherwise", "PUT", with("expires", "0"+expires), plain, "x", 403, mismatch},
		{"no number", "PUT", with("expires", "never"), plain, "x", 403, denied},
		{"another parameter", "PUT", i.UploadURL + "&x=y", plain, "x", 403, denied},
		{"a parameter twice", "PUT", i.UploadURL + "&expires=" + expires, plain, "x", 403, denied},
		{"a query that is none", "PUT", i.UploadURL + "&%zz", plain, "x", 403, denied},
		{"no query", "PUT", s.url + u.Path, plain, "x", 403, denied},
		{"another file", "PUT", strings.Replace(i.UploadURL, i.FileID, other.FileID, 1), plain, "x", 403, mismatch},
		{"a path in place of the file", "PUT", strings.Replace(i.UploadURL, i.FileID, "..%2F..%2Fetc", 1), plain, "x", 403,
			mismatch},
		{"another type", "PUT", i.UploadURL, "text/html", "x", 403, mismatch},
		{"the type written otherwise", "PUT", i.UploadURL, "Text/Plain", "x", 403, mismatch},
		{"a type with more to it", "PUT", i.UploadURL, "text/plain; charset=utf-8", "x", 403, mismatch},
		{"no type", "PUT", i.UploadURL, "", "x", 403, mismatch},
		{"GET", "GET", i.UploadURL, plain, "", 405, "MethodNotAllowed"},
		{"POST", "POST", i.UploadURL, plain, "x", 405, "MethodNotAllowed"},
		{"DELETE", "DELETE", i.UploadURL, plain, "", 405, "MethodNotAllowed"},
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
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	request = strings.ReplaceAll(strings.ReplaceAll(request, "\n", "\r\n"), "URI", u.RequestURI())
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
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

func TestPresignedBodyHasALength(t *testing.T) {
	s := serve(t, config())
	i := s.initiate("text/plain")
	const head = "PUT URI HTTP/1.1\nHost: x\nContent-Type: text/plain\n"
	for what, framing := range map[string]string{"chunked": "Transfer-Encoding: chunked\n\n4\nfile\n0\n\n",
		"no length": "\n"} {
		resp, text := raw(t, i.UploadURL, head+framing, false)
		if code := s3Code(t, resp, text); resp.StatusCode != http.StatusLengthRequired || code != "MissingContentLength" {
			t.Errorf("%s: %d %s", what, resp.StatusCode, text)
		}
	}
	resp, text := raw(t, i.UploadURL, head+"Content-Length: 100\n\nonly this", true)
	if code := s3Code(t, resp, text); resp.StatusCode != http.StatusBadRequest || code != "IncompleteBody" {
		t.Errorf("torn: %d %s", resp.StatusCode, text)
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

func TestPresignedBodyThatStallsIsRefused(t *testing.T) {
	cfg := config()
	cfg.Stall = 50 * time.Millisecond
	s := serve(t, cfg)
	i := s.initiate("text/plain")
	resp, text := raw(t, i.UploadURL,
		"PUT URI HTTP/1.1\nHost: x\nContent-Type: text/plain\nContent-Length: 100\n\nonly this", false)
	if code := s3Code(t, resp, text); resp.StatusCode != http.StatusBadRequest || code != "RequestTimeout" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Errorf("stored: %q", got)
	}
}

func TestFullStoreIsTooLarge(t *testing.T) {
	cfg := config()
	cfg.Store = store.Memory(1 << 20)
	s := serve(t, cfg)
	i := s.initiate("a/b")
	// Three bodies larger than a socket's buffer, sent without waiting for 100.
	for range 3 {
		resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader(strings.Repeat("x", 32<<20)), "Content-Type", "a/b")
		if code := s3Code(t, resp, text); resp.StatusCode != http.StatusRequestEntityTooLarge || code != "EntityTooLarge" {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Error("something is stored")
	}
	if resp, _ := s.do(http.MethodPut, i.UploadURL, strings.NewReader("fits"), "Content-Type",
		"a/b"); resp.StatusCode != http.StatusOK {
		t.Errorf("a file that fits: %d", resp.StatusCode)
	}
	if log := s.log.String(); strings.Count(log, store.ErrFull.Error()) != 3 {
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
	srv := httptest.NewTLSServer(s.Handler)
	defer srv.Close()
	r, _ := http.NewRequestWithContext(context.Background(), http.MethodPost, srv.URL+"/v1/fileUpload",
		strings.NewReader(`{"contentType":"a/b"}`))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); !strings.Contains(string(text), `"uploadUrl":"`+srv.URL+"/upload/") {
		t.Errorf("TLS: %s", text)
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
	}
}
