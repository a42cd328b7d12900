package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

const (
	filesFolder   = "ncloudmailer/files"
	batchesFolder = "ncloudmailer/batches"
)

func fileKey(fileID string) string      { return filesFolder + "/" + fileID }
func manifestKey(batchID string) string { return batchesFolder + "/" + batchID + ".json" }

// File describes a file that the stand-in keeps.
type File = standinhttp.File

// Open returns the file with a fileId. If the file was never uploaded, was
// deleted or is older than [Config.Life], the error is fs.ErrNotExist. The
// caller closes the file.
func (h *Handler) Open(ctx context.Context, fileID string) (io.ReadCloser, store.Info, error) {
	begun, ok := parseID(fileID)
	if !ok {
		return nil, store.Info{}, fmt.Errorf("ncloudmailer stand-in: fileId %.80q: %w", fileID, fs.ErrNotExist)
	}
	if h.expired(begun) {
		if err := h.store.Delete(ctx, fileKey(fileID)); err != nil {
			return nil, store.Info{}, err
		}
	}
	return h.store.Open(ctx, fileKey(fileID))
}

// Files yields the stored files, in any order. If the store is no
// [store.Lister], the error is errors.ErrUnsupported.
func (h *Handler) Files(ctx context.Context) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		for b, err := range h.batches(ctx, func(ended time.Time) bool { return !h.expired(ended) }) {
			if err != nil {
				yield(File{}, err)
				return
			}
			for _, f := range b.Files {
				info, err := h.store.Stat(ctx, fileKey(f.FileID))
				if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
					continue
				}
				file := File{
					ID: f.FileID, Name: f.FileName, ContentType: info.ContentType, Size: f.FileSize, Time: info.ModTime,
				}
				if !yield(file, err) {
					return
				}
			}
		}
	}
}

// Reset deletes the stored files. It does not touch an upload in progress.
func (h *Handler) Reset(ctx context.Context) error {
	var failed error
	for b, err := range h.batches(ctx, func(time.Time) bool { return true }) {
		if err == nil && len(b.Files) > 0 { // a batch without files may be in progress
			err = h.remove(ctx, b)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// Reclaim deletes files that are older than [Config.Life], and leftovers of
// failed requests. CreateFile calls it from time to time. Call Reclaim to free
// room while nobody uploads. If the store is no [store.Lister], Reclaim does
// nothing: a bucket has a rule for that.
func (h *Handler) Reclaim(ctx context.Context) error {
	if _, ok := h.store.(store.Lister); !ok {
		return nil
	}
	h.reclaimed.Store(h.now().UnixNano())
	var failed error
	for b, err := range h.batches(ctx, h.expired) {
		if err == nil {
			err = h.remove(ctx, b)
		}
		failed = errors.Join(failed, err)
	}
	for key, err := range store.Keys(ctx, h.store, filesFolder) {
		if begun, ok := parseID(strings.TrimPrefix(key, filesFolder+"/")); err == nil && ok && h.expired(begun) {
			err = h.store.Delete(ctx, key)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// reclaimIfDue calls Reclaim if the last call was h.life/200 ago: seven minutes
// for the provider's 24 hours.
func (h *Handler) reclaimIfDue(ctx context.Context) {
	last, now := h.reclaimed.Load(), h.now().UnixNano()
	if now-last < int64(h.life/200) || !h.reclaimed.CompareAndSwap(last, now) {
		return
	}
	if err := h.Reclaim(ctx); err != nil {
		standinhttp.Log(ctx).WarnContext(ctx, "expired files could not be deleted", "error", err)
	}
}

// expired reports whether a file that was stored at t has expired.
func (h *Handler) expired(t time.Time) bool { return h.now().Sub(t) >= h.life }

// batches yields the batches for whose end of upload fits returns true. An error
// of one batch does not end the iteration.
func (h *Handler) batches(ctx context.Context, fits func(ended time.Time) bool) iter.Seq2[*batch, error] {
	return func(yield func(*batch, error) bool) {
		for key, err := range store.Keys(ctx, h.store, batchesFolder) {
			if err != nil {
				yield(nil, err)
				return
			}
			id := strings.TrimSuffix(strings.TrimPrefix(key, batchesFolder+"/"), ".json")
			if ended, ok := parseID(id); !ok || !fits(ended) {
				continue
			}
			b, err := h.readManifest(ctx, id)
			if errors.Is(err, fs.ErrNotExist) { // deleted meanwhile
				continue
			}
			if !yield(b, err) {
				return
			}
		}
	}
}
