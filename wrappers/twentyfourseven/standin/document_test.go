package standin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
)

// documented uploads content and returns the document's id.
func (s *service) documented(content, contentType string) (documentID int64) {
	s.t.Helper()
	i := s.initiate(contentType)
	if resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader(content), "Content-Type",
		contentType); resp.StatusCode != http.StatusOK {
		s.t.Fatalf("PUT: %d %s", resp.StatusCode, text)
	}
	var status struct{ DocumentID int64 }
	if err := json.Unmarshal([]byte(s.status(i.FileID)), &status); err != nil || status.DocumentID == 0 {
		s.t.Fatalf("the status is %s", s.status(i.FileID))
	}
	return status.DocumentID
}

// link asks for the download URL of a document.
func (s *service) link(documentID int64) (target, contentType string) {
	s.t.Helper()
	resp, text := s.do(http.MethodGet, fmt.Sprint("/v1/documents/", documentID), nil, "Authorization", "Bearer "+token)
	var doc struct{ DownloadURL, ContentType string }
	if err := json.Unmarshal([]byte(text), &doc); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET /documents: %d %s", resp.StatusCode, text)
	}
	return doc.DownloadURL, doc.ContentType
}

func TestDocumentIsTheFileThatWasUploaded(t *testing.T) {
	s := serve(t, config())
	for _, content := range []string{"<script>alert(1)</script>", ""} {
		target, contentType := s.link(s.documented(content, "text/html"))
		resp, text := s.do(http.MethodGet, target, nil)
		if resp.StatusCode != http.StatusOK || text != content || contentType != "text/html" ||
			resp.Header.Get("Content-Type") != "text/html" {
			t.Errorf("%d %q %s, want %q", resp.StatusCode, text, contentType, content)
		}
		if resp.Header.Get("Content-Disposition") != "attachment" ||
			resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
			resp.Header.Get("Content-Security-Policy") != "sandbox" {
			t.Errorf("what was uploaded would run as a page: %v", resp.Header)
		}
	}
}

func TestDocumentThatWasNeverMadeIsNotFound(t *testing.T) {
	s := serve(t, config())
	for path, want := range map[string]int{"12345": 404, "0": 404, "-1": 404, "9223372036854775807": 404,
		"9223372036854775808": 400, "abc": 400} {
		if resp, _ := s.do(http.MethodGet, "/v1/documents/"+path, nil, "Authorization",
			"Bearer "+token); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	if resp, _ := s.do(http.MethodGet, "/v1/documents/12345", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", resp.StatusCode)
	}
}

func TestDownloadURLTakesNothingElse(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	cfg := config()
	cfg.Now, cfg.URLLife = clock.Now, time.Minute
	s := serve(t, cfg)
	target, _ := s.link(s.documented("content", "application/pdf"))
	upload := strings.Replace(target, "/download/", "/upload/", 1)
	other := s.initiate("application/pdf")
	for _, c := range []struct {
		what, method, target string
		status               int
		code                 string
	}{
		{"another method", "PUT", target, 405, "MethodNotAllowed"},
		{"an upload", "PUT", upload, 403, "SignatureDoesNotMatch"},
		{"the URL of an upload", "GET", strings.Replace(other.UploadURL, "/upload/", "/download/", 1), 403,
			"SignatureDoesNotMatch"},
		{"no query", "GET", strings.Split(target, "?")[0], 403, "AccessDenied"},
	} {
		resp, text := s.do(c.method, c.target, nil, "Content-Type", "application/pdf", "Content-Length", "0")
		if resp.StatusCode != c.status || s3Code(t, resp, text) != c.code {
			t.Errorf("%s: %d %s, want %d %s", c.what, resp.StatusCode, text, c.status, c.code)
		}
	}
	clock.Add(time.Minute)
	if resp, text := s.do("GET", target, nil); resp.StatusCode != 403 ||
		!strings.Contains(text, "Request has expired") {
		t.Errorf("at its end: %d %s", resp.StatusCode, text)
	}
}
