package ncloudmailer

import (
	"context"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

const (
	field    = "fileList"     // the form's field, one part a file
	lifetime = 24 * time.Hour // of a fileId, by createFile's documentation
)

// Upload sends one file (createFile). The result's ID is its fileId, good until
// Expires; TempRequestID is what [Client.DeleteFile] takes.
func (c *Client) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	batch, err := c.CreateFile(ctx, src)
	if err != nil {
		return upload.Result{}, err
	}
	return batch.Files[0], nil
}

// CreateFile sends several files in one request (createFile) and answers in
// their order. That the API takes more than one at a time is what other clients
// do, not what its documentation says. All sources are open while it runs. An
// answer with another number of files, or other sizes, than were sent is
// [upload.ErrUnavailable].
func (c *Client) CreateFile(ctx context.Context, srcs ...upload.Source) (Batch, error) {
	form := wire.Form(field, srcs...)
	b := batch{sent: srcs, expires: time.Now().Add(lifetime)}
	return b.call(c, ctx, "createFile", func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateFileWithBody(ctx, form.ContentType, nil, form.Edit)
	})
}
