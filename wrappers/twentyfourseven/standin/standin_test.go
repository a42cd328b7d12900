package standin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/internal/standintest/specclient"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

// The credentials of all tests.
const (
	token        = "test-token"
	clientID     = "test-client-id"
	clientSecret = "test-client-secret"
)

func config() standin.Config {
	return standin.Config{Token: token, ClientID: clientID, ClientSecret: clientSecret}
}

// service is a stand-in on a socket, with a client that checks each answer
// against the spec.
type service struct {
	*standin.Handler
	t      *testing.T
	url    string
	client *http.Client
	log    *standintest.Log
}

func serve(t *testing.T, cfg standin.Config) *service {
	t.Helper()
	log := new(standintest.Log)
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	h, err := standin.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	client := specclient.New(t, "twentyfourseven", &http.Transport{ExpectContinueTimeout: time.Second})
	return &service{h, t, srv.URL, client, log}
}

// do sends a request. header alternates names and values.
func (s *service) do(method, target string, body io.Reader, header ...string) (*http.Response, string) {
	s.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.url + target
	}
	return standintest.Send(s.t, s.client, standintest.Request(s.t, method, target, body, header...))
}

type initiated struct {
	UploadMethod, UploadURL, FileID string
}

// initiate sends POST /fileUpload.
func (s *service) initiate(contentType string) initiated {
	s.t.Helper()
	body, _ := json.Marshal(map[string]string{"contentType": contentType})
	resp, text := s.do(http.MethodPost, "/v1/fileUpload", bytes.NewReader(body), "Authorization", "Bearer "+token,
		"Content-Type", "application/json")
	if resp.StatusCode != http.StatusOK {
		s.t.Fatalf("POST /fileUpload: status %d %s\n%s", resp.StatusCode, text, s.log)
	}
	var i initiated
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		s.t.Fatal(err)
	}
	return i
}

// status sends GET /fileUpload/{fileId}.
func (s *service) status(id string) string {
	s.t.Helper()
	resp, text := s.do(http.MethodGet, "/v1/fileUpload/"+url.PathEscape(id), nil, "Authorization", "Bearer "+token)
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	return strings.TrimSpace(text)
}

// stored returns the file under an id.
func (s *service) stored(id string) (content, contentType string) {
	s.t.Helper()
	return standintest.Stored(s.t, s, id)
}

// faulty is a store with some methods replaced.
type faulty struct {
	store.Store
	err     error
	presign func(key, contentType string, life time.Duration) (string, error)
}

func (f *faulty) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	if f.err != nil {
		io.CopyN(io.Discard, r, 1) // the caller is sending already
		return 0, f.err
	}
	return f.Store.Put(ctx, key, contentType, r)
}

func (f *faulty) Stat(ctx context.Context, key string) (store.Info, error) {
	if f.err != nil {
		return store.Info{}, f.err
	}
	return f.Store.Stat(ctx, key)
}

func (f *faulty) PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	if f.presign != nil {
		return f.presign(key, contentType, life)
	}
	return f.Store.PresignPut(ctx, key, contentType, life)
}

func TestFileComesInTwoSteps(t *testing.T) {
	s := serve(t, config())
	// The provider's own example, with credentials.
	resp, text := s.do(http.MethodPost, "/v1/fileUpload", strings.NewReader(`{"contentType":"application/pdf"}`),
		"Content-Type", "application/json", "Authorization", "Bearer "+token)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d: %s", resp.StatusCode, text)
	}
	var i initiated
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		t.Fatal(err)
	}
	if i.UploadMethod != http.MethodPut || !strings.HasPrefix(i.UploadURL, s.url+"/upload/"+i.FileID+"?") {
		t.Errorf("answer: %s", text)
	}
	if strings.Contains(text, `\u0026`) {
		t.Errorf("a shell cannot cut the URL out of the answer: %s", text)
	}
	if got, want := s.status(i.FileID), fmt.Sprintf(`{"fileId":%q,"status":"Pending"}`, i.FileID); got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Errorf("stored before: %q", got)
	}

	resp, text = s.do(http.MethodPut, i.UploadURL, strings.NewReader("%PDF-"), "Content-Type", "application/pdf")
	if resp.StatusCode != http.StatusOK || text != "" {
		t.Fatalf("PUT: status %d: %s", resp.StatusCode, text)
	}
	if got, contentType := s.stored(i.FileID); got != "%PDF-" || contentType != "application/pdf" {
		t.Errorf("stored: %q, %s", got, contentType)
	}
	var done struct {
		FileID, Status string
		DocumentID     int64
	}
	first := s.status(i.FileID)
	if err := json.Unmarshal([]byte(first), &done); err != nil {
		t.Fatal(err)
	}
	if done.FileID != i.FileID || done.Status != "Completed" || done.DocumentID < 1 || done.DocumentID > 1<<53-1 {
		t.Errorf("after: %s", first)
	}
	if again := s.status(i.FileID); again != first {
		t.Errorf("the status changed from %s to %s", first, again)
	}
}

func TestWrongRequestsAreRefusedWithoutABody(t *testing.T) {
	s := serve(t, config())
	const post, get, path, jsonType = http.MethodPost, http.MethodGet, "/v1/fileUpload", "application/json"
	never := s.initiate("a/b").FileID
	forged := strings.Repeat("a", len(never))
	for _, c := range []struct {
		what, method, path, contentType, body string
		status                                int
		reason                                string
	}{
		{"no JSON", post, path, jsonType, `{"contentType":`, 400, "not one JSON value"},
		{"more than JSON", post, path, jsonType, `{"contentType":"a/b"} x`, 400, "not one JSON value"},
		{"another type in JSON", post, path, jsonType, `{"contentType":5}`, 400, "contentType"},
		{"no contentType", post, path, jsonType, `{}`, 400, "media type"},
		{"half a media type", post, path, jsonType, `{"contentType":"text"}`, 400, "media type"},
		{"a media type outside ASCII", post, path, jsonType, `{"contentType":"text/plain; x=\"é\""}`, 400,
			"content type"},
		{"a form", post, path, "application/x-www-form-urlencoded", `contentType=a/b`, 415, "not application/json"},
		{"too much JSON", post, path, jsonType, `{"contentType":"` + strings.Repeat("x", 64<<10) + `"}`, 413,
			"more than 65536"},
		{"another method", http.MethodPut, path, jsonType, `{"contentType":"a/b"}`, 405, "POST"},
		{"an unknown path", get, "/v1/other", "", ``, 404, "path"},
		{"an id that was never issued", get, path + "/" + forged, "", ``, 404, "fileId"},
		{"an id with a line end", get, path + "/" + never[:8] + "%0A" + never[8:], "", ``, 404, "fileId"},
	} {
		t.Run(c.what, func(t *testing.T) {
			resp, text := s.do(c.method, c.path, strings.NewReader(c.body), "Content-Type", c.contentType,
				"Authorization", "Bearer "+token)
			want := ""
			if c.reason == "path" { // the answer lists the right paths
				want = "no such path; the paths are GET, HEAD /v1/documents/{documentId}; " +
					"GET, HEAD /v1/fileUpload/{fileId}; POST /v1/fileUpload\n"
			}
			if resp.StatusCode != c.status || text != want {
				t.Errorf("status %d with the body %q, want %d with %q", resp.StatusCode, text, c.status, want)
			}
			if c.status == 405 && resp.Header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
			line := s.logged(resp.Header.Get("X-Trace-Id"))
			if !strings.Contains(line, c.reason) {
				t.Errorf("logged: %q, want the reason %q", line, c.reason)
			}
		})
	}
	// A body of unknown length is counted.
	endless := io.MultiReader(strings.NewReader(`{"contentType":"`), strings.NewReader(strings.Repeat("x", 64<<10)))
	if resp, _ := s.do(post, path, endless, "Content-Type", "application/json", "Authorization",
		"Bearer "+token); resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too much JSON, chunked: status %d, want 413", resp.StatusCode)
	}
	if got := s.status(never); !strings.Contains(got, "Pending") {
		t.Errorf("in the end: %s", got)
	}
}

// logged returns the log line of one exchange.
func (s *service) logged(traceID string) string {
	for line := range strings.Lines(s.log.String()) {
		if traceID != "" && strings.Contains(line, traceID) {
			return line
		}
	}
	return ""
}

// header returns a header from alternating names and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for pair := range slices.Chunk(pairs, 2) {
		h.Set(pair[0], pair[1])
	}
	return h
}

func TestRefusedBodiesStayUnread(t *testing.T) {
	cfg := config()
	cfg.MaxSize = 1 << 20
	s := serve(t, cfg)
	i := s.initiate("a/b")
	for _, c := range []struct {
		what, method, target string
		length               int64
		header               http.Header
		status               int
	}{
		{"no token", http.MethodPost, "/v1/fileUpload", 10, header("Content-Type", "application/json"), 401},
		{"wrong token", http.MethodPost, "/v1/fileUpload", 10, header("Authorization", "Bearer x", "Content-Type",
			"application/json"), 401},
		{"no JSON", http.MethodPost, "/v1/fileUpload", 10, header("Authorization", "Bearer "+token), 415},
		{"declared too large", http.MethodPost, "/v1/fileUpload", 64<<10 + 1, header("Authorization", "Bearer "+token,
			"Content-Type", "application/json"), 413},
		{"unknown path", http.MethodPost, "/v1/other", 10, header("Authorization", "Bearer "+token), 404},
		{"wrong method", http.MethodPut, "/v1/fileUpload", 10, header("Authorization", "Bearer "+token), 405},
		{"presigned, no signature", http.MethodPut, "/upload/" + i.FileID, 10, header("Content-Type", "a/b"), 403},
		{"presigned, other type", http.MethodPut, i.UploadURL, 10, header("Content-Type", "a/c"), 403},
		{"presigned, other method", http.MethodPost, i.UploadURL, 10, header("Content-Type", "a/b"), 405},
		{"presigned, too large", http.MethodPut, i.UploadURL, 1<<20 + 1, header("Content-Type", "a/b"), 413},
		{"presigned, chunked", http.MethodPut, i.UploadURL, -1, header("Content-Type", "a/b"), 411},
		{"token, Basic", http.MethodPost, "/oauth/token", 10, header("Authorization", "Basic eDp5"), 401},
		{"token, JSON", http.MethodPost, "/oauth/token", 10, header("Content-Type", "application/json"), 400},
		{"token, declared too large", http.MethodPost, "/oauth/token", 64<<10 + 1, header("Content-Type",
			"application/x-www-form-urlencoded"), 413},
	} {
		r := httptest.NewRequest(c.method, c.target, standintest.Unread{T: t})
		r.ContentLength, r.Header = c.length, c.header
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", c.what, w.Code, c.status)
		}
	}
}

func TestStoreThatFailsIsAServerError(t *testing.T) {
	secret := errors.New("disk 7 is on fire")
	st := &faulty{Store: store.Memory(0)}
	cfg := config()
	cfg.Store = st
	s := serve(t, cfg)
	i := s.initiate("a/b")
	st.err = secret
	if resp, text := s.do(http.MethodGet, "/v1/fileUpload/"+i.FileID, nil, "Authorization",
		"Bearer "+token); resp.StatusCode != http.StatusInternalServerError ||
		text != "" {
		t.Errorf("status: %d %q, want 500 without a body", resp.StatusCode, text)
	}
	resp, text := s.do(http.MethodPut, i.UploadURL, strings.NewReader("file"), "Content-Type", "a/b")
	if resp.StatusCode != http.StatusInternalServerError || !strings.Contains(text, "<Code>InternalError</Code>") ||
		strings.Contains(text, "fire") {
		t.Errorf("PUT: %d %s", resp.StatusCode, text)
	}
	st.presign = func(string, string, time.Duration) (string, error) { return "", secret }
	resp, text = s.do(http.MethodPost, "/v1/fileUpload", strings.NewReader(`{"contentType":"a/b"}`), "Authorization",
		"Bearer "+token, "Content-Type", "application/json")
	if resp.StatusCode != http.StatusInternalServerError || text != "" {
		t.Errorf("POST: %d %q, want 500 without a body", resp.StatusCode, text)
	}
	if n := strings.Count(s.log.String(), "disk 7 is on fire"); n != 3 {
		t.Errorf("the log tells %d of 3 reasons:\n%s", n, s.log)
	}
	st.err = nil
	if got := s.status(i.FileID); !strings.Contains(got, "Pending") {
		t.Errorf("after the failures: %s", got)
	}
}

func TestStoresOwnURLIsHandedOut(t *testing.T) {
	var gotKey, gotType string
	var gotLife time.Duration
	cfg := config()
	cfg.URLLife = time.Minute
	cfg.Store = &faulty{
		Store: store.Memory(0),
		presign: func(key, contentType string, life time.Duration) (string, error) {
			gotKey, gotType, gotLife = key, contentType, life
			return "https://bucket.example/key?X-Amz-Expires=60&X-Amz-Signature=abc", nil
		},
	}
	s := serve(t, cfg)
	i := s.initiate("text/plain; charset=utf-8")
	if i.UploadURL != "https://bucket.example/key?X-Amz-Expires=60&X-Amz-Signature=abc" ||
		i.UploadMethod != http.MethodPut {
		t.Errorf("handed out: %+v", i)
	}
	if gotKey != "twentyfourseven/files/"+i.FileID || gotType != "text/plain; charset=utf-8" || gotLife != time.Minute {
		t.Errorf("asked for: %s %s %s", gotKey, gotType, gotLife)
	}
	// A file that arrives at the store's URL counts as well.
	if _, err := cfg.Store.Put(t.Context(), gotKey, gotType, strings.NewReader("file")); err != nil {
		t.Fatal(err)
	}
	if got := s.status(i.FileID); !strings.Contains(got, "Completed") {
		t.Errorf("status: %s", got)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for what, cfg := range map[string]standin.Config{
		"no credentials":         {},
		"an id without a secret": {Token: token, ClientID: clientID},
		"a secret without an id": {Token: token, ClientSecret: clientSecret},
		"a negative size":        {Token: token, MaxSize: -1},
		"a negative life":        {Token: token, URLLife: -1},
	} {
		if _, err := standin.New(cfg); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
