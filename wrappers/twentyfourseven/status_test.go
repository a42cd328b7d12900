package twentyfourseven_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// Wire holds how texts and numbers may be spelled. An id is one segment of the
// path, whatever characters it has.
func TestStatusIsTheProvidersOwnWord(t *testing.T) {
	const asked = "a/../b c%2F?d=e#f;g+&식\x00"
	for body, want := range map[string]twentyfourseven.Status{
		`{"fileId":"67890","status":"Pending"}`: {FileID: "67890", Status: "Pending"},
		`{"fileId":67890,"status":"Completed","documentId":12345}`: {
			FileID: "67890", Status: "Completed", DocumentID: 12345},
		`{"fileId":"67890","status":"Queued for scanning","documentId":null,"new":[1]}`: {
			FileID: "67890", Status: "Queued for scanning"},
		`{"status":"Pending"}`:             {FileID: asked, Status: "Pending"},
		`{"fileId":{},"status":"Pending"}`: {FileID: asked, Status: "Pending"},
		`{"FileId":67890.0,"STATUS":"Done","documentId":"12345.0"}`: {
			FileID: "67890", Status: "Done", DocumentID: 12345},
		`{"status":7,"documentId":""}`:       {FileID: asked, Status: "7"},
		`{"documentId":9223372036854775807}`: {FileID: asked, DocumentID: 1<<63 - 1},
	} {
		o := newOffice()
		client := o.simple(t)
		o.status = says(http.StatusOK, body)
		want.TraceID = "trace-1"
		got, err := client.Status(t.Context(), asked)
		if err != nil || got != want {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", body, got, err, want)
		}
		if r := o.took("getFileUploadStatus")[0]; r.method != "GET" ||
			r.uri != "/v1/fileUpload/"+url.PathEscape(asked) ||
			r.authorization != "Bearer static-token" || r.body != "" {
			t.Errorf("asked by %+v", r)
		}
	}
}

func TestStatusThatCannotBeUsedIsRefused(t *testing.T) {
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `<html>`, `{"fileId":"1"}`, `{"status":{}}`, `{"documentId":0}`,
		`{"status":"Completed","documentId":"abc"}`, `{"status":"Completed","documentId":1.5}`,
		`{"status":"Completed","documentId":9223372036854775808}`,
		`{"status":"Completed","docu`,
	} {
		o := newOffice()
		client := o.simple(t)
		o.status = says(http.StatusOK, body)
		st, err := client.Status(t.Context(), "1")
		f := failure(t, err)
		if !errors.Is(f, upload.ErrUnavailable) || f.Op != "getFileUploadStatus" || f.Status != 200 ||
			f.TraceID != "trace-1" || f.Attempts != 1 {
			t.Errorf("%s: %+v, want upload.ErrUnavailable", body, f)
		}
		if st != (twentyfourseven.Status{}) {
			t.Errorf("%s: there is a status beside the error: %+v", body, st)
		}
	}
}

func TestIDsThatNameAnotherResourceAreRefusedUnsent(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	for _, id := range []string{"", ".", ".."} {
		for what, ask := range map[string]func(context.Context, string) (twentyfourseven.Status,
			error){"Status": client.Status, "Wait": client.Wait} {
			_, err := ask(t.Context(), id)
			if f := failure(t, err); !errors.Is(f, upload.ErrInvalid) || f.Op != "getFileUploadStatus" {
				t.Errorf("%s %q: %v, want upload.ErrInvalid", what, id, f)
			}
		}
	}
	if n := o.count("getFileUploadStatus"); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
