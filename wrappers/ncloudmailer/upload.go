package ncloudmailer

import (
	"context"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

const lifetime = 24 * time.Hour // of a fileId, as createFile is documented

// Upload sends one file (createFile). The result's ID is the fileId. It is
// valid until Expires. [Client.DeleteFile] takes the TempRequestID.
func (c *Client) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	batch, err := c.CreateFile(ctx, src)
	if err != nil {
		return upload.Result{}, err
	}
	return batch.Files[0], nil
}

// CreateFile sends several files in one request (createFile) and returns them
// in the same order. NAVER's documentation speaks of one file; other people's
// clients send several. All sources are open while it runs.
//
// If the number or a size of the files in the answer is wrong, the error is
// [upload.ErrUnavailable] and names the ids in the answer, since the files are
// stored.
func (c *Client) CreateFile(ctx context.Context, srcs ...upload.Source) (Batch, error) {
	// Round drops the monotonic clock, because that stands still while a
	// machine sleeps.
	b := batch{sent: srcs, expires: time.Now().Add(lifetime).Round(0)}
	return c.call(ctx, "createFile", b, func(ctx context.Context) (*http.Response, error) {
		req := c.createFile.WithContext(ctx)
		req.URL, req.Header = new(*req.URL), http.Header{}
		if err := wire.Form("fileList", srcs...).Edit(ctx, req); err != nil {
			return nil, err
		}
		return c.doer.Do(req)
	})
}
