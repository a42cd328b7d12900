package standin_test

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/internal/standintest/specclient"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
)

// The credentials of all tests.
const (
	accessKey = "test-access-key"
	secretKey = "test-secret-key"
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
	cfg    standin.Config
}

// serve starts a stand-in with the credentials of all tests.
func serve(t *testing.T, cfg standin.Config) *service {
	t.Helper()
	log := new(standintest.Log)
	cfg.AccessKey, cfg.SecretKey, cfg.Store = accessKey, secretKey, cmp.Or(cfg.Store, store.Memory(0))
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	h, err := standin.New(cfg)
	must(t, err)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	client := specclient.New(t, "ncloudmailer", &http.Transport{ExpectContinueTimeout: time.Second})
	return &service{h, t, srv.URL, client, log, cfg}
}

// signature follows the provider's documentation and does not use the client's
// code.
func signature(method, uri, timestamp string) string {
	m := hmac.New(sha256.New, []byte(secretKey))
	m.Write([]byte(method + " " + uri + "\n" + timestamp + "\n" + accessKey))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func sign(header http.Header, method, uri string, at time.Time) {
	timestamp := strconv.FormatInt(at.UnixMilli(), 10)
	header.Set("x-ncp-apigw-timestamp", timestamp)
	header.Set("x-ncp-iam-access-key", accessKey)
	header.Set("x-ncp-apigw-signature-v2", signature(method, uri, timestamp))
}

func (s *service) request(method, uri string, body io.Reader, header ...string) *http.Request {
	s.t.Helper()
	req := standintest.Request(s.t, method, s.url+uri, body, header...)
	sign(req.Header, method, uri, s.cfg.Now())
	return req
}

// direct hands a signed form to the stand-in without a socket.
func (s *service) direct(form io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/api/v1/files", form)
	r.Header.Set("Content-Type", formType)
	sign(r.Header, r.Method, "/api/v1/files", s.cfg.Now())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *service) send(req *http.Request) answer {
	s.t.Helper()
	a := answer{Answer: standintest.Send(s.t, s.client, req)}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		s.t.Errorf("%s: Content-Type %s", a.Asked, got)
	}
	if a.Header.Get("x-ncp-trace-id") == "" {
		s.t.Errorf("%s: no trace id", a.Asked)
	}
	a.Decode(&a)
	return a
}

// answer is any answer.
type answer struct {
	standintest.Answer `json:"-"`

	TempRequestID string
	Files         []attached

	Error struct{ ErrorCode, Message, Details string }
}

// is checks the status, and the code of a refusal.
func (a answer) is(status int, code string) answer {
	a.T.Helper()
	if a.Is(status); a.Error.ErrorCode != code {
		a.T.Errorf("%s: %.300s, want %s", a.Asked, a.Text, code)
	}
	return a
}

type attached struct {
	FileName string
	FileSize int64
	FileID   string
}

// part is one part of a form.
type part struct {
	header string // lines, each with its end
	body   string
}

func file(name, body string) part {
	return part{
		`Content-Disposition: form-data; name="fileList"; filename="` + name + "\"\nContent-Type: text/plain\n",
		body,
	}
}

const (
	boundary = "a29b1180-70f5-42f7-afbe-0d68a15f2370"
	formType = "multipart/form-data; boundary=" + boundary
)

// form returns the body of a form with parts.
func form(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\n" + strings.ReplaceAll(p.header, "\n", "\r\n") + "\r\n" + p.body + "\r\n")
	}
	return b.String() + "--" + boundary + "--\r\n"
}

// create sends a form to createFile.
func (s *service) create(form string) answer {
	s.t.Helper()
	return s.post(form, formType)
}

// post sends a body of any kind to createFile.
func (s *service) post(body, contentType string) answer {
	s.t.Helper()
	return s.send(s.request(http.MethodPost, "/api/v1/files", strings.NewReader(body), "Content-Type", contentType))
}

// stored returns the file under a fileId.
func (s *service) stored(id string) (content, contentType string) {
	s.t.Helper()
	return standintest.Stored(s.t, s, id)
}

// failing is a store whose Put fails on demand.
type failing struct {
	store.Lister
	fails func(key string) error
}

func (f failing) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	if err := f.fails(key); err != nil {
		return 0, err
	}
	return f.Lister.Put(ctx, key, contentType, r)
}

// keys returns all keys of a store.
func keys(t *testing.T, st store.Store) (all []string) {
	t.Helper()
	for key, err := range store.Keys(t.Context(), st, "ncloudmailer") {
		must(t, err)
		all = append(all, key)
	}
	return all
}

// count returns the number of objects in the stand-in's store.
func (s *service) count() int { return len(keys(s.t, s.cfg.Store)) }

func TestProvidersExampleIsAnsweredLikeThere(t *testing.T) {
	s := serve(t, standin.Config{})
	const example = "--a29b1180-70f5-42f7-afbe-0d68a15f2370\r\n" +
		`Content-Disposition: form-data; name="fileList"; filename="test\resources\test.txt"` + "\r\n" +
		"Content-Type: text/plain\r\n" +
		"Content-Length: 16\r\n" +
		"\r\n" +
		"upload test file\r\n" +
		"--a29b1180-70f5-42f7-afbe-0d68a15f2370--\r\n"
	for _, body := range []string{example, strings.TrimSuffix(example, "\r\n")} {
		for _, base := range []string{"/api/v1", "/api/v1-sgn", "/api/v1-jpn"} {
			a := s.send(s.request(http.MethodPost, base+"/files", strings.NewReader(body),
				"Content-Type", "multipart/form-data; boundary=a29b1180-70f5-42f7-afbe-0d68a15f2370")).is(201, "")
			if len(a.Files) != 1 || a.Files[0].FileName != "test.txt" || a.Files[0].FileSize != 16 {
				t.Fatalf("%s: %s", base, a.Text)
			}
			for _, id := range []string{a.TempRequestID, a.Files[0].FileID} {
				if len(id) != len("f355aac1-7776-4c0b-8484-20eaa065cb65-99") || !strings.HasSuffix(id, "-99") {
					t.Errorf("id %s", id)
				}
			}
			if got, contentType := s.stored(a.Files[0].FileID); got != "upload test file" ||
				contentType != "text/plain" {
				t.Errorf("stored: %q, %s", got, contentType)
			}
		}
	}
}

// A chunked body gives the same answer.
func TestChunkedFormIsTaken(t *testing.T) {
	s := serve(t, standin.Config{})
	content := strings.Repeat("0123456789\r\n--"+boundary[:20], 10_000)
	req := s.request(http.MethodPost, "/api/v1/files", io.MultiReader(strings.NewReader(form(file("a.txt", content)))),
		"Content-Type", formType)
	for _, f := range s.send(req).is(201, "").Files {
		if got, _ := s.stored(f.FileID); got != content {
			t.Errorf("%d bytes are stored, and not the %d that were sent", len(got), len(content))
		}
	}
}

func TestBatchIsListedAndDeletedWhole(t *testing.T) {
	s := serve(t, standin.Config{})
	created := s.create(
		form(file("b.txt", "first"), part{`Content-Disposition: form-data; name="note"` + "\n", "passed over"},
			file("a.txt", ""), file("b.txt", "third")),
	)
	var got []string
	for _, f := range created.Files {
		content, _ := s.stored(f.FileID)
		got = append(got, fmt.Sprint(f.FileName, " ", f.FileSize, " ", content))
	}
	if want := []string{"b.txt 5 first", "a.txt 0 ", "b.txt 5 third"}; !slices.Equal(got, want) {
		t.Errorf("created: %q, want %q", got, want)
	}
	uri := "/api/v1/files/" + created.TempRequestID
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if a := s.send(s.request(method, uri, nil)).is(200, ""); a.Text != created.Text {
			t.Errorf("%s: %s, want what was created: %s", method, a.Text, created.Text)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		s.send(s.request(method, uri, nil)).is(400, "77103")
	}
	for _, f := range created.Files {
		if got, _ := s.stored(f.FileID); got != "nothing" {
			t.Errorf("%s after DELETE: %q", f.FileName, got)
		}
	}
	if n := s.count(); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestFilesAreGoneAfterADay(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := serve(t, standin.Config{Now: clock.Now})
	created, other := s.create(form(file("a.txt", "file"))), s.create(form(file("b.txt", "file")))
	uri := "/api/v1/files/" + created.TempRequestID
	clock.Add(24*time.Hour - time.Millisecond)
	a := s.send(s.request(http.MethodGet, uri, nil)).is(200, "")
	if got := a.Header.Get("Date"); got != "Mon, 02 Mar 2026 11:59:59 GMT" {
		t.Errorf("within a day: Date %s", got)
	}
	if got, _ := s.stored(created.Files[0].FileID); got != "file" {
		t.Errorf("within a day: %q", got)
	}
	clock.Add(time.Millisecond)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		s.send(s.request(method, uri, nil)).is(400, "77103")
	}
	if n := s.count(); n != 2 {
		t.Errorf("%d objects are left, want the two of the batch that nobody asked for", n)
	}
	if got, _ := s.stored(other.Files[0].FileID); got != "nothing" || s.count() != 1 {
		t.Errorf("after a day: %q, %d objects", got, s.count())
	}
}

func TestConfigIsChecked(t *testing.T) {
	for what, cfg := range map[string]standin.Config{
		"no keys":         {},
		"no secret key":   {AccessKey: accessKey},
		"no access key":   {SecretKey: secretKey},
		"a negative size": {AccessKey: accessKey, SecretKey: secretKey, MaxSize: -1},
		"a negative life": {AccessKey: accessKey, SecretKey: secretKey, Life: -1},
	} {
		if _, err := standin.New(cfg); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if _, err := standin.New(standin.Config{AccessKey: accessKey, SecretKey: secretKey}); err != nil {
		t.Error(err)
	}
}

func TestPathsAndMethods(t *testing.T) {
	s := serve(t, standin.Config{})
	created := s.create(form(file("a.txt", "file")))
	id := created.TempRequestID
	for _, c := range []struct {
		method, uri string
		status      int
		code        string
	}{
		{"GET", "/api/v1/files", 405, "77001"},
		{"POST", "/api/v1/files/" + id, 405, "77001"},
		{"PATCH", "/api/v1-jpn/files/" + id, 405, "77001"},
		{"GET", "/api/v2/files/" + id, 404, "300"},
		{"GET", "/api/v1/files/" + id + "/x", 404, "300"},
		{"GET", "/api/v1/files/x", 400, "77103"},
		{"GET", "/api/v1/files/" + created.Files[0].FileID, 400, "77103"},
		{"GET", "/api/v1/files/" + strings.ToUpper(id), 400, "77103"},
		{"GET", "/api/v1/files/" + url.PathEscape("../files/"+id), 400, "77103"},
		{"DELETE", "/api/v1/files/00000000-0000-7000-8000-000000000000-99", 400, "77103"},
		{"GET", "/api/v1/files/" + id + "?x=y", 200, ""},
	} {
		a := s.send(s.request(c.method, c.uri, nil)).is(c.status, c.code)
		if c.status == 405 && a.Header.Get("Allow") == "" {
			t.Errorf("%s: no Allow header", a.Asked)
		}
	}
}

func TestRefusedBodiesStayUnread(t *testing.T) {
	s := serve(t, standin.Config{MaxSize: 1 << 20})
	for _, c := range []struct {
		what, uri, contentType string
		length                 int64
		signed                 bool
		status                 int
	}{
		{"no signature", "/api/v1/files", formType, 100, false, 401},
		{"unknown path", "/api/v1/file", formType, 100, true, 404},
		{"wrong method", "/api/v1/files/x", formType, 100, true, 405},
		{"no form", "/api/v1/files", "application/json", 100, true, 415},
		{"no boundary", "/api/v1/files", "multipart/form-data", 100, true, 400},
		{"declared too large", "/api/v1/files", formType, 2<<20 + 1, true, 413},
	} {
		r := httptest.NewRequest(http.MethodPost, c.uri, standintest.Unread{T: t})
		r.ContentLength = c.length
		r.Header.Set("Content-Type", c.contentType)
		if c.signed {
			sign(r.Header, r.Method, c.uri, time.Now())
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", c.what, w.Code, c.status)
		}
	}
}
