package standin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// batch is the set of files that one request uploaded. Its manifest is put
// last, so nobody sees a batch that is not whole. It is deleted last, so a
// delete that failed can be tried again.
type batch struct {
	id string // tempRequestId

	Created time.Time `json:"created"`
	Files   []entry   `json:"files"`
}

type entry struct {
	ID          string `json:"fileId"`
	Name        string `json:"fileName"`
	Size        int64  `json:"fileSize"`
	ContentType string `json:"contentType,omitempty"`
}

// list returns the batch as the API shows it.
func (b *batch) list() api.AttachFileList {
	l := api.AttachFileList{TempRequestID: b.id, Files: []api.AttachFile{}}
	for _, f := range b.Files {
		l.Files = append(l.Files, api.AttachFile{FileName: f.Name, FileSize: f.Size, FileID: f.ID})
	}
	return l
}

// commit makes the batch visible.
func (h *Handler) commit(ctx context.Context, b *batch) error {
	b.Created = h.now()
	manifest, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return store.Note(ctx, h.store, manifestKey(b.id), manifest)
}

// load returns a batch. If it has expired, load deletes it.
func (h *Handler) load(ctx context.Context, id string) (*batch, error) {
	if _, ok := parseID(id); !ok {
		return nil, noSuchBatch()
	}
	b, err := h.readManifest(ctx, id)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b.Files) == 0 {
		return nil, noSuchBatch()
	}
	if err != nil {
		return nil, err
	}
	if h.expired(b.Created) {
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
	b := &batch{id: id}
	if json.Unmarshal(text, b) != nil {
		begun, _ := parseID(id)
		return &batch{id: id, Created: begun}, nil
	}
	return b, nil
}

// remove deletes the batch and its files. After an error it can be called
// again.
func (h *Handler) remove(ctx context.Context, b *batch) error {
	for _, f := range b.Files {
		if err := h.store.Delete(ctx, fileKey(f.ID)); err != nil {
			return err
		}
	}
	return h.store.Delete(ctx, manifestKey(b.id))
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
