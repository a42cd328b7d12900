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
	client := o.simple(t, func(cfg *upload.Config) {
		cfg.Header = http.Header{"x-department": {"invoices"}}
		cfg.UserAgent = "invoices/2"
	})
	res, err := client.Upload(t.Context(), upload.Bytes(`dir\invoice.pdf`, []byte("%PDF-1.7")))
	if err != nil {
		t.Fatal(err)
	}
	if want := (upload.Result{ID: "id-1", Name: "invoice.pdf", TraceID: "trace-1", Size: 8}); res != want {
		t.Errorf("got  %+v\nwant %+v", res, want)
	}
	if len(o.took("fileUpload")) != 1 || len(o.took("presigned")) != 1 {
		t.Fatalf("%d and %d requests, want one each", len(o.took("fileUpload")), len(o.took("presigned")))
	}
	post, put := o.took("fileUpload")[0], o.took("presigned")[0]
	if post.method != "POST" || post.uri != "/v1/fileUpload" || post.contentType != "application/json" ||
		post.body != `{"contentType":"application/pdf"}` ||
		post.length != int64(len(post.body)) || post.chunked {
		t.Errorf("the first step is %+v", post)
	}
	if post.authorization != "Bearer static-token" || post.header.Get("x-department") != "invoices" ||
		post.header.Get("User-Agent") != "invoices/2" {
		t.Errorf("the first step has the headers %v", post.header)
	}
	if put.method != "PUT" || put.uri != "/upload/1?signature=presigned-secret-1" ||
		put.contentType != "application/pdf" || put.body != "%PDF-1.7" || put.length != 8 || put.chunked {
		t.Errorf("the presigned step is %+v", put)
	}
	for name := range put.header {
		switch name {
		case "Content-Type", "Content-Length", "User-Agent", "Accept-Encoding":
		default:
			t.Errorf("the presigned step has the header %s, which is for the API alone or for nobody", name)
		}
	}
}

// Both steps must name the same type, because the URL is signed for it.
func TestBothStepsNameTheSameContentType(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	for contentType, want := range map[string]string{
		"":                                "application/octet-stream",
		"text/plain; charset=utf-8":       "text/plain; charset=utf-8",
		`application/x-a; name="a\"b<&>"`: `application/x-a; name="a\"b<&>"`,
		"Image/PNG":                       "Image/PNG",
	} {
		src := small
		src.ContentType = contentType
		if _, err := client.Upload(t.Context(), src); err != nil {
			t.Errorf("%q: %v", contentType, err)
			continue
		}
		n := o.count("presigned")
		post, put := o.took("fileUpload")[n-1], o.took("presigned")[n-1]
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`).Replace(want)
		if put.contentType != want || post.body != `{"contentType":"`+quoted+`"}` {
			t.Errorf("%q: announced as %s, sent as %q", contentType, post.body, put.contentType)
		}
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

func TestFailedPresignedStepHasTheStoresReasonAndTheAPIsTraceID(t *testing.T) {
	for _, tc := range []struct {
		status   int
		code     string
		kind     error
		attempts int
	}{
		{401, "Unauthorized", upload.ErrUnauthorized, 1}, // asks for no other token
		{503, "SlowDown", upload.ErrUnavailable, 4},
	} {
		o := newOffice()
		tokens := &given{tokens: []string{"token-a", "token-b"}}
		client := o.client(t, tokens, o.serve(t))
		o.presigned = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Trace-Id", "the store's")
			w.WriteHeader(tc.status)
			fmt.Fprintf(w, "<?xml version=\"1.0\"?>\n<Error><Code>%s</Code><Message>its words</Message></Error>",
				tc.code)
		}
		_, err := client.Upload(t.Context(), small)
		f := failure(t, err)
		if !errors.Is(f, tc.kind) || f.Op != "presigned" || f.Status != tc.status || f.Code != tc.code ||
			f.Message != "its words" || f.TraceID != "trace-1" || f.Attempts != tc.attempts {
			t.Errorf("%d %s: %+v, want %v", tc.status, tc.code, f, tc.kind)
		}
		if strings.Contains(f.Error(), "presigned-secret") {
			t.Errorf("%v shows the presigned URL", f)
		}
		if n := o.count("presigned"); n != tc.attempts || tokens.asked != 1 || o.count("fileUpload") != 1 {
			t.Errorf("%d %s: sent %d times, with %d tokens and %d addresses", tc.status, tc.code, n, tokens.asked,
				o.count("fileUpload"))
		}
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

// Wire holds that a stream is sent once.
func TestFailureBeforeAStreamIsReadIsRepeated(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	start := o.fileUpload
	o.fileUpload = func(w http.ResponseWriter, r *http.Request) {
		if o.count("fileUpload") == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		start(w, r)
	}
	if _, err := client.Upload(t.Context(), upload.Reader("log", strings.NewReader("content"), 7)); err != nil {
		t.Error(err)
	}
	if got := o.took("presigned"); len(got) != 1 || got[0].body != "content" {
		t.Errorf("%+v arrived", got)
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
	if _, err := twentyfourseven.New(nil, upload.Config{}); !errors.Is(err, upload.ErrInvalid) ||
		!strings.HasPrefix(err.Error(), "twentyfourseven: ") {
		t.Errorf("no token source: %v, want upload.ErrInvalid", err)
	}
	for says, cfg := range map[string]upload.Config{
		"Authorization": {Header: http.Header{"authorization": {"Bearer s3cret-s3cret"}}},
	} {
		client, err := twentyfourseven.New(static, cfg)
		if !errors.Is(err, upload.ErrInvalid) || client != nil || !strings.Contains(err.Error(), says) ||
			strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want upload.ErrInvalid that says %q", cfg, err, says)
		}
	}
}

func TestZeroConfigMeansTheProvidersAddress(t *testing.T) {
	var asked []string
	client, err := twentyfourseven.New(static,
		upload.Config{HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.Method+" "+r.URL.String())
			if r.Body != nil {
				io.Copy(io.Discard, r.Body)
				r.Body.Close()
			}
			body := `{"uploadMethod":"PUT","uploadUrl":"https://store.test/1?x=y","fileId":67890}`
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
				Request: r}, nil
		})}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Upload(t.Context(), small)
	if err != nil || res.ID != "67890" {
		t.Fatalf("%+v, %v", res, err)
	}
	if got, want := fmt.Sprint(asked), "[POST https://rest.api.24sevenoffice.com/v1/fileUpload PUT https://store.test/1?x=y]"; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

// around hides a RoundTripper in a field, like most wrappers.
type around struct{ next http.RoundTripper }

func (a *around) RoundTrip(req *http.Request) (*http.Response, error) { return a.next.RoundTrip(req) }

func TestClientThatAddsTheTokenToEveryRequestIsRefused(t *testing.T) {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "secret-token"})
	authorized := oauth2.NewClient(t.Context(), tokens)
	for name, hc := range map[string]*http.Client{
		"as it is":            authorized,
		"in another":          {Transport: &around{authorized.Transport}},
		"in another by value": {Transport: struct{ http.RoundTripper }{authorized.Transport}},
		"in another's client": {Transport: &struct {
			*around
			c *http.Client
		}{&around{}, authorized}},
		"in the second of two": {Transport: &around{&around{authorized.Transport}}},
	} {
		_, err := twentyfourseven.New(tokens, upload.Config{HTTPClient: hc})
		if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), "give the token source to New") ||
			strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: %v, want ErrInvalid that says what to do", name, err)
		}
	}
	if _, err := twentyfourseven.New(tokens,
		upload.Config{HTTPClient: &http.Client{Transport: &around{upload.NewTransport()}}}); err != nil {
		t.Errorf("a wrapper of something else: %v", err)
	}
}
