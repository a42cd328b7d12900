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

// batch is a Batch with all that its answer is compared with.
type batch struct {
	Batch
	asked string          // the tempRequestId that was asked about
	sent  []upload.Source // the answer must list them; nil if nothing was sent
}

func (c *Client) call(
	ctx context.Context, op string, b batch, send func(context.Context) (*http.Response, error),
) (Batch, error) {
	trace, err := c.doer.Call(ctx, op, b.read, send)
	if err != nil {
		return Batch{}, err
	}
	b.TempRequestID, b.TraceID = cmp.Or(b.TempRequestID, b.asked), trace
	for i := range b.Files {
		b.Files[i].TempRequestID, b.Files[i].TraceID = b.TempRequestID, trace
	}
	return b.Batch, nil
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
	answer, err := wire.ParseJSON(body)
	if err != nil {
		return err
	}
	b.TempRequestID = answer.Text("tempRequestId")
	files := answer.Elements("files")
	if b.TempRequestID == "" && len(files) == 0 {
		return errors.New("it has neither a tempRequestId nor files")
	}
	if b.sent != nil && len(files) != len(b.sent) {
		return fmt.Errorf("it lists %d files, and %d were sent", len(files), len(b.sent))
	}
	b.Files = make([]upload.Result, len(files))
	for i, f := range files {
		size, known, err := f.Int("fileSize")
		file := upload.Result{ID: f.Text("fileId"), Name: f.Text("fileName"), Size: size, Expires: b.Expires}
		if b.sent != nil { // the size that was sent, even if the answer has none
			file.Name, file.Size = cmp.Or(file.Name, upload.BaseName(b.sent[i].Name)), b.sent[i].Size
		}
		switch {
		case file.ID == "":
			return fmt.Errorf("file %d has no fileId", i+1)
		case b.sent == nil:
		case err != nil:
			return fmt.Errorf("file %d has a fileSize that %w", i+1, err)
		case known && size != file.Size:
			return fmt.Errorf("file %d has %d bytes, and %d were sent", i+1, size, file.Size)
		}
		b.Files[i] = file
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
		found, _ := wire.ParseJSON(fmt.Appendf(nil, `{"id":%s}`, m[2]))
		if id := found.Text("id"); id != "" {
			ids = append(ids, string(m[1])+" "+id)
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
