package standin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

// documented uploads content and returns the document's id.
func (s *service) documented(content, contentType string) (documentID int64) {
	s.t.Helper()
	i := s.initiate(contentType)
	s.put(i.UploadURL, contentType, content).Is(200)
	var status struct{ DocumentID int64 }
	if err := json.Unmarshal([]byte(s.status(i.FileID)), &status); err != nil || status.DocumentID == 0 {
		s.t.Fatalf("the status is %s", s.status(i.FileID))
	}
	return status.DocumentID
}

// link asks for the download URL of a document.
func (s *service) link(documentID int64) (target, contentType string) {
	s.t.Helper()
	var doc struct{ DownloadURL, ContentType string }
	s.do(http.MethodGet, fmt.Sprint("/v1/documents/", documentID), nil, "Authorization", bearer).Is(200).Decode(&doc)
	return doc.DownloadURL, doc.ContentType
}

func TestDocumentIsTheFileThatWasUploaded(t *testing.T) {
	s := serve(t, standin.Config{})
	for _, content := range []string{"<script>alert(1)</script>", ""} {
		target, contentType := s.link(s.documented(content, "text/html"))
		a := s.do(http.MethodGet, target, nil).Is(200)
		if a.Text != content || contentType != "text/html" || a.Header.Get("Content-Type") != "text/html" {
			t.Errorf("%q %s, want %q", a.Text, contentType, content)
		}
		if a.Header.Get("Content-Disposition") != "attachment" ||
			a.Header.Get("X-Content-Type-Options") != "nosniff" ||
			a.Header.Get("Content-Security-Policy") != "sandbox" {
			t.Errorf("what was uploaded would run as a page: %v", a.Header)
		}
	}
}

func TestDocumentThatWasNeverMadeIsNotFound(t *testing.T) {
	s := serve(t, standin.Config{})
	for path, want := range map[string]int{"12345": 404, "0": 404, "-1": 404, "9223372036854775807": 404,
		"9223372036854775808": 400, "abc": 400} {
		s.do(http.MethodGet, "/v1/documents/"+path, nil, "Authorization", bearer).Is(want)
	}
	s.do(http.MethodGet, "/v1/documents/12345", nil).Is(401)
}

func TestDownloadURLTakesNothingElse(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := serve(t, standin.Config{Now: clock.Now, URLLife: time.Minute})
	target, _ := s.link(s.documented("content", "application/pdf"))
	upload := strings.Replace(target, "/download/", "/upload/", 1)
	other := s.initiate("application/pdf")
	const pdf = "application/pdf"
	s.put(target, pdf, "").s3(405, "MethodNotAllowed")
	s.put(upload, pdf, "").s3(403, "SignatureDoesNotMatch")
	s.do("GET", strings.Replace(other.UploadURL, "/upload/", "/download/", 1), nil, "Content-Type", pdf).
		s3(403, "SignatureDoesNotMatch")
	s.do("GET", strings.Split(target, "?")[0], nil).s3(403, "AccessDenied")
	clock.Add(time.Minute)
	if a := s.do("GET", target, nil).s3(403, "AccessDenied"); !strings.Contains(a.Text, "Request has expired") {
		t.Errorf("at its end: %s", a.Text)
	}
}
