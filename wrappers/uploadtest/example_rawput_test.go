package uploadtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
	"github.com/putpost/putpost/wrappers/wire"
)

// This is the documentation of a service that nobody has written a client for
// yet: PUT /reports/{name} takes a file as its whole body.
const reportsSpec = `
openapi: 3.0.3
info: {title: Reports, version: '1'}
servers: [{url: https://reports.example.com/v1}]
security: [{key: []}]
paths:
  /reports/{name}:
    put:
      operationId: putReport
      parameters:
        - {name: name, in: path, required: true, schema: {type: string, minLength: 1}, example: july.pdf}
      requestBody:
        required: true
        content: {'*/*': {schema: {type: string, format: binary}}}
      responses:
        '201':
          description: The report is stored.
          content:
            application/json:
              schema:
                type: object
                required: [id, size]
                properties: {id: {type: string}, size: {type: integer}}
        '400': {description: The body was cut off.}
        '401': {description: The key is not known.}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Reports-Key}
`

// reports is a client for it, on wire.
type reports struct{ doer *wire.Doer }

func newReports(key string, cfg upload.Config) (*reports, error) {
	doer, err := wire.NewDoer(wire.API{
		Provider:  "reports",
		BaseURL:   "https://reports.example.com/v1",
		Secret:    []string{"X-Reports-Key"},
		Authorize: func(r *http.Request) error { r.Header.Set("X-Reports-Key", key); return nil },
	}, cfg)
	return &reports{doer}, err
}

func (c *reports) Upload(ctx context.Context, src upload.Source) (res upload.Result, err error) {
	name := upload.BaseName(src.Name)
	if name == "" {
		return res, &upload.Error{Provider: "reports", Op: "putReport",
			Err: fmt.Errorf("%w: the file has no name", upload.ErrInvalid)}
	}
	var said struct {
		ID   string
		Size int64
	}
	body := wire.Raw(src)
	res.TraceID, err = c.doer.Call(ctx, "putReport", func(answer []byte) error {
		if err := json.Unmarshal(answer, &said); err != nil {
			return err
		}
		if said.ID == "" || said.Size != src.Size {
			return errors.New("it describes another file")
		}
		return nil
	}, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut,
			c.doer.BaseURL+"/reports/"+url.PathEscape(name), nil)
		if err == nil {
			err = body.Edit(ctx, req)
		}
		if err != nil {
			return nil, err
		}
		return c.doer.Do(req)
	})
	res.ID, res.Name, res.Size = said.ID, name, src.Size
	return res, err
}

// shelf is a server for it. It keeps the reports in a map.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("X-Reports-Key") != "reports-key" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest) // cut off: nothing is stored
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := fmt.Sprint("report-", len(s.files))
	s.files[id] = content
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%q,"size":%d}`, id, len(content))
}

// A third API from its documentation alone: the spec, a client on wire, a
// server that keeps files in a map, and both are checked.
func Example_rawPut() {
	t := newT() // the *testing.T of your test
	defer t.end()

	uploadtest.Run(t, func(t testing.TB) uploadtest.Subject {
		mux := http.NewServeMux()
		mux.Handle("PUT /v1/reports/{name}", &shelf{files: map[string][]byte{}})
		srv := uploadtest.Serve(t, mux, []byte(reportsSpec))
		client, err := newReports("reports-key",
			upload.Config{BaseURL: srv.BaseURL, Retry: upload.Retry{MaxWait: time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		return uploadtest.Subject{Uploader: client, Server: srv, Secrets: []string{"reports-key"}}
	})

	mux := http.NewServeMux()
	mux.Handle("PUT /v1/reports/{name}", &shelf{files: map[string][]byte{}})
	server := httptest.NewServer(mux)
	defer server.Close()
	uploadtest.Probe(t, server.URL+"/v1", []byte(reportsSpec),
		func(r *http.Request) { r.Header.Set("X-Reports-Key", "reports-key") })
	fmt.Println("client and server keep the contract")
	// Output: client and server keep the contract
}
