package twentyfourseven_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// documents answers getDocument with body. The text URL in it stands for a
// presigned URL. Requests to that go to store. The office's status handler gets
// every GET.
func (o *office) documents(body string, store http.HandlerFunc) {
	o.presigned = store
	o.status = func(w http.ResponseWriter, r *http.Request) {
		says(http.StatusOK, strings.ReplaceAll(body, "URL", o.base+"/upload/document?signature=presigned-secret"))(w, r)
	}
}

const document = `{"documentId":12345,"contentType":"application/pdf","downloadUrl":"URL","pages":[{},{}]}`

func TestDocumentIsWhatTheProviderSays(t *testing.T) {
	for body, want := range map[string]twentyfourseven.Document{
		document:                {ContentType: "application/pdf", Pages: 2},
		`{"downloadUrl":"URL"}`: {},
		`{"documentId":"12345","contentType":null,"downloadUrl":"URL","pages":7,"new":1}`: {},
		`{"DocumentID":12345.0,"ContentType":"a/b","DownloadUrl":"URL","pages":null}`:     {ContentType: "a/b"},
	} {
		o := newOffice()
		client := o.simple(t)
		o.documents(body, nil)
		got, err := client.Document(t.Context(), 12345)
		if err != nil || got.ID != 12345 || got.ContentType != want.ContentType || got.Pages != want.Pages ||
			got.TraceID != "trace-1" {
			t.Errorf("%s\nbecame %+v, %v", body, got, err)
		}
		if text := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(text, "secret") {
			t.Errorf("%s shows the signature", text)
		}
		if r := o.took("getFileUploadStatus")[0]; r.uri != "/v1/documents/12345" ||
			r.authorization != "Bearer static-token" {
			t.Errorf("asked by %+v", r)
		}
	}
}

func TestDocumentThatCannotBeUsedIsRefused(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	for _, body := range []string{
		``, `null`, `[]`, `{}`, `{"documentId":12345}`, `{"downloadUrl":""}`, `{"downloadUrl":7}`,
		`{"documentId":12346,"downloadUrl":"URL"}`, `{"documentId":{},"downloadUrl":"URL"}`,
	} {
		o.documents(body, nil)
		_, err := client.Document(t.Context(), 12345)
		if f := failure(t, err); !errors.Is(f, upload.ErrUnavailable) || f.Op != "getDocument" || f.Status != 200 ||
			strings.Contains(f.Error(), "secret") {
			t.Errorf("%s: %v, want upload.ErrUnavailable", body, err)
		}
	}
	for _, id := range []int64{0, -1} {
		if _, err := client.Document(t.Context(), id); !errors.Is(err, upload.ErrInvalid) {
			t.Errorf("%d: %v, want upload.ErrInvalid", id, err)
		}
	}
	o.status = says(http.StatusNotFound, "")
	if _, err := client.Download(t.Context(), 12345, io.Discard, 0); !errors.Is(err, upload.ErrNotFound) {
		t.Errorf("%v, want upload.ErrNotFound", err)
	}
}

func TestDownloadSendsNoCredentials(t *testing.T) {
	o := newOffice()
	client := o.simple(t, func(cfg *upload.Config) { cfg.Header = http.Header{"X-Custom": {"for the API alone"}} })
	o.documents(document, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/upload/elsewhere" {
			http.Redirect(w, r, "/upload/elsewhere", http.StatusFound)
			return
		}
		io.WriteString(w, "content")
	})
	var got bytes.Buffer
	if n, err := client.Download(t.Context(), 12345, &got, 0); err != nil || n != 7 || got.String() != "content" {
		t.Errorf("%d bytes, %q, %v", n, &got, err)
	}
	for _, r := range o.took("presigned") {
		if r.method != "GET" || r.authorization != "" || r.header.Get("X-Custom") != "" ||
			r.header.Get("Referer") != "" {
			t.Errorf("%s with %v", r.method, r.header)
		}
	}
	if n := len(o.took("presigned")); n != 2 {
		t.Errorf("%d requests, want the redirect and the file", n)
	}
}

func TestDownloadAsksAgainForAURLThatRanOut(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	o.documents(document, func(w http.ResponseWriter, r *http.Request) {
		if o.count("presigned") == 1 {
			says(http.StatusForbidden,
				"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")(w, r)
			return
		}
		io.WriteString(w, "content")
	})
	var got bytes.Buffer
	if _, err := client.Download(t.Context(), 12345, &got, 0); err != nil || got.String() != "content" ||
		o.count("getFileUploadStatus") != 2 {
		t.Errorf("%q, %v, asked %d times", &got, err, o.count("getFileUploadStatus"))
	}
	o.presigned = says(http.StatusForbidden,
		"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>")
	_, err := client.Download(t.Context(), 12345, &got, 0)
	if f := failure(t, err); !errors.Is(f, upload.ErrExpired) || f.TraceID != "trace-1" ||
		strings.Contains(f.Error(), "secret") {
		t.Errorf("%v, want upload.ErrExpired with the API's trace id", err)
	}
	asked := o.count("getFileUploadStatus")
	once := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
	if _, err := once.Download(t.Context(), 12345, &got, 0); !errors.Is(err, upload.ErrExpired) ||
		o.count("getFileUploadStatus") != asked+1 {
		t.Errorf("%v, asked %d times where nothing is repeated", err, o.count("getFileUploadStatus")-asked)
	}
}
