package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// operations implements the operations of the API.
type operations struct{ *Handler }

var _ api.StrictServerInterface = operations{}

// FileUpload announces a file.
func (h operations) FileUpload(
	ctx context.Context, req api.FileUploadRequestObject,
) (api.FileUploadResponseObject, error) {
	contentType := req.Body.ContentType
	if err := checkContentType(contentType); err != nil {
		return nil, refuse(http.StatusBadRequest, "contentType: %w", err)
	}
	id := h.newID()
	target, err := h.store.PresignPut(ctx, fileKey(id), contentType, h.urlLife)
	if errors.Is(err, store.ErrNoPresign) {
		target, err = h.presign(ctx, http.MethodPut, uploadPath, id, contentType)
	}
	if err != nil {
		return nil, err
	}
	return initiated{UploadMethod: http.MethodPut, UploadURL: target, FileID: quote(id)}, nil
}

// GetFileUploadStatus answers with the file's status.
func (h operations) GetFileUploadStatus(
	ctx context.Context, req api.GetFileUploadStatusRequestObject,
) (api.GetFileUploadStatusResponseObject, error) {
	if !h.issued(req.FileID) {
		return nil, refuse(http.StatusNotFound, "no such fileId was issued")
	}
	word, err := h.status(ctx, req.FileID)
	if err != nil {
		return nil, err
	}
	status := api.FileUploadStatus{FileID: quote(req.FileID), Status: word}
	if word == completed {
		id, err := h.becomeDocument(ctx, req.FileID)
		if err != nil {
			return nil, err
		}
		status.DocumentID = &id
	}
	return api.GetFileUploadStatus200JSONResponse{Body: status}, nil
}

// initiated answers 200 like the generated type, with a readable URL.
type initiated api.FileUploadResponse

func (a initiated) VisitFileUploadResponse(w http.ResponseWriter) error {
	standinhttp.JSON(http.StatusOK, api.FileUploadResponse(a)).Write(w)
	return nil
}

// checkContentType returns an error if contentType is no media type, or the
// store does not take it.
func checkContentType(contentType string) error {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.Contains(t, "/") {
		return fmt.Errorf("%.80q is not a media type", contentType)
	}
	return store.CheckContentType(contentType)
}

func quote(id string) json.RawMessage { return json.RawMessage(strconv.Quote(id)) }
