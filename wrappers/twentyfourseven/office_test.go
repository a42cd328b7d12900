package twentyfourseven_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// office is a small 24SevenOffice. It issues the tokens token-1, token-2 and so
// on, accepts any of them, and keeps the uploads. A test replaces handlers
// before the first request.
type office struct {
	base string // scheme and host of the presigned URLs

	token, fileUpload, presigned, status http.HandlerFunc

	mu       sync.Mutex
	requests []received
	counts   map[string]int
}

// received is a request as it came.
type received struct {
	op, method, uri, contentType, authorization, body string

	header  http.Header
	length  int64
	chunked bool
}

// newOffice returns an office with its own handlers.
func newOffice() *office {
	o := &office{counts: map[string]int{}}
	o.token = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, o.count("token"))
	}
	o.fileUpload = func(w http.ResponseWriter, r *http.Request) {
		n := o.count("fileUpload")
		w.Header().Set("X-Trace-Id", fmt.Sprintf("trace-%d", n))
		fmt.Fprintf(w, `{"uploadMethod":"PUT","fileId":"id-%d",`+
			`"uploadUrl":"%s/upload/%d?signature=presigned-secret-%d"}`, n, o.base, n, n)
	}
	o.presigned = func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) }
	o.status = func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"fileId":"id-1","status":"Completed","documentId":12345}`)
	}
	return o
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, handle := "fileUpload", o.fileUpload
	switch {
	case strings.HasSuffix(r.URL.Path, "/oauth/token"):
		op, handle = "token", o.token
	case strings.HasPrefix(r.URL.Path, "/upload/"):
		op, handle = "presigned", o.presigned
	case r.Method == http.MethodGet:
		op, handle = "getFileUploadStatus", o.status
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	o.mu.Lock()
	o.counts[op]++
	o.requests = append(o.requests, received{
		op: op, method: r.Method, uri: r.RequestURI, header: r.Header, body: string(body),
		contentType: r.Header.Get("Content-Type"), authorization: r.Header.Get("Authorization"),
		length: r.ContentLength, chunked: len(r.TransferEncoding) > 0,
	})
	o.mu.Unlock()
	handle(w, r)
}

// count returns how many requests of op came, including one that is being
// answered.
func (o *office) count(op string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts[op]
}

// took returns the requests of op, in the order in which they came.
func (o *office) took(op string) []received {
	o.mu.Lock()
	defer o.mu.Unlock()
	var requests []received
	for _, r := range o.requests {
		if r.op == op {
			requests = append(requests, r)
		}
	}
	return requests
}

// serve starts o on a socket.
func (o *office) serve(t *testing.T) *http.Client {
	t.Helper()
	ts := httptest.NewServer(o)
	t.Cleanup(ts.Close)
	o.base = ts.URL
	return ts.Client()
}

// bubble starts o inside a synctest bubble.
func (o *office) bubble() *http.Client {
	o.base = "http://office.test"
	return standintest.InProcess(o)
}

// client returns a client of o that hardly waits between attempts.
func (o *office) client(t *testing.T, tokens oauth2.TokenSource, hc *http.Client,
	edit ...func(*upload.Config)) *twentyfourseven.Client {
	t.Helper()
	cfg := upload.Config{BaseURL: o.base + "/v1", HTTPClient: hc, AnswerTimeout: -1,
		Retry: upload.Retry{MaxWait: time.Millisecond}}
	for _, edit := range edit {
		edit(&cfg)
	}
	return connect(t, tokens, cfg)
}

// connect returns a client.
func connect(t testing.TB, tokens oauth2.TokenSource, cfg upload.Config) *twentyfourseven.Client {
	t.Helper()
	client, err := twentyfourseven.New(tokens, cfg)
	must(t, err)
	return client
}

// static is a token that never changes.
var static = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "static-token"})

// simple returns a client of o on a socket, with a token that never changes.
func (o *office) simple(t *testing.T, edit ...func(*upload.Config)) *twentyfourseven.Client {
	t.Helper()
	return o.client(t, static, o.serve(t), edit...)
}

// says returns a handler that answers with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace-Id", "trace-1")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// failure returns err as an *upload.Error, or fails the test.
func failure(t *testing.T, err error) *upload.Error {
	t.Helper()
	f, ok := errors.AsType[*upload.Error](err)
	if !ok {
		t.Fatalf("got %v, want an *upload.Error", err)
	}
	return f
}
