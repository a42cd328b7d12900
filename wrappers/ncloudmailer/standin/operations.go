package standin

import (
	"context"
	"errors"
	"fmt"
	"mime/multipart"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// operations implements the three operations of the API.
type operations struct{ *Handler }

var _ api.StrictServerInterface = operations{}

// CreateFile stores the files of a form as they come. It stores all or none.
func (h operations) CreateFile(
	ctx context.Context, req api.CreateFileRequestObject,
) (api.CreateFileResponseObject, error) {
	h.reclaimIfDue(ctx)
	b := &batch{}
	err := h.receive(ctx, req.Body, b)
	var answer created
	if err == nil {
		answer, err = h.commit(ctx, b)
	}
	if err != nil {
		h.discard(ctx, b)
		return nil, err
	}
	return answer, nil
}

// GetFile lists the files of a request.
func (h operations) GetFile(ctx context.Context, req api.GetFileRequestObject) (api.GetFileResponseObject, error) {
	b, err := h.load(ctx, req.TempRequestID)
	if err != nil {
		return nil, err
	}
	return api.GetFile200JSONResponse{Body: *b}, nil
}

// DeleteFile deletes the files of a request.
func (h operations) DeleteFile(
	ctx context.Context, req api.DeleteFileRequestObject,
) (api.DeleteFileResponseObject, error) {
	b, err := h.load(ctx, req.TempRequestID)
	if err != nil {
		return nil, err
	}
	if err := h.remove(ctx, b); err != nil {
		return nil, err
	}
	return api.DeleteFile200JSONResponse{Body: *b}, nil
}

// receive stores the files of a form. It adds each to b before it stores it.
func (h *Handler) receive(ctx context.Context, parts *multipart.Reader, b *batch) error {
	whole, _ := standinhttp.Request(ctx).Body.(*form)
	for {
		f, err := whole.next(parts)
		if err != nil {
			return err
		}
		if f == nil {
			break
		}
		f.limit = h.maxSize
		b.Files = append(b.Files, api.AttachFile{FileID: newID(h.now()), FileName: f.name})
		e := &b.Files[len(b.Files)-1]
		e.FileSize, err = h.store.Put(ctx, fileKey(e.FileID), f.contentType, f)
		switch {
		case errors.Is(f.err, errTooLarge):
			return tooLarge(fmt.Sprintf("The files may have %d bytes together.", h.maxSize), nil)
		case f.err != nil:
			return badRequest("The form breaks off in a file.", f.err)
		case errors.Is(err, store.ErrFull):
			return tooLarge("The store has no room for the file.", err)
		case err != nil:
			return err
		case f.declared >= 0 && f.declared != e.FileSize:
			return badRequest(fmt.Sprintf("A part declares %d bytes and has %d.", f.declared, e.FileSize), nil)
		}
	}
	if len(b.Files) == 0 {
		return badRequest("The form has no fileList.", nil)
	}
	// The form is whole. The request may still break off.
	if err := whole.finish(); err != nil {
		return badRequest("The body breaks off behind the form.", err)
	}
	return nil
}
