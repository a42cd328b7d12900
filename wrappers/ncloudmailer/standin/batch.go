package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// batch is the set of files that one request uploaded: the answer to it, and the
// manifest in the store. The manifest is put last, so nobody sees a batch that
// is not whole. It is deleted last, so a delete that failed can be tried again.
// The time in the batch's id is the end of the upload.
type batch = api.AttachFileList

// created is the answer to CreateFile.
type created standinhttp.Answer

func (a created) VisitCreateFileResponse(w http.ResponseWriter) error {
	standinhttp.Answer(a).Write(w)
	return nil
}

// commit makes the batch visible.
func (h *Handler) commit(ctx context.Context, b *batch) (created, error) {
	b.TempRequestID = newID(h.now())
	answer := standinhttp.JSON(http.StatusCreated, b)
	return created(answer), store.Note(ctx, h.store, manifestKey(b.TempRequestID), answer.Body)
}

// load returns a batch. If it has expired, load deletes it.
func (h *Handler) load(ctx context.Context, id string) (*batch, error) {
	ended, ok := parseID(id)
	if !ok {
		return nil, noSuchBatch()
	}
	b, err := h.readManifest(ctx, id)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b.Files) == 0 {
		return nil, noSuchBatch()
	}
	if err != nil {
		return nil, err
	}
	if h.expired(ended) {
		if err := h.remove(ctx, b); err != nil {
			standinhttp.Log(ctx).WarnContext(ctx, "an old batch could not be deleted", "error", err)
		}
		return nil, noSuchBatch()
	}
	return b, nil
}

// readManifest returns a batch. One whose manifest is not whole, because the
// process was killed or the power failed before the answer, has no files. Its
// files are deleted when they are over, as is the manifest.
func (h *Handler) readManifest(ctx context.Context, id string) (*batch, error) {
	manifest, _, err := h.store.Open(ctx, manifestKey(id))
	if err != nil {
		return nil, err
	}
	defer manifest.Close()
	text, err := io.ReadAll(manifest)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", id, err)
	}
	b := &batch{}
	if json.Unmarshal(text, b) != nil {
		b.Files = nil
	}
	b.TempRequestID = id
	return b, nil
}

// remove deletes the batch, if it was committed, and its files. After an error
// it can be called again.
func (h *Handler) remove(ctx context.Context, b *batch) error {
	for _, f := range b.Files {
		if err := h.store.Delete(ctx, fileKey(f.FileID)); err != nil {
			return err
		}
	}
	if b.TempRequestID == "" {
		return nil
	}
	return h.store.Delete(ctx, manifestKey(b.TempRequestID))
}

// discard deletes a batch that failed.
func (h *Handler) discard(ctx context.Context, b *batch) {
	if len(b.Files) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := h.remove(ctx, b); err != nil {
		standinhttp.Log(ctx).ErrorContext(ctx, "files of a refused request could not be deleted", "error", err)
	}
}
