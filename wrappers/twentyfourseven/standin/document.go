package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// becomeDocument makes the document of an uploaded file and returns its
// documentId. It may be called again.
func (h *Handler) becomeDocument(ctx context.Context, fileID string) (int64, error) {
	id := documentID(fileID)
	_, err := h.store.Stat(ctx, documentKey(id))
	if errors.Is(err, fs.ErrNotExist) {
		_, err = h.store.Put(ctx, documentKey(id), "text/plain", strings.NewReader(fileID))
	}
	return id, err
}

// GetDocument answers with the URL to download a document.
func (h operations) GetDocument(
	ctx context.Context, req api.GetDocumentRequestObject,
) (api.GetDocumentResponseObject, error) {
	fileID, err := h.text(ctx, documentKey(req.DocumentID))
	var info store.Info
	if err == nil {
		info, err = h.store.Stat(ctx, fileKey(fileID))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refuse(http.StatusNotFound, "there is no document %d", req.DocumentID)
	}
	if err != nil {
		return nil, err
	}
	target, err := h.presign(ctx, http.MethodGet, downloadPath, fileID, "")
	if err != nil {
		return nil, err
	}
	return document{DocumentID: req.DocumentID, ContentType: info.ContentType,
		DownloadURL: target, Pages: &[]any{}}, nil
}

// document answers 200 like the generated type, with a readable URL.
type document api.Document

func (a document) VisitGetDocumentResponse(w http.ResponseWriter) error {
	standinhttp.JSON(http.StatusOK, api.Document(a)).Write(w)
	return nil
}

// download serves a presigned URL of a document.
func (h *Handler) download(w http.ResponseWriter, r *http.Request, id string) {
	if standinhttp.CrossOrigin(w, r, http.MethodGet, requestIDHeader) {
		return
	}
	if err := h.checkURL(r, http.MethodGet, id, ""); err != nil {
		answerS3(w, r, err)
		return
	}
	rc, info, err := h.store.Open(r.Context(), fileKey(id))
	if err != nil {
		answerS3(w, r, refuseS3(http.StatusNotFound, "NoSuchKey", err, "There is no such file."))
		return
	}
	defer rc.Close()
	// An uploaded file must not run as a page of this server.
	w.Header().Set("Content-Disposition", "attachment")
	w.Header().Set("Content-Security-Policy", "sandbox")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", info.ContentType)
	w.Header().Set("Content-Length", strconv.FormatInt(info.Size, 10))
	if _, err := io.Copy(w, rc); err != nil {
		standinhttp.Log(r.Context()).Warn("a download broke off", "reason", fmt.Sprint(err))
	}
}
