package twentyfourseven_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

func TestUploadAsksForAnAddressAndSendsTheBytesThere(t *testing.T) {
	o := newOffice()
	res, err := o.simple(t).Upload(t.Context(), upload.Bytes(`dir\invoice.pdf`, []byte("%PDF-1.7")))
	must(t, err)
	if want := (upload.Result{ID: "id-1", Name: "invoice.pdf", TraceID: "trace-1", Size: 8}); res != want {
		t.Errorf("got  %+v\nwant %+v", res, want)
	}
	if len(o.took("fileUpload")) != 1 || len(o.took("presigned")) != 1 {
		t.Fatalf("%d and %d requests, want one each", len(o.took("fileUpload")), len(o.took("presigned")))
	}
	post, put := o.took("fileUpload")[0], o.took("presigned")[0]
	if post.method != "POST" || post.uri != "/v1/fileUpload" || post.contentType != "application/json" ||
		post.body != `{"contentType":"application/pdf"}` || post.length != int64(len(post.body)) || post.chunked ||
		post.authorization != "Bearer static-token" {
		t.Errorf("the first step is %+v", post)
	}
	if put.method != "PUT" || put.uri != "/upload/1?signature=presigned-secret-1" ||
		put.contentType != "application/pdf" || put.body != "%PDF-1.7" || put.length != 8 || put.chunked {
		t.Errorf("the presigned step is %+v", put)
	}
}

// The name is not sent, so any name is allowed.
func TestEveryNameIsTaken(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	for name, want := range map[string]string{"": "", "dir/": "", "견적서.pdf": "견적서.pdf", "a\r\nb": "a\r\nb",
		`a\"b".txt`: `"b".txt`, "\xff": "\xff"} {
		src := small
		src.Name = name
		if res, err := client.Upload(t.Context(), src); err != nil || res.Name != want {
			t.Errorf("%q became %q (%v), want %q", name, res.Name, err, want)
		}
	}
}

func TestSourceThatCannotBeSentCostsNoCall(t *testing.T) {
	o := newOffice()
	tokens := &given{tokens: []string{"a"}}
	client := o.client(t, tokens, o.serve(t))
	for what, src := range map[string]upload.Source{
		"the zero source":      {},
		"a header in the type": {Name: "a", Size: 7, Open: small.Open, ContentType: "text/plain\r\nX-Injected: 1"},
	} {
		_, err := client.Upload(t.Context(), src)
		if f := failure(t, err); !errors.Is(f, upload.ErrInvalid) || f.Provider != "twentyfourseven" ||
			f.Attempts != 0 {
			t.Errorf("%s: %+v, want upload.ErrInvalid and no attempt", what, f)
		}
	}
	if len(o.requests) != 0 || tokens.asked != 0 {
		t.Errorf("%d requests, and %d tokens were asked for", len(o.requests), tokens.asked)
	}
}

// The bytes may have arrived although their answer was lost or is a refusal. So
// the error names the fileId, whose status the caller can ask for. Wire holds
// how often the file is sent.
func TestFailedPresignedStepHasTheStoresReasonAndTheAPIsTraceID(t *testing.T) {
	o := newOffice()
	tokens := &given{tokens: []string{"token-a", "token-b"}}
	client := o.client(t, tokens, o.serve(t))
	o.presigned = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace-Id", "the store's")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, "<Error><Code>Unauthorized</Code><Message>its words</Message></Error>")
	}
	_, err := client.Upload(t.Context(), small)
	f := failure(t, err)
	if !errors.Is(f, upload.ErrUnauthorized) || f.Op != "presigned" || f.Status != 401 || f.Code != "Unauthorized" ||
		f.Message != "its words" || f.TraceID != "trace-1" || !strings.Contains(f.Error(), `fileId "id-1"`) ||
		strings.Contains(f.Error(), "presigned-secret") {
		t.Errorf("%+v, want upload.ErrUnauthorized with the fileId and without the URL", f)
	}
	if o.count("presigned") != 1 || tokens.asked != 1 || o.count("fileUpload") != 1 {
		t.Errorf("sent %d times, with %d tokens and %d addresses", o.count("presigned"), tokens.asked,
			o.count("fileUpload"))
	}
}

// expiring returns an office whose first presigned URL has run out. The kit
// holds that a new start follows, and that a second such URL is ErrExpired.
func expiring() *office {
	o := newOffice()
	o.presigned = func(w http.ResponseWriter, r *http.Request) {
		if o.count("presigned") == 1 {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`)
		}
	}
	return o
}

func TestExpiredWhereNothingIsRepeated(t *testing.T) {
	o := expiring()
	_, err := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 }).Upload(t.Context(), small)
	if f := failure(t, err); !errors.Is(f, upload.ErrExpired) || f.Status != 403 || f.TraceID != "trace-1" {
		t.Errorf("%+v, want upload.ErrExpired", f)
	}
	if o.count("fileUpload") != 1 || o.count("presigned") != 1 {
		t.Errorf("%d starts and %d attempts to send, want 1 and 1", o.count("fileUpload"), o.count("presigned"))
	}
}

// The error is the failure that would have been repeated.
func TestExpiredWithAStreamIsTheFirstFailure(t *testing.T) {
	o := expiring()
	_, err := o.simple(t).Upload(t.Context(), upload.Reader("log", strings.NewReader("content"), 7))
	f := failure(t, err)
	if !errors.Is(f, upload.ErrExpired) || !errors.Is(f, upload.ErrNotReplayable) {
		t.Errorf("%v, want upload.ErrExpired and upload.ErrNotReplayable", f)
	}
	if f.Status != 403 || f.Code != "AccessDenied" || f.Message != "Request has expired" || f.Op != "presigned" ||
		f.TraceID != "trace-1" {
		t.Errorf("%+v, want what the store said", f)
	}
	if n := o.count("presigned"); n != 1 {
		t.Errorf("sent %d times, want once", n)
	}
}

func TestExpiredAndThenSomethingElse(t *testing.T) {
	o := expiring()
	start := o.fileUpload
	o.fileUpload = func(w http.ResponseWriter, r *http.Request) {
		if o.count("fileUpload") == 2 {
			says(http.StatusForbidden, "")(w, r)
			return
		}
		start(w, r)
	}
	_, err := o.simple(t).Upload(t.Context(), small)
	if f := failure(t, err); !errors.Is(f, upload.ErrForbidden) || errors.Is(f, upload.ErrExpired) ||
		f.Op != "fileUpload" {
		t.Errorf("%+v, want the second start's refusal", f)
	}
}

func TestProgressStartsOverWithANewStart(t *testing.T) {
	o := expiring()
	var reports []int64
	src := upload.Track(small, func(sent, _ int64) { reports = append(reports, sent) })
	if _, err := o.simple(t).Upload(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(reports); got != "[0 7 0 7]" {
		t.Errorf("reported %s", got)
	}
}

func TestNewRefusesWhatCannotBeUsed(t *testing.T) {
	adds := oauth2.NewClient(t.Context(), static)
	for says, new := range map[string]func() (*twentyfourseven.Client, error){
		"no token source": func() (*twentyfourseven.Client, error) { return twentyfourseven.New(nil, upload.Config{}) },
		"give the token source to New": func() (*twentyfourseven.Client, error) {
			return twentyfourseven.New(static, upload.Config{HTTPClient: adds})
		},
		"BaseURL": func() (*twentyfourseven.Client, error) {
			return twentyfourseven.New(static, upload.Config{BaseURL: "host/v1"})
		},
	} {
		client, err := new()
		if !errors.Is(err, upload.ErrInvalid) || client != nil ||
			!strings.HasPrefix(err.Error(), "twentyfourseven: ") ||
			!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "static-token") {
			t.Errorf("%v, want upload.ErrInvalid that says %q", err, says)
		}
	}
}
