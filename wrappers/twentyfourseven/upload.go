package twentyfourseven

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Upload asks for a presigned URL and sends src there. The result's ID is the
// fileId. Only [Client.Status] and [Client.Wait] take it: the rest of the API
// takes the documentId. The name is not sent, since the API has no field for
// it.
//
// If the upload fails after the provider has given a fileId, the error names
// it: the file may have arrived all the same.
func (c *Client) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	res, err := c.upload(ctx, src)
	if !c.restart || !errors.Is(err, upload.ErrExpired) {
		return res, err
	}
	res, again := c.upload(ctx, src)
	if f, ok := errors.AsType[*upload.Error](err); ok && errors.Is(again, upload.ErrNotReplayable) {
		f.Err = fmt.Errorf("%w: %w", f.Err, upload.ErrNotReplayable)
		return res, f
	}
	return res, again
}

func (c *Client) upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	body := wire.Raw(src)
	var t ticket
	var sent string // the credentials of the call
	trace, err := c.doer.Call(ctx, "fileUpload", t.read, func(ctx context.Context) (*http.Response, error) {
		if err := body.Err(); err != nil {
			return nil, err
		}
		text, err := json.Marshal(api.FileUploadRequest{ContentType: body.ContentType})
		if err != nil {
			return nil, err
		}
		req := c.fileUpload.WithContext(ctx)
		req.URL, req.Header = new(*req.URL), maps.Clone(req.Header)
		req.ContentLength = int64(len(text))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }
		resp, err := c.doer.Do(req)
		if err == nil && resp.Request != nil {
			sent = resp.Request.Header.Get("Authorization")
		}
		return resp, err
	})
	if err != nil {
		return upload.Result{}, err
	}
	id := string(t.FileID)
	if _, err := c.presigned.Send(ctx, wire.Target{Method: t.UploadMethod, URL: t.UploadURL}, body); err != nil {
		if f, ok := errors.AsType[*upload.Error](err); ok {
			f.TraceID = trace
			if !wire.Repeats(strings.ToLower(id), strings.ToLower(sent)) { // the id may repeat the token
				f.Err = fmt.Errorf("fileId %.64q: %w", id, f.Err)
			}
		}
		return upload.Result{}, err
	}
	return upload.Result{ID: id, Name: upload.BaseName(src.Name), Size: src.Size, TraceID: trace}, nil
}

// ticket is the answer to fileUpload. The provider declares the fileId a
// string, but shows a number.
type ticket struct {
	UploadMethod string        `json:"uploadMethod"`
	UploadURL    string        `json:"uploadUrl"`
	FileID       wire.JSONText `json:"fileId"`
}

func (t *ticket) read(body []byte) error {
	switch err := wire.DecodeJSON(body, t); {
	case err != nil:
		return err
	case t.FileID == "":
		return errors.New("its fileId is neither a text nor an integer")
	case t.UploadMethod == "" || t.UploadURL == "":
		return errors.New("it lacks uploadMethod or uploadUrl")
	}
	return nil
}
