package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The provider's examples of a status. It is free text.
const (
	pending   = "Pending"
	completed = "Completed"
)

// maxStatus is how many bytes a status may have.
const maxStatus = 100

// SetStatus makes getFileUploadStatus answer with this status until it is set
// again, whether the file has arrived or not. A client that waits for a file
// can so be tested with Failed, or with a word it does not know. The status is
// kept in the store. An id that was never issued is fs.ErrNotExist, and a
// status that is empty, longer than 100 bytes or not printable is
// fs.ErrInvalid.
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

// status returns the status that was set, or else the one that follows from the
// store.
func (h *Handler) status(ctx context.Context, fileID string) (string, error) {
	set, _, err := h.store.Open(ctx, statusKey(fileID))
	if err == nil {
		defer set.Close()
		text, err := io.ReadAll(io.LimitReader(set, maxStatus))
		return string(text), err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
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
