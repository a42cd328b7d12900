package ncloudmailer_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/upload"
)

// answered uploads a file of 7 bytes to a mailer that answers every call alike.
func answered(t *testing.T, status int, contentType, body string) (upload.Result, error) {
	t.Helper()
	client := connect(t, upload.Config{Retry: upload.Retry{Attempts: 1},
		HTTPClient: standintest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("X-Ncp-Trace-Id", "trace-1")
			w.WriteHeader(status)
			io.WriteString(w, body)
		}))})
	return client.Upload(t.Context(), upload.Bytes("a.txt", []byte("content")))
}

// wellMade checks that a failure is as upload.Error documents it.
func wellMade(t *testing.T, err error, status int) *upload.Error {
	t.Helper()
	f, ok := err.(*upload.Error)
	if !ok {
		t.Fatalf("got %v, want an *upload.Error", err)
	}
	if f.Status != status || f.TraceID != "trace-1" {
		t.Fatalf("the status is %d, want %d, with the trace id: %v", f.Status, status, err)
	}
	known := false
	for _, kind := range []error{upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound,
		upload.ErrTooLarge, upload.ErrRateLimited, upload.ErrUnavailable} {
		known = known || errors.Is(err, kind)
	}
	text := err.Error()
	if !known || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) ||
		len([]rune(f.Message)) > 256 || len([]rune(f.Code)) > 64 {
		t.Fatalf("the error is without a kind, too long, or more than a line: %q", text)
	}
	return f
}

// For any error body, nothing panics, and the status decides.
func FuzzErrorAnswer(f *testing.F) {
	for _, body := range []string{
		"", "<html>", "null", `"text"`, `[1]`,
		`{"error":{"errorCode":"200","message":"Authentication Failed",` +
			`"details":"Invalid authentication information."}}`,
		`{"error":{"errorCode":200,"message":"Authentication Failed","details":null}}`,
		`{"errorCode":77102,"errorMessage":"BAD_REQUEST"}`,
		`{"error":{"errorCode":{"a":1},"message":[1]}}`, `{"error":"text"}`, `{"errorCode":1e400}`,
		`<Error><Code>1</Code></Error>`,
		"\xef\xbb\xbf{\"message\":\"\\ud800\"}", `{"error":{"message":"` + "\u202e\u0085" + `timestamp"}}`,
	} {
		f.Add(400, "application/json", []byte(body))
		f.Add(401, "text/plain", []byte(body))
	}
	for _, status := range []int{0, 300, 403, 404, 405, 408, 413, 415, 429, 500, 503, 504, 599} {
		f.Add(status, "text/html", []byte("<h1>Odd</h1>"))
	}
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		status = 300 + max(status, -status, 0)%700
		_, err := answered(t, status, contentType, string(body))
		e := wellMade(t, err, status)
		login, missing := status == 400 && e.Code == "77101", status == 400 && e.Code == "77103"
		for kind, is := range map[error]bool{
			upload.ErrUnauthorized: status == 401 ||
				login, upload.ErrForbidden: status == 403, upload.ErrNotFound: status == 404 || missing,
			upload.ErrTooLarge: status == 413, upload.ErrRateLimited: status == 429,
			upload.ErrUnavailable: status < 400 ||
				status == 408 || status >= 500,
		} {
			if errors.Is(err, kind) != is {
				t.Fatalf("status %d with code %q is %q: %t, want %t", status, e.Code, kind, !is, is)
			}
		}
	})
}

// An answer counts only if it has an id, and is about the one file that was
// sent.
func FuzzReceipt(f *testing.F) {
	for _, body := range []string{
		`{"tempRequestId":"t","files":[{"fileName":"a.txt","fileSize":7,"fileId":"f"}]}`,
		`{"tempRequestId":"t","files":[{"fileName":"a.txt","fileSize":8,"fileId":"f"}]}`,
		`{"tempRequestId":"t","files":[{"fileSize":7.0,"fileId":"f"}]}`,
		`{"tempRequestId":"t","files":[null]}`, `{"tempRequestId":"t","files":[]}`, `{"tempRequestId":1,"files":[{}]}`,
		`null`, ``, `{}`, `[]`,
		`{"tempRequestId":"t","files":[{"fileSize":7,"fileId":"f"},{"fileSize":7,"fileId":"f"}]}`,
		`{"tempRequestId":"t","files":[{"fileSize":7,"fileId":"f","fileId":""}]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		res, err := answered(t, 201, "application/json", string(body))
		if err != nil {
			wellMade(t, err, 201)
			if !errors.Is(err, upload.ErrUnavailable) {
				t.Fatalf("%q is refused as %v", body, err)
			}
			return
		}
		if res.ID == "" || res.Name == "" || res.Size != 7 || !utf8.ValidString(res.ID) {
			t.Fatalf("%q is the success %+v", body, res)
		}
	})
}
