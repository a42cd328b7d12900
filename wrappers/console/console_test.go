package console_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/internal/standintest/specclient"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	naver "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// service is both stand-ins on a socket with their console. Its client holds
// the console's answers to the console's spec.
type service struct {
	t      *testing.T
	url    string
	client *http.Client
}

func serve(t *testing.T, cfg console.Config, in ...store.Store) service {
	t.Helper()
	var st store.Store // nil: each has its own memory store
	if len(in) > 0 {
		st = in[0]
	}
	logger := slog.New(monitor.Refusals(slog.DiscardHandler))
	mailer, err := naver.New(naver.Config{
		Store: st, AccessKey: "test-access-key", SecretKey: "test-secret-key", Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	taker, err := office.New(office.Config{Store: st, Token: "test-token", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	spec := func(name string) []byte {
		data, err := specs.FS.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	cfg.Providers = []console.Provider{
		{
			Name: "ncloudmailer", Spec: spec("ncloudmailer"), Standin: mailer,
			Credentials: func(_, _, _ string) (_, options []string) { return nil, []string{`-H "key: $KEY"`} },
		},
		{
			Name: "twentyfourseven", Spec: spec("twentyfourseven"), Standin: taker,
			Credentials: func(_, _, _ string) (_, options []string) { return nil, nil },
		},
	}
	cfg.Loopback = cfg.Token == ""
	c, err := console.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(console.Path, c)
	mux.Handle("/api/", c.Watch("ncloudmailer"))
	mux.Handle("/", c.Watch("twentyfourseven"))
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		c.Close()
		srv.Close()
	})
	return service{t, srv.URL, specclient.New(t, "console", &http.Transport{DisableKeepAlives: true})}
}

// ask calls the console. Header alternates names and values; "Host" sets the
// host.
func (s service) ask(method, path, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/_putpost/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		if pair[0] == "Host" {
			req.Host = pair[1]
		}
		req.Header.Set(pair[0], pair[1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(text)
}

const inJSON = "Content-Type"

// change makes a change, checks that it succeeds, and decodes the answer.
func (s service) change(method, path, body string, v any) {
	s.t.Helper()
	resp, text := s.ask(method, path, body, inJSON, "application/json")
	if resp.StatusCode/100 != 2 {
		s.t.Fatalf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	if v != nil {
		if err := json.Unmarshal([]byte(text), v); err != nil {
			s.t.Fatal(err)
		}
	}
}

// get decodes an answer of the console.
func get[T any](s service, path string) (v T) {
	s.t.Helper()
	resp, text := s.ask(http.MethodGet, path, "")
	if err := json.Unmarshal([]byte(text), &v); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s: %s: %s (%v)", path, resp.Status, text, err)
	}
	return v
}

func (s service) exchanges(query string) []api.Exchange {
	s.t.Helper()
	return get[api.ExchangeList](s, "exchanges?"+query).Exchanges
}

func (s service) files() []api.File {
	s.t.Helper()
	return get[api.FileList](s, "files").Files
}

// send uploads with the program's own client, once.
func (s service) send(name, content string) (upload.Result, error) {
	s.t.Helper()
	client, err := ncloudmailer.New(ncloudmailer.Credentials{AccessKey: "test-access-key",
		SecretKey: "test-secret-key"},
		upload.Config{BaseURL: s.url + "/api/v1", Retry: upload.Retry{Attempts: 1}})
	if err != nil {
		s.t.Fatal(err)
	}
	return client.Upload(s.t.Context(), upload.Bytes(name, []byte(content)))
}

// initiate asks 24SevenOffice's stand-in for a presigned URL.
func (s service) initiate(token string) (url, id string, status int) {
	s.t.Helper()
	body := strings.NewReader(`{"contentType":"text/plain"}`)
	req, _ := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/v1/fileUpload", body)
	req.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct{ UploadURL, FileID string }
	_ = json.NewDecoder(resp.Body).Decode(&answer)
	return answer.UploadURL, answer.FileID, resp.StatusCode
}

func (s service) put(url, contentType string, body io.Reader) int {
	s.t.Helper()
	req, _ := http.NewRequestWithContext(s.t.Context(), http.MethodPut, url, body)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func newRecorder(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, nil))
	return w
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	s := serve(t, console.Config{})
	for path, contentType := range map[string]string{
		"health": "application/json", "exchanges?limit=1": "application/json", "events": "text/event-stream",
		"": "text/html; charset=utf-8",
	} {
		resp, err := http.Head(s.url + "/_putpost/" + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != contentType {
			t.Errorf("HEAD %s: %s, %s", path, resp.Status, resp.Header.Get("Content-Type"))
		}
	}
}

func TestLinesToPasteNameTheAddressOfTheCaller(t *testing.T) {
	s := serve(t, console.Config{Token: "t", Origin: func(*http.Request) string { return "https://files.example" }})
	if _, err := s.send("a.txt", "a"); err != nil {
		t.Fatal(err)
	}
	if _, text := s.ask(http.MethodGet, "exchanges", "", "Authorization", "Bearer t"); !strings.Contains(text,
		"https://files.example/api/v1/files") {
		t.Errorf("the curl line goes elsewhere: %s", text)
	}
}
