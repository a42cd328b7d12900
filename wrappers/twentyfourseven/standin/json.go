package standin

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// bufferJSON reads the small body of a POST, and checks that it is one JSON
// value. The generated decoder would ignore a second one.
func (h *Handler) bufferJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			text, err := h.readJSON(r)
			if err != nil {
				answerRefusal(w, r, err)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(text))
		}
		next.ServeHTTP(w, r)
	})
}

func (h *Handler) readJSON(r *http.Request) ([]byte, error) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "Content-Type is %.80q, not application/json",
			r.Header.Get("Content-Type"))
	}
	text, err := h.readText(r)
	if err == nil && !json.Valid(text) {
		err = refuse(http.StatusBadRequest, "the body is not one JSON value")
	}
	return text, err
}

// readText reads a body that is no file. If its Content-Length is too large,
// readText refuses it unread. It also limits the time.
func (h *Handler) readText(r *http.Request) ([]byte, error) {
	if r.ContentLength > h.maxText {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has %d bytes, more than %d",
			r.ContentLength, h.maxText)
	}
	standinhttp.Hurry(r.Context())
	text, err := io.ReadAll(io.LimitReader(r.Body, max(h.maxText, h.maxText+1)))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "reading the body: %w", err)
	}
	if int64(len(text)) > h.maxText {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", h.maxText)
	}
	return text, nil
}
