package standin

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// maxText is the largest body that is no file, in bytes.
const maxText = 64 << 10

// bufferJSON reads the small body of a POST, and checks that it is one JSON
// value. The generated decoder would ignore a second one.
func bufferJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			text, refused := readJSON(r)
			if refused != nil {
				answerRefusal(w, r, refused)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(text))
		}
		next.ServeHTTP(w, r)
	})
}

func readJSON(r *http.Request) ([]byte, *refusal) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" {
		return nil, refuse(http.StatusUnsupportedMediaType, "Content-Type is %.80q, not application/json",
			r.Header.Get("Content-Type"))
	}
	text, refused := readText(r)
	if refused == nil && !json.Valid(text) {
		refused = refuse(http.StatusBadRequest, "the body is not one JSON value")
	}
	return text, refused
}

// readText reads a body that is no file. If its Content-Length is too large,
// readText refuses it unread. It also limits the time.
func readText(r *http.Request) ([]byte, *refusal) {
	if r.ContentLength > maxText {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has %d bytes, more than %d",
			r.ContentLength, maxText)
	}
	standinhttp.Hurry(r.Context())
	text, err := io.ReadAll(io.LimitReader(r.Body, maxText+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "reading the body: %w", err)
	}
	if len(text) > maxText {
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes", maxText)
	}
	return text, nil
}
