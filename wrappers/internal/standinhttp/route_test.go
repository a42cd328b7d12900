package standinhttp_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

func TestWhatIsNoOperationIsRefused(t *testing.T) {
	wrongMethod, nowhere := errors.New("wrong method"), errors.New("nowhere")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/files", func(w http.ResponseWriter, _ *http.Request) { standinhttp.Write(w, http.StatusCreated, "", nil) })
	h := standinhttp.Rest(mux, map[string]string{"/v1/files": "POST"}, func(w http.ResponseWriter, _ *http.Request, err error) {
		standinhttp.WriteJSON(w, http.StatusTeapot, err.Error())
	}, wrongMethod, nowhere)
	for request, want := range map[[2]string]string{
		{"POST", "/v1/files"}:      "",
		{"PUT", "/v1/files"}:       `"wrong method: POST"`,
		{"POST", "/"}:              `"nowhere"`,
		{"POST", "/v1/other"}:      `"nowhere"`,
		{"POST", "/v1//files"}:     `"nowhere"`,
		{"POST", "/v1/./files"}:    `"nowhere"`,
		{"POST", "/v1/files/"}:     `"nowhere"`,
		{"POST", "/x/../v1/files"}: `"nowhere"`,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(request[0], request[1], nil))
		if w.Body.String() != want || (w.Code == http.StatusCreated) != (want == "") {
			t.Errorf("%v: %d %s, want %s", request, w.Code, w.Body, want)
		}
		if got := w.Header().Get("Allow"); (got == "POST") != (want == `"wrong method: POST"`) {
			t.Errorf("%v: Allow is %q", request, got)
		}
	}
}

func TestBearerIsTheTokenOfTheOneHeader(t *testing.T) {
	for _, tc := range []struct {
		headers []string
		want    string // empty is an error
	}{
		{[]string{"Bearer abc"}, "abc"},
		{[]string{"bearer  abc"}, "abc"},
		{[]string{"Basic abc"}, ""},
		{[]string{"abc"}, ""},
		{[]string{"Bearer abc", "Bearer abc"}, ""},
		{nil, ""},
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header["Authorization"] = tc.headers
		if got, err := standinhttp.Bearer(r); got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%q: got %q and %v, want %q", tc.headers, got, err, tc.want)
		}
	}
}

func TestAnswersSayTheirLength(t *testing.T) {
	w := httptest.NewRecorder()
	standinhttp.WriteJSON(w, http.StatusCreated, map[string]int{"a": 1})
	if got := w.Header(); w.Code != http.StatusCreated || w.Body.String() != `{"a":1}` || got.Get("Content-Length") != "7" || got.Get("Content-Type") != "application/json" {
		t.Errorf("JSON: %d %v %s", w.Code, got, w.Body)
	}
	w = httptest.NewRecorder()
	standinhttp.Write(w, http.StatusOK, "", nil)
	if got := w.Header(); got.Get("Content-Length") != "0" || got["Content-Type"] != nil {
		t.Errorf("nothing: %v", got)
	}
}

func TestSecretsAreComparedWholeAndPrintedAsSetOrNot(t *testing.T) {
	if !standinhttp.Same("secret", "secret") || standinhttp.Same("secret", "secre") || standinhttp.Same("secret", "secreT") {
		t.Error("Same is not equality")
	}
	if a, b := standinhttp.Hide("secret"), standinhttp.Hide(""); a != "[redacted]" || b != "unset" {
		t.Errorf("a secret is shown as %s, and none as %s", a, b)
	}
}
