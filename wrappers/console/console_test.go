package console_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/internal/standintest/specclient"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	naver "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

var must = standintest.Must

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
	must(t, err)
	taker, err := office.New(office.Config{Store: st, Token: "test-token", Logger: logger})
	must(t, err)
	cfg.Providers = []console.Provider{
		{
			Name: "ncloudmailer", Spec: standintest.Spec(t, "ncloudmailer"), Standin: mailer,
			Credentials: func(_, _, _ string) (_, options []string) { return nil, []string{`-H "key: $KEY"`} },
		},
		{
			Name: "twentyfourseven", Spec: standintest.Spec(t, "twentyfourseven"), Standin: taker,
			Credentials: func(_, _, _ string) (_, options []string) { return nil, nil },
		},
	}
	cfg.Loopback = cfg.Token == ""
	c := newConsole(t, cfg)
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

// do sends a request and reads the answer. Header alternates names and values;
// "Host" sets the host.
func (s service) do(c *http.Client, method, url string, body io.Reader, header ...string) standintest.Answer {
	s.t.Helper()
	req := standintest.Request(s.t, method, url, body, header...)
	req.Host = req.Header.Get("Host")
	return standintest.Send(s.t, c, req)
}

// ask calls the console, with a header as for do.
func (s service) ask(method, path, body string, header ...string) standintest.Answer {
	s.t.Helper()
	return s.do(s.client, method, s.url+"/_putpost/"+path, strings.NewReader(body), header...)
}

// call calls what the console watches, with a header as for do.
func (s service) call(method, url string, body io.Reader, header ...string) standintest.Answer {
	s.t.Helper()
	return s.do(http.DefaultClient, method, url, body, header...)
}

const inJSON = "Content-Type"

// change makes a change, checks that it succeeds, and decodes the answer.
func (s service) change(method, path, body string, v any) {
	s.t.Helper()
	a := s.ask(method, path, body, inJSON, "application/json")
	if a.Status/100 != 2 {
		s.t.Fatalf("%s: %d %s", a.Asked, a.Status, a.Text)
	}
	if v != nil {
		a.Decode(v)
	}
}

// get decodes an answer of the console.
func get[T any](s service, path string) (v T) {
	s.t.Helper()
	s.ask(http.MethodGet, path, "").Is(http.StatusOK).Decode(&v)
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
	must(s.t, err)
	return client.Upload(s.t.Context(), upload.Bytes(name, []byte(content)))
}

// sent is send for an upload that must succeed.
func (s service) sent(name, content string) upload.Result {
	s.t.Helper()
	res, err := s.send(name, content)
	must(s.t, err)
	return res
}

const bearer = "Bearer test-token"

// initiate asks 24SevenOffice's stand-in for a presigned URL.
func (s service) initiate() (url, id string) {
	s.t.Helper()
	var answer struct{ UploadURL, FileID string }
	s.announce(bearer).Is(http.StatusOK).Decode(&answer)
	return answer.UploadURL, answer.FileID
}

func (s service) announce(authorization string) standintest.Answer {
	s.t.Helper()
	return s.call(http.MethodPost, s.url+"/v1/fileUpload", strings.NewReader(`{"contentType":"text/plain"}`),
		inJSON, "application/json", "Authorization", authorization)
}

func (s service) put(url, contentType, content string) standintest.Answer {
	s.t.Helper()
	return s.call(http.MethodPut, url, strings.NewReader(content), "Content-Type", contentType)
}

// uploaded sends a file to 24SevenOffice's stand-in.
func (s service) uploaded(content string) (url, id string) {
	s.t.Helper()
	url, id = s.initiate()
	s.put(url, "text/plain", content).Is(http.StatusOK)
	return url, id
}

// newConsole returns a console that watches nothing yet.
func newConsole(t *testing.T, cfg console.Config) *console.Console {
	t.Helper()
	c, err := console.New(cfg)
	must(t, err)
	return c
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
		a := s.call(http.MethodHead, s.url+"/_putpost/"+path, nil).Is(http.StatusOK)
		if got := a.Header.Get("Content-Type"); got != contentType {
			t.Errorf("%s: %s", a.Asked, got)
		}
	}
}

func TestLinesToPasteNameTheAddressOfTheCaller(t *testing.T) {
	s := serve(t, console.Config{Token: "t", Origin: func(*http.Request) string { return "https://files.example" }})
	s.sent("a.txt", "a")
	s.ask(http.MethodGet, "exchanges", "", "Authorization", "Bearer t").
		Is(http.StatusOK, "https://files.example/api/v1/files")
}
