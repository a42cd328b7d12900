package uploadtest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// reporting is a check of the depot, with the lines that it reports.
func reporting() (*Check, *[]string) {
	var lines []string
	return &Check{Spec: lab.DepotSpec, Report: func(err error) { lines = append(lines, err.Error()) }}, &lines
}

func TestCheckNamesWhatAnyServerDoesWrong(t *testing.T) {
	d := lab.NewDepot()
	ts := httptest.NewServer(faulty.Reply("/forms", func(rec *httptest.ResponseRecorder) { rec.Code = 202 })(d))
	defer ts.Close()
	check, lines := reporting()
	c := &depotClient{base: ts.URL + "/v2", form: true, http: &http.Client{Transport: check}}
	src := newSource("a.txt", "text/plain", []byte("a"), nil)
	if _, err := c.Upload(t.Context(), src.Source); err != nil {
		t.Errorf("the check kept the exchange from happening: %v", err)
	}
	lab.Named(t, *lines, "Depot: submit: response status: 202 is not declared (POST /v2/forms)")
	if len(*lines) != 1 {
		t.Errorf("%d lines for one fault: %q", len(*lines), *lines)
	}
}

func TestCheckFollowsAPresignedURLToAnyHost(t *testing.T) {
	d := lab.NewDepot()
	storage := httptest.NewServer(d)
	defer storage.Close()
	ts := httptest.NewServer(faulty.Arrival("/objects",
		func(r *http.Request) { r.Host = storage.Listener.Addr().String() })(d))
	defer ts.Close()
	for name, c := range map[string]struct {
		spoil func(*http.Request)
		want  string
	}{
		"right": {func(*http.Request) {}, ""},
		"with the API key": {faulty.Header("X-Depot-Key", lab.DepotKey),
			"Depot: presigned: presigned credentials: header X-Depot-Key tells"},
		"chunked": {func(r *http.Request) { r.ContentLength = -1 }, "Depot: presigned: request length: chunked"},
	} {
		t.Run(name, func(t *testing.T) {
			check, lines := reporting()
			client := &depotClient{base: ts.URL + "/v2",
				http: &http.Client{Transport: faulty.RequestTo("/store", c.spoil)(check)}}
			if _, err := client.Upload(t.Context(),
				newSource("a.txt", "text/plain", []byte("abc"), nil).Source); err != nil {
				t.Error(err)
			}
			lab.Matched(t, *lines, c.want)
		})
	}
}

func TestCheckWithoutReportFailsTheExchange(t *testing.T) {
	closed := 0
	body := faulty.ReadCloser(strings.NewReader("{}"), closerFunc(func() error { closed++; return nil }))
	for _, resp := range []*http.Response{{StatusCode: 200, Header: http.Header{}, Body: body}, nil} {
		base := faulty.TripFunc(func(*http.Request) (*http.Response, error) {
			if resp == nil {
				return nil, errors.New("no answer")
			}
			return resp, nil
		})
		client := &http.Client{Transport: &Check{Spec: lab.DepotSpec, Base: base}}
		_, err := client.Post("http://h/v2/objects", "application/json", nil)
		lab.Named(t, []string{err.Error()}, "Depot: announce: request credentials: header X-Depot-Key is missing "+
			"(POST /v2/objects)")
	}
	if closed != 1 {
		t.Errorf("the body of the answer was closed %d times", closed)
	}
	client := &http.Client{Transport: &Check{Spec: lab.DepotSpec, Scope: Scope{OthersPass: true}, Base: faulty.TripFunc(
		func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})}}
	if _, err := client.Get("http://h/other"); err != nil {
		t.Error(err)
	}
}

func TestCheckHandsOnAnswersAsTheyCame(t *testing.T) {
	object := func(size int) string { return "{" + strings.Repeat(" ", size-2) + "}" }
	for name, c := range map[string]struct{ body, want string }{
		"short": {object(2), `property "id" is missing`}, "empty": {"", "EOF"},
		"as long as is kept": {object(contract.Keep), `property "id" is missing`},
		"long":               {object(2 * contract.Keep), ""},
	} {
		t.Run(name, func(t *testing.T) {
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.Header().Set("X-Depot-Left", "1")
				_, _ = io.WriteString(w, c.body)
			}))
			defer ts.Close()
			check, lines := reporting()
			resp, err := (&http.Client{Transport: check}).Get(ts.URL + "/v2/objects/o-1")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if got, err := io.ReadAll(resp.Body); err != nil || string(got) != c.body {
				t.Errorf("%d bytes (%v), want %d", len(got), err, len(c.body))
			}
			if got := strings.Join(*lines, "\n"); !strings.Contains(got, c.want) ||
				c.want == "" && strings.Contains(got, "response body") {
				t.Errorf("reported: %s", got)
			}
		})
	}
}
