package standinhttp

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Write is a whole answer with its Content-Length, as [Refuse] needs it. An
// answer without a body has no content type either: both are empty.
func Write(w http.ResponseWriter, status int, contentType string, body []byte) {
	if contentType != "" {
		w.Header().Set("Content-Type", contentType)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// WriteJSON is [Write] of a value that always has a form in JSON.
func WriteJSON(w http.ResponseWriter, status int, value any) {
	text, _ := json.Marshal(value)
	Write(w, status, "application/json", text)
}
