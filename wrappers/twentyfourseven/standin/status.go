package standin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The statuses in the provider's examples. A status is free text.
const (
	pending   = "Pending"
	completed = "Completed"
)

// maxStatus is the limit of a status in bytes.
const maxStatus = 100

// SetStatus makes getFileUploadStatus answer with this status until it is set
// again, even if the file has not arrived. Use it to test how a client handles
// Failed or an unknown word. The status is kept in the store. If the id was
// never issued, the error is fs.ErrNotExist. If the status is empty, longer
// than 100 bytes or not printable, it is fs.ErrInvalid.
func (h *Handler) SetStatus(ctx context.Context, fileID, status string) error {
	if !h.issued(fileID) {
		return notIssued(fileID)
	}
	if strings.TrimSpace(status) == "" || len(status) > maxStatus || !utf8.ValidString(status) ||
		strings.ContainsFunc(status, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("twentyfourseven stand-in: status %.80q: %w", status, fs.ErrInvalid)
	}
	_, err := h.store.Put(ctx, statusKey(fileID), "", strings.NewReader(status))
	return err
}

// status returns the status of SetStatus. Without one, it is Completed if the
// file has arrived and the delay is over, and otherwise Pending.
func (h *Handler) status(ctx context.Context, fileID string) (string, error) {
	set, err := h.text(ctx, statusKey(fileID))
	if !errors.Is(err, fs.ErrNotExist) {
		return set, err
	}
	info, err := h.store.Stat(ctx, fileKey(fileID))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pending, nil
	case err != nil:
		return "", err
	case h.delay > 0 && h.now().Sub(info.ModTime) < h.delay:
		return pending, nil
	}
	return completed, nil
}
