package ncloudmailer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

// Batch is the files of one createFile request.
type Batch struct {
	TempRequestID string
	TraceID       string
	Expires       time.Time       // 24 hours after the upload by the caller's clock; zero where it was not this call that uploaded
	Files         []upload.Result // in the order in which they were sent
}

// GetFile lists the files of one createFile request (getFile). One that is
// unknown or over is [upload.ErrNotFound].
func (c *Client) GetFile(ctx context.Context, tempRequestID string) (Batch, error) {
	return (&batch{}).call(c, ctx, "getFile", func(ctx context.Context) (*http.Response, error) {
		if err := checkID(tempRequestID); err != nil {
			return nil, err
		}
		return c.api.GetFile(ctx, tempRequestID)
	})
}

// DeleteFile deletes the files of one createFile request (deleteFile) and lists
// them. One that is unknown or over is [upload.ErrNotFound]; so may be one that
// an earlier attempt of the same call deleted, whose answer was lost.
func (c *Client) DeleteFile(ctx context.Context, tempRequestID string) (Batch, error) {
	return (&batch{}).call(c, ctx, "deleteFile", func(ctx context.Context) (*http.Response, error) {
		if err := checkID(tempRequestID); err != nil {
			return nil, err
		}
		return c.api.DeleteFile(ctx, tempRequestID)
	})
}

// checkID refuses what, as a path segment, would name another resource.
func checkID(tempRequestID string) error {
	if tempRequestID == "" || tempRequestID == "." || tempRequestID == ".." {
		return fmt.Errorf("%w: %q is no tempRequestId", upload.ErrInvalid, tempRequestID)
	}
	return nil
}

// batch reads the answer that all three operations share.
type batch struct {
	api.AttachFileList
	sent    []upload.Source // what must be in it; nil where nothing was sent
	expires time.Time
}

func (b *batch) call(c *Client, ctx context.Context, op string, send func(context.Context) (*http.Response, error)) (Batch, error) {
	trace, err := c.doer.Call(ctx, op, b.read, send)
	if err != nil {
		return Batch{}, err
	}
	out := Batch{TempRequestID: b.TempRequestID, TraceID: trace, Expires: b.expires}
	for i, f := range b.Files {
		if f.FileName == "" && b.sent != nil {
			f.FileName = upload.BaseName(b.sent[i].Name)
		}
		out.Files = append(out.Files, upload.Result{
			ID: f.FileID, Name: f.FileName, Size: f.FileSize, TraceID: trace,
			TempRequestID: b.TempRequestID, Expires: b.expires,
		})
	}
	return out, nil
}

func (b *batch) read(body []byte) error {
	if err := json.Unmarshal(body, &b.AttachFileList); err != nil {
		return err
	}
	if b.TempRequestID == "" {
		return errors.New("it has no tempRequestId")
	}
	if b.sent != nil && len(b.Files) != len(b.sent) {
		return fmt.Errorf("it lists %d files, and %d were sent", len(b.Files), len(b.sent))
	}
	for i, f := range b.Files {
		if f.FileID == "" {
			return fmt.Errorf("file %d has no fileId", i+1)
		}
		if b.sent != nil && f.FileSize != b.sent[i].Size {
			return fmt.Errorf("file %d has %d bytes, and %d were sent", i+1, f.FileSize, b.sent[i].Size)
		}
	}
	return nil
}
