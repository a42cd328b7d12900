package twentyfourseven_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

func TestStatusIsTheProvidersOwnWord(t *testing.T) {
	for body, want := range map[string]twentyfourseven.Status{
		`{"fileId":"67890","status":"Pending"}`:                                         {FileID: "67890", Status: "Pending"},
		`{"fileId":67890,"status":"Completed","documentId":12345}`:                      {FileID: "67890", Status: "Completed", DocumentID: 12345},
		`{"fileId":9007199254740993,"status":"Failed"}`:                                 {FileID: "9007199254740993", Status: "Failed"},
		`{"fileId":"67890","status":"Queued for scanning","documentId":null,"new":[1]}`: {FileID: "67890", Status: "Queued for scanning"},
		`{"status":"Pending"}`:                                                          {FileID: "asked", Status: "Pending"},
		`{"fileId":null,"status":"Pending"}`:                                            {FileID: "asked", Status: "Pending"},
		`{"fileId":{},"status":"Pending"}`:                                              {FileID: "asked", Status: "Pending"},
		`{"fileId":67890.0,"status":"Completed","documentId":"12345"}`:                  {FileID: "67890", Status: "Completed", DocumentID: 12345},
		`{"FileId":67890,"STATUS":"Completed","documentID":12345.0}`:                    {FileID: "67890", Status: "Completed", DocumentID: 12345},
		`{"status":"Pending","documentId":""}`:                                          {FileID: "asked", Status: "Pending"},
		`{"status":7}`:                                                                  {FileID: "asked", Status: "7"},
		"\xef\xbb\xbf" + `{"status":"Pending"}`:                                         {FileID: "asked", Status: "Pending"},
		`{"documentId":9223372036854775807}`:                                            {FileID: "asked", DocumentID: 1<<63 - 1},
	} {
		o := newOffice()
		client := o.simple(t)
		o.status = says(http.StatusOK, body)
		want.TraceID = "trace-1"
		got, err := client.Status(t.Context(), "asked")
		if err != nil || got != want {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", body, got, err, want)
		}
		if r := o.took("getFileUploadStatus")[0]; r.method != "GET" || r.uri != "/v1/fileUpload/asked" || r.authorization != "Bearer static-token" || r.body != "" {
			t.Errorf("asked by %+v", r)
		}
	}
}

func TestStatusThatCannotBeUsedIsRefused(t *testing.T) {
	for _, body := range []string{
		``, `null`, `{}`, `[]`, `<html>`, `{"fileId":"1"}`, `{"status":{}}`, `{"documentId":0}`,
		`{"status":"Completed","documentId":"abc"}`, `{"status":"Completed","documentId":1.5}`, `{"status":"Completed","documentId":9223372036854775808}`,
		`{"status":"Completed","docu`,
	} {
		o := newOffice()
		client := o.simple(t)
		o.status = says(http.StatusOK, body)
		st, err := client.Status(t.Context(), "1")
		f := failure(t, err)
		if !errors.Is(f, upload.ErrUnavailable) || f.Op != "getFileUploadStatus" || f.Status != 200 || f.TraceID != "trace-1" || f.Attempts != 1 {
			t.Errorf("%s: %+v, want upload.ErrUnavailable", body, f)
		}
		if st != (twentyfourseven.Status{}) {
			t.Errorf("%s: there is a status beside the error: %+v", body, st)
		}
	}
}

func TestStatusOfAnUnknownID(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	o.status = says(http.StatusNotFound, "")
	_, err := client.Status(t.Context(), "1")
	if f := failure(t, err); !errors.Is(f, upload.ErrNotFound) || f.Op != "getFileUploadStatus" || f.Status != 404 || f.TraceID != "trace-1" {
		t.Errorf("%+v, want upload.ErrNotFound", f)
	}
	if _, err := client.Wait(t.Context(), "1"); !errors.Is(err, upload.ErrNotFound) {
		t.Errorf("Wait: %v, want upload.ErrNotFound", err)
	}
}

// An id is one segment of the path, whatever is in it.
func TestIDsOfAnyKindNameTheirOwnResource(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	o.status = says(http.StatusOK, `{"status":"Completed","documentId":1}`)
	for i, id := range []string{
		"67890", "a/b", "/", "//", "a/../b", "../transactions", "a/.", "./a", "...", ".a", "a.", "a..b",
		"a b", " ", `a\b`, "a%2Fb", "%2e%2e", "%", "a?b=c", "a#b", "a;b", "a+b", "a&b", "a:b", "a@b", `a"b`, "a\nb", "식별자", "\x00",
	} {
		if st, err := client.Status(t.Context(), id); err != nil || st.FileID != id {
			t.Errorf("%q: %+v, %v", id, st, err)
			continue
		}
		uri := o.took("getFileUploadStatus")[i].uri
		segments := strings.Split(uri, "/")
		if seen, err := url.PathUnescape(segments[len(segments)-1]); len(segments) != 4 || err != nil || seen != id {
			t.Errorf("%q was asked for as %q", id, uri)
		}
	}
}

func TestIDsThatNameAnotherResourceAreRefusedUnsent(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	for _, id := range []string{"", ".", ".."} {
		for what, ask := range map[string]func(context.Context, string) (twentyfourseven.Status, error){"Status": client.Status, "Wait": client.Wait} {
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

func TestStatusIsRepeated(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	sound := o.status
	o.status = func(w http.ResponseWriter, r *http.Request) {
		if o.count("getFileUploadStatus") < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		sound(w, r)
	}
	if st, err := client.Status(t.Context(), "id-1"); err != nil || st.DocumentID != 12345 {
		t.Errorf("%+v, %v", st, err)
	}
}

// statuses answers with each of the bodies in turn, with the last one for ever.
func (o *office) statuses(bodies ...string) {
	o.status = func(w http.ResponseWriter, r *http.Request) {
		says(http.StatusOK, bodies[min(o.count("getFileUploadStatus"), len(bodies))-1])(w, r)
	}
}

// patient waits between polls as long as the zero Config does.
func patient(cfg *upload.Config) { cfg.Retry = upload.Retry{} }

func TestWaitEndsWithTheDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`, `{"status":"Scanning"}`, `{"status":"처리 중"}`, `{"status":"Completed"}`, `{"fileId":"id-1","status":"Completed","documentId":12345}`)
		st, err := client.Wait(t.Context(), "id-1")
		if want := (twentyfourseven.Status{FileID: "id-1", Status: "Completed", DocumentID: 12345, TraceID: "trace-1"}); err != nil || st != want {
			t.Errorf("got %+v, %v, want %+v", st, err, want)
		}
		if n := o.count("getFileUploadStatus"); n != 5 {
			t.Errorf("asked %d times, want 5", n)
		}
	})
}

// A document is there, whatever the status calls that.
func TestWaitGoesByTheDocument(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	o.statuses(`{"status":"Archived","documentId":7}`)
	if st, err := client.Wait(t.Context(), "1"); err != nil || st.DocumentID != 7 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestWaitEndsWhereTheProviderGaveUp(t *testing.T) {
	for _, word := range []string{"Failed", "FAILED", "failure", "Fail: virus found"} {
		o := newOffice()
		client := o.simple(t)
		o.statuses(`{"status":"Pending"}`, fmt.Sprintf(`{"fileId":67890,"status":%q}`, word))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // it would poll for ever
		defer cancel()
		st, err := client.Wait(ctx, "67890")
		f := failure(t, err)
		if !errors.Is(f, twentyfourseven.ErrFailed) || f.Op != "getFileUploadStatus" || f.TraceID != "trace-1" || !strings.Contains(f.Error(), word) || !strings.Contains(f.Error(), "67890") {
			t.Errorf("%q: %v, want twentyfourseven.ErrFailed that names id and status", word, f)
		}
		if st.Status != word {
			t.Errorf("%q: %+v, want the last status beside the error", word, st)
		}
		if n := o.count("getFileUploadStatus"); n != 2 {
			t.Errorf("%q: asked %d times, want 2", word, n)
		}
	}
}

func TestWaitThatNeverCompletesEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begin := time.Now()
		st, err := client.Wait(ctx, "id-1")
		f := failure(t, err)
		if !errors.Is(f, context.DeadlineExceeded) || errors.Is(f, twentyfourseven.ErrFailed) || !strings.Contains(f.Error(), "Pending") || f.TraceID != "trace-1" {
			t.Errorf("%v, want context.DeadlineExceeded that tells of the status", f)
		}
		if took := time.Since(begin); took != time.Hour || st.Status != "Pending" {
			t.Errorf("%+v after %v", st, took)
		}
		// With a wait of up to 30 s it is 240 on average, and never a flood.
		if n := o.count("getFileUploadStatus"); n < 120 || n > 500 {
			t.Errorf("asked %d times in an hour", n)
		}
	})
}

func TestWaitHearsACancellationBetweenTwoPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		o.statuses(`{"status":"Pending"}`)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(12345*time.Millisecond, cancel)
		begin := time.Now()
		if _, err := client.Wait(ctx, "id-1"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
		if took := time.Since(begin); took != 12345*time.Millisecond {
			t.Errorf("returned after %v", took)
		}
	})
}

func TestWaitPollsNoSlowerThanMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), func(cfg *upload.Config) { cfg.Retry = upload.Retry{Attempts: 1, MaxWait: 3 * time.Second} })
		var last time.Time
		o.status = func(w http.ResponseWriter, r *http.Request) {
			if now := time.Now(); !last.IsZero() && now.Sub(last) > 3*time.Second {
				t.Errorf("%v between two polls", now.Sub(last))
			}
			last = time.Now()
			io.WriteString(w, `{"status":"Pending"}`)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		client.Wait(ctx, "id-1")
		if n := o.count("getFileUploadStatus"); n < 200 {
			t.Errorf("asked %d times in 10 minutes", n)
		}
	})
}

func TestWaitSurvivesWhatStatusSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		client := o.client(t, static, o.bubble(t), patient)
		sound := o.status
		o.status = func(w http.ResponseWriter, r *http.Request) {
			switch n := o.count("getFileUploadStatus"); {
			case n < 3:
				io.WriteString(w, `{"status":"Pending"}`)
			case n < 6:
				w.WriteHeader(http.StatusServiceUnavailable)
			default:
				sound(w, r)
			}
		}
		if st, err := client.Wait(t.Context(), "id-1"); err != nil || st.DocumentID != 12345 {
			t.Errorf("%+v, %v", st, err)
		}
		o.status = says(http.StatusServiceUnavailable, "")
		_, err := client.Wait(t.Context(), "id-1")
		if f := failure(t, err); !errors.Is(f, upload.ErrUnavailable) || f.Attempts != 4 {
			t.Errorf("%+v, want the 503 after four attempts", f)
		}
	})
}
