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
	bearer       = "Bearer " + token
)

var must = standintest.Must

// service is a stand-in on a socket, with a client that checks each answer
// against the spec.
type service struct {
	*standin.Handler
	t      *testing.T
	url    string
	client *http.Client
	log    *standintest.Log
}

// serve starts a stand-in. Without credentials it gets those of all tests.
func serve(t *testing.T, cfg standin.Config) *service {
	t.Helper()
	log := new(standintest.Log)
	if cfg.Token == "" && cfg.ClientID == "" {
		cfg.Token, cfg.ClientID, cfg.ClientSecret = token, clientID, clientSecret
	}
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	h, err := standin.New(cfg)
	must(t, err)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	client := specclient.New(t, "twentyfourseven", &http.Transport{ExpectContinueTimeout: time.Second})
	return &service{h, t, srv.URL, client, log}
}

// answer is any answer.
type answer struct{ standintest.Answer }

// do sends a request. header alternates names and values.
func (s *service) do(method, target string, body io.Reader, header ...string) answer {
	s.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.url + target
	}
	return answer{standintest.Send(s.t, s.client, standintest.Request(s.t, method, target, body, header...))}
}

// put sends a file to a presigned URL.
func (s *service) put(target, contentType, content string) answer {
	s.t.Helper()
	return s.do(http.MethodPut, target, strings.NewReader(content), "Content-Type", contentType)
}

type initiated struct {
	UploadMethod, UploadURL, FileID string
}

// initiate asks for a presigned URL.
func (s *service) initiate(contentType string) initiated {
	s.t.Helper()
	var i initiated
	s.announce(contentType).Is(http.StatusOK).Decode(&i)
	return i
}

// announce sends POST /fileUpload.
func (s *service) announce(contentType string) answer {
	s.t.Helper()
	body, _ := json.Marshal(map[string]string{"contentType": contentType})
	return s.do(http.MethodPost, "/v1/fileUpload", bytes.NewReader(body), "Authorization", bearer,
		"Content-Type", "application/json")
}

// status sends GET /fileUpload/{fileId}.
func (s *service) status(id string) string {
	s.t.Helper()
	return strings.TrimSpace(s.do(http.MethodGet, "/v1/fileUpload/"+id, nil, "Authorization", bearer).Text)
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
	s := serve(t, standin.Config{})
	a := s.announce("application/pdf").Is(200) // as in the provider's own example
	var i initiated
	a.Decode(&i)
	if i.UploadMethod != http.MethodPut || !strings.HasPrefix(i.UploadURL, s.url+"/upload/"+i.FileID+"?") {
		t.Errorf("answer: %s", a.Text)
	}
	if strings.Contains(a.Text, `\u0026`) {
		t.Errorf("a shell cannot cut the URL out of the answer: %s", a.Text)
	}
	if got, want := s.status(i.FileID), fmt.Sprintf(`{"fileId":%q,"status":"Pending"}`, i.FileID); got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Errorf("stored before: %q", got)
	}
	if text := s.put(i.UploadURL, "application/pdf", "%PDF-").Is(200).Text; text != "" {
		t.Errorf("PUT: %s", text)
	}
	if got, contentType := s.stored(i.FileID); got != "%PDF-" || contentType != "application/pdf" {
		t.Errorf("stored: %q, %s", got, contentType)
	}
	var done struct {
		FileID, Status string
		DocumentID     int64
	}
	first := s.status(i.FileID)
	must(t, json.Unmarshal([]byte(first), &done))
	if done.FileID != i.FileID || done.Status != "Completed" || done.DocumentID < 1 || done.DocumentID > 1<<53-1 {
		t.Errorf("after: %s", first)
	}
	if again := s.status(i.FileID); again != first {
		t.Errorf("the status changed from %s to %s", first, again)
	}
}

func TestWrongRequestsAreRefusedWithoutABody(t *testing.T) {
	s := serve(t, standin.Config{})
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
			a := s.do(c.method, c.path, strings.NewReader(c.body), "Content-Type", c.contentType,
				"Authorization", bearer).Is(c.status)
			want := ""
			if c.reason == "path" { // the answer lists the right paths
				want = "no such path; the paths are GET, HEAD /v1/documents/{documentId}; " +
					"GET, HEAD /v1/fileUpload/{fileId}; POST /v1/fileUpload\n"
			}
			if a.Text != want {
				t.Errorf("the body is %q, want %q", a.Text, want)
			}
			if c.status == 405 && a.Header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
			_, line, _ := strings.Cut(s.log.String(), a.Header.Get("X-Trace-Id"))
			if line, _, _ = strings.Cut(line, "\n"); !strings.Contains(line, c.reason) {
				t.Errorf("logged: %q, want the reason %q", line, c.reason)
			}
		})
	}
	// A body of unknown length is counted.
	endless := io.MultiReader(strings.NewReader(`{"contentType":"`), strings.NewReader(strings.Repeat("x", 64<<10)))
	s.do(post, path, endless, "Content-Type", "application/json", "Authorization", bearer).Is(413)
	if got := s.status(never); !strings.Contains(got, "Pending") {
		t.Errorf("in the end: %s", got)
	}
}

func TestRefusedBodiesStayUnread(t *testing.T) {
	s := serve(t, standin.Config{MaxSize: 1 << 20})
	i := s.initiate("a/b")
	const post, put, json, form = "POST", "PUT", "application/json", "application/x-www-form-urlencoded"
	for _, c := range []struct {
		what, method, target       string
		length                     int64
		authorization, contentType string
		status                     int
	}{
		{"no token", post, "/v1/fileUpload", 10, "", json, 401},
		{"wrong token", post, "/v1/fileUpload", 10, "Bearer x", json, 401},
		{"no JSON", post, "/v1/fileUpload", 10, bearer, "", 415},
		{"declared too large", post, "/v1/fileUpload", 64<<10 + 1, bearer, json, 413},
		{"unknown path", post, "/v1/other", 10, bearer, "", 404},
		{"wrong method", put, "/v1/fileUpload", 10, bearer, "", 405},
		{"presigned, no signature", put, "/upload/" + i.FileID, 10, "", "a/b", 403},
		{"presigned, other type", put, i.UploadURL, 10, "", "a/c", 403},
		{"presigned, other method", post, i.UploadURL, 10, "", "a/b", 405},
		{"presigned, too large", put, i.UploadURL, 1<<20 + 1, "", "a/b", 413},
		{"presigned, chunked", put, i.UploadURL, -1, "", "a/b", 411},
		{"token, Basic", post, "/oauth/token", 10, "Basic eDp5", "", 401},
		{"token, JSON", post, "/oauth/token", 10, "", json, 400},
		{"token, declared too large", post, "/oauth/token", 64<<10 + 1, "", form, 413},
	} {
		r := httptest.NewRequest(c.method, c.target, standintest.Unread{T: t})
		r.ContentLength, r.Header = c.length, http.Header{"Content-Type": {c.contentType}}
		if c.authorization != "" {
			r.Header.Set("Authorization", c.authorization)
		}
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
	s := serve(t, standin.Config{Store: st})
	i := s.initiate("a/b")
	st.err = secret
	st.presign = func(string, string, time.Duration) (string, error) { return "", secret }
	asked := s.do(http.MethodGet, "/v1/fileUpload/"+i.FileID, nil, "Authorization", bearer).Is(500)
	if text := asked.Text + s.announce("a/b").Is(500).Text; text != "" {
		t.Errorf("the API answers with the body %q", text)
	}
	if text := s.put(i.UploadURL, "a/b", "file").s3(500, "InternalError").Text; strings.Contains(text, "fire") {
		t.Errorf("PUT: %s", text)
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
	st := &faulty{
		Store: store.Memory(0),
		presign: func(key, contentType string, life time.Duration) (string, error) {
			gotKey, gotType, gotLife = key, contentType, life
			return "https://bucket.example/key?X-Amz-Expires=60&X-Amz-Signature=abc", nil
		},
	}
	s := serve(t, standin.Config{URLLife: time.Minute, Store: st})
	i := s.initiate("text/plain; charset=utf-8")
	if i.UploadURL != "https://bucket.example/key?X-Amz-Expires=60&X-Amz-Signature=abc" ||
		i.UploadMethod != http.MethodPut {
		t.Errorf("handed out: %+v", i)
	}
	if gotKey != "twentyfourseven/files/"+i.FileID || gotType != "text/plain; charset=utf-8" || gotLife != time.Minute {
		t.Errorf("asked for: %s %s %s", gotKey, gotType, gotLife)
	}
	// A file that arrives at the store's URL counts as well.
	if _, err := st.Put(t.Context(), gotKey, gotType, strings.NewReader("file")); err != nil {
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
