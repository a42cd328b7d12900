package uploadtest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// Func makes an upload.Uploader of a plain function that returns the id of the
// uploaded file. [Run] expects less of it than of a client. An error that is no
// *upload.Error and has no kind only needs to be there, and nothing needs to be
// sent twice. A reader may be closed twice, by a defer and by net/http. Like
// every client, it must not read an answer however long it is: read it through
// an io.LimitReader.
type Func func(ctx context.Context, src upload.Source) (id string, err error)

// Upload implements upload.Uploader.
func (f Func) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	id, err := f(ctx, src)
	return upload.Result{ID: id}, err
}

// Call makes an upload.Uploader of a call that returns an *http.Response, such
// as one of a generated client or of net/http. [Run] expects as much of it as
// of a [Func]. A status other than 2xx is an error. The id is the member fileId
// or id of the JSON answer.
//
//	uploadtest.Call(func(ctx context.Context, src upload.Source) (*http.Response, error) {
//		return client.PutReportWithFile(ctx, src.Name, src)
//	})
type Call func(ctx context.Context, src upload.Source) (*http.Response, error)

// Upload implements upload.Uploader.
func (c Call) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	resp, err := c(ctx, src)
	if err != nil {
		return upload.Result{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return upload.Result{}, fmt.Errorf("status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, contract.Keep))
	if err != nil {
		return upload.Result{}, err
	}
	if !json.Valid(body) {
		return upload.Result{}, fmt.Errorf("status %d, but the answer is no JSON", resp.StatusCode)
	}
	var id string
	for _, m := range contract.Members(body) {
		if m.Name == "fileId" || m.Name == "id" && id == "" {
			id = m.Value
		}
	}
	if id == "" {
		return upload.Result{}, fmt.Errorf("status %d, but the answer has no id", resp.StatusCode)
	}
	return upload.Result{ID: id}, nil
}

// plain reports whether the client is one of the adapters.
func (t *trial) plain() bool {
	switch t.Uploader.(type) {
	case Func, Call:
		return true
	}
	return false
}
