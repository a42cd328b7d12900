package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strconv"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

const (
	filesFolder     = "twentyfourseven/files"
	statusesFolder  = "twentyfourseven/statuses"
	documentsFolder = "twentyfourseven/documents"
)

func fileKey(fileID string) string   { return filesFolder + "/" + fileID }
func statusKey(fileID string) string { return statusesFolder + "/" + fileID }

// documentKey returns the key under which the store keeps the fileId of a
// document. A documentId is a hash, so it does not give the fileId back.
func documentKey(id int64) string { return documentsFolder + "/" + strconv.FormatInt(id, 10) }

// File describes a file that the stand-in keeps.
type File = standinhttp.File

// Open returns the file with a fileId that this stand-in, or another with the
// same credentials and store, has issued. If the file has not arrived or the id
// was never issued, the error is fs.ErrNotExist. The caller closes the file.
func (h *Handler) Open(ctx context.Context, fileID string) (io.ReadCloser, store.Info, error) {
	if !h.issued(fileID) {
		return nil, store.Info{}, notIssued(fileID)
	}
	return h.store.Open(ctx, fileKey(fileID))
}

// text returns the content of a small object.
func (h *Handler) text(ctx context.Context, key string) (string, error) {
	rc, _, err := h.store.Open(ctx, key)
	if err != nil {
		return "", err
	}
	defer rc.Close()
	text, err := io.ReadAll(io.LimitReader(rc, 1<<10))
	return string(text), err
}

func notIssued(fileID string) error {
	return fmt.Errorf("twentyfourseven stand-in: fileId %.80q: %w", fileID, fs.ErrNotExist)
}

// Files yields the stored files, in any order. If the store is no
// [store.Lister], the error is errors.ErrUnsupported.
func (h *Handler) Files(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for key, err := range store.Keys(ctx, h.store, filesFolder) {
			if err != nil {
				yield(File{}, err)
				return
			}
			id := strings.TrimPrefix(key, filesFolder+"/")
			if !h.issued(id) {
				continue
			}
			info, err := h.store.Stat(ctx, key)
			if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
				continue
			}
			if !yield(File{ID: id, ContentType: info.ContentType, Size: info.Size, Time: info.ModTime}, err) {
				return
			}
		}
	}
}

// Reset deletes the stored files, statuses and documents.
func (h *Handler) Reset(ctx context.Context) error {
	for _, folder := range []string{filesFolder, statusesFolder, documentsFolder} {
		for key, err := range store.Keys(ctx, h.store, folder) {
			if err == nil {
				err = h.store.Delete(ctx, key)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
