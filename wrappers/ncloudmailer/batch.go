package ncloudmailer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Batch is the files of one createFile request.
type Batch struct {
	TempRequestID string
	TraceID       string
	Expires       time.Time       // 24 hours after the upload, by this machine's clock; zero if another call uploaded
	Files         []upload.Result // in the order in which they were sent
}

// GetFile lists the files of one createFile request (getFile). If the request
// is unknown, or its files have expired, the error is [upload.ErrNotFound].
func (c *Client) GetFile(ctx context.Context, tempRequestID string) (Batch, error) {
	return c.byID(ctx, "getFile", tempRequestID, c.api.GetFile)
}

// DeleteFile deletes the files of one createFile request (deleteFile) and lists
// them. If the request is unknown, or its files have expired, the error is
// [upload.ErrNotFound]. It is also the error if an earlier attempt of the same
// call deleted the files and its answer was lost.
func (c *Client) DeleteFile(ctx context.Context, tempRequestID string) (Batch, error) {
	return c.byID(ctx, "deleteFile", tempRequestID, c.api.DeleteFile)
}

// byID calls an operation on the files of one request.
func (c *Client) byID(ctx context.Context, op, id string,
	send func(context.Context, string, ...api.RequestEditorFn) (*http.Response, error),
) (Batch, error) {
	return c.call(ctx, op, batch{asked: id}, func(ctx context.Context) (*http.Response, error) {
		if id == "" || id == "." || id == ".." { // as a segment of a path it would name another resource
			return nil, fmt.Errorf("%w: %q is no tempRequestId", upload.ErrInvalid, id)
		}
		return send(ctx, id)
	})
}

// batch is the answer of all three operations, as servers write it.
type batch struct {
	TempRequestID wire.JSONText `json:"tempRequestId"`
	Files         []struct {
		FileName wire.JSONText `json:"fileName"`
		FileSize wire.JSONInt  `json:"fileSize"`
		FileID   wire.JSONText `json:"fileId"`
	} `json:"files"`

	asked   string          // the tempRequestId that was asked about
	sent    []upload.Source // the answer must list them; nil if nothing was sent
	expires time.Time
}

func (c *Client) call(
	ctx context.Context, op string, b batch, send func(context.Context) (*http.Response, error),
) (Batch, error) {
	trace, err := c.doer.Call(ctx, op, b.read, send)
	if err != nil {
		return Batch{}, err
	}
	out := Batch{TempRequestID: cmp.Or(string(b.TempRequestID), b.asked), TraceID: trace, Expires: b.expires}
	for i, f := range b.Files {
		file := upload.Result{
			ID: string(f.FileID), Name: string(f.FileName), Size: f.FileSize.Value, TraceID: trace,
			TempRequestID: out.TempRequestID, Expires: b.expires,
		}
		if b.sent != nil { // the size that was sent, even if the answer has none
			file.Name, file.Size = cmp.Or(file.Name, upload.BaseName(b.sent[i].Name)), b.sent[i].Size
		}
		out.Files = append(out.Files, file)
	}
	return out, nil
}

// read checks that the answer has an id for each file. createFile's answer must
// also have the number and the sizes of the files that were sent.
func (b *batch) read(body []byte) error {
	if err := b.check(body); err != nil {
		return fmt.Errorf("%w%s", err, idsIn(body))
	}
	return nil
}

func (b *batch) check(body []byte) error {
	if err := wire.DecodeJSON(body, b); err != nil {
		return err
	}
	if b.TempRequestID == "" && len(b.Files) == 0 {
		return errors.New("it has neither a tempRequestId nor files")
	}
	if b.sent != nil && len(b.Files) != len(b.sent) {
		return fmt.Errorf("it lists %d files, and %d were sent", len(b.Files), len(b.sent))
	}
	for i, f := range b.Files {
		switch {
		case f.FileID == "":
			return fmt.Errorf("file %d has no fileId", i+1)
		case b.sent == nil:
		case f.FileSize.Broken:
			return fmt.Errorf("file %d has a fileSize that is no whole number", i+1)
		case f.FileSize.Known && f.FileSize.Value != b.sent[i].Size:
			return fmt.Errorf("file %d has %d bytes, and %d were sent", i+1, f.FileSize.Value, b.sent[i].Size)
		}
	}
	return nil
}

// member matches an id in an answer of any form, even if the answer is cut off.
var member = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)"(tempRequestId|fileId)"\s*:\s*("(?:[^"\\]|\\.)+"|[-+.e\d]+)`)
})

// idsIn returns the ids of files that are stored although the answer cannot be
// used, for an error. If no fileId is found, it returns the beginning of the
// answer.
func idsIn(body []byte) (says string) {
	var ids []string
	files := false
	for _, m := range member().FindAllSubmatch(body, -1) {
		var id wire.JSONText
		if _ = id.UnmarshalJSON(m[2]); id != "" {
			ids = append(ids, string(m[1])+" "+string(id))
			files = files || strings.EqualFold(string(m[1]), "fileId")
		}
	}
	if len(ids) > 0 {
		says = " (" + strings.Join(ids, ", ") + ")"
	}
	if !files {
		says += fmt.Sprintf(": %.200s", body)
	}
	return says
}
