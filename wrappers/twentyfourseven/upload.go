package twentyfourseven

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Upload asks for a presigned URL and sends src there. The result's ID is the
// fileId, which nothing but [Client.Status] and [Client.Wait] takes: the rest of
// the API wants the documentId that it becomes. The name is not sent, since the
// API has no field for it.
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
	trace, err := c.doer.Call(ctx, "fileUpload", t.read, func(ctx context.Context) (*http.Response, error) {
		if err := body.Err(); err != nil {
			return nil, err
		}
		return c.api.FileUpload(ctx, api.FileUploadRequest{ContentType: body.ContentType})
	})
	if err != nil {
		return upload.Result{}, err
	}
	if err := c.presigned.Send(ctx, t.UploadMethod, t.UploadURL, body); err != nil {
		if f, ok := errors.AsType[*upload.Error](err); ok {
			f.TraceID = trace
		}
		return upload.Result{}, err
	}
	return upload.Result{ID: t.id, Name: upload.BaseName(src.Name), Size: src.Size, TraceID: trace}, nil
}

// ticket is the answer to fileUpload.
type ticket struct {
	api.FileUploadResponse
	id string
}

func (t *ticket) read(body []byte) (err error) {
	if err = json.Unmarshal(body, &t.FileUploadResponse); err == nil {
		t.id, err = readFileID(t.FileID)
	}
	if err == nil && (t.UploadMethod == "" || t.UploadURL == "") {
		err = errors.New("it lacks uploadMethod or uploadUrl")
	}
	return err
}

var integer = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

// readFileID takes a JSON string or a JSON integer of any size, since the
// provider declares the one and shows the other, and keeps its digits as they
// are: a float64 would lose some.
func readFileID(raw json.RawMessage) (id string, err error) {
	if integer.Match(raw) {
		return string(raw), nil
	}
	if err := json.Unmarshal(raw, &id); err != nil || id == "" {
		return "", errors.New("its fileId is neither a text nor an integer")
	}
	return id, nil
}
