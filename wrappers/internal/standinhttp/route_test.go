package standinhttp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// api returns an API with one operation, POST /v1/files.
func api(authenticate func(*http.Request) error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/files",
		func(w http.ResponseWriter, _ *http.Request) { standinhttp.Answer{Status: http.StatusCreated}.Write(w) })
	return standinhttp.API{
		Mux: mux, Methods: map[string]string{"/v1/files": "POST"}, TraceID: "x-trace-id", Authenticate: authenticate,
		Refuse: func(w http.ResponseWriter, r *http.Request, err error) {
			standinhttp.Refuse(w, r, standinhttp.JSON(http.StatusTeapot, err.Error()), err)
		},
		WrongMethod: errors.New("wrong method"),
		NoSuchPath:  func(there string) error { return errors.New("nowhere; there is " + there) },
	}.Handler()
}

func TestUnknownOperationsAreRefused(t *testing.T) {
	h := api(func(*http.Request) error { return nil })
	for request, want := range map[[2]string]string{
		{"POST", "/v1/files"}:      "",
		{"PUT", "/v1/files"}:       `"wrong method: POST"`,
		{"OPTIONS", "/v1/files"}:   `"wrong method: POST"`,
		{"POST", "/"}:              `"nowhere; there is POST /v1/files"`,
		{"POST", "/v1/other"}:      `"nowhere; there is POST /v1/files"`,
		{"POST", "/v1//files"}:     `"nowhere; there is POST /v1/files"`,
		{"POST", "/v1/./files"}:    `"nowhere; there is POST /v1/files"`,
		{"POST", "/v1/files/"}:     `"nowhere; there is POST /v1/files"`,
		{"POST", "/x/../v1/files"}: `"nowhere; there is POST /v1/files"`,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(request[0], request[1], nil))
		if strings.TrimSpace(w.Body.String()) != want || (w.Code == http.StatusCreated) != (want == "") {
			t.Errorf("%v: %d %s, want %s", request, w.Code, w.Body, want)
		}
		if got := w.Header().Get("Allow"); (got == "POST") != (want == `"wrong method: POST"`) {
			t.Errorf("%v: Allow is %q", request, got)
		}
	}
}

// A browser sends no credentials with a preflight, and reads no answer without
// the headers.
func TestPreflightIsAnsweredBeforeTheCallerIsKnown(t *testing.T) {
	h := api(func(*http.Request) error { return errors.New("who is it?") })
	preflight := func(path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodOptions, path, nil)
		r.Header.Set("Origin", "https://app.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	w := preflight("/v1/files")
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "POST",
		"Access-Control-Allow-Headers": "authorization,content-type",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if w.Code != http.StatusNoContent {
		t.Errorf("status %d", w.Code)
	}
	if w := preflight("/v1/other"); w.Code != http.StatusTeapot {
		t.Errorf("where nothing is: status %d", w.Code)
	}

	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/files", nil))
	if w.Code != http.StatusTeapot || w.Header().Get("Access-Control-Allow-Origin") != "*" ||
		w.Header().Get("Access-Control-Expose-Headers") != "X-Trace-Id, Retry-After" {
		t.Errorf("the request itself: %d %v", w.Code, w.Header())
	}
}
