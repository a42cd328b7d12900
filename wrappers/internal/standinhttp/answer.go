package standinhttp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Answer is a whole answer. Write sends it with a Content-Length. An answer
// without a body has no content type.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// JSON returns an answer with value, in one line. The value must marshal to
// JSON. An ampersand stays one, so a shell script can cut a URL out of the
// answer.
func JSON(status int, value any) Answer {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
	return Answer{status, "application/json", text.Bytes()}
}

// Write sends the answer.
func (a Answer) Write(w http.ResponseWriter) {
	if a.ContentType != "" {
		w.Header().Set("Content-Type", a.ContentType)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// answer is a response with a write deadline. Without it a caller who sends
// requests and reads no answers would hold the connection for ever.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	armed   time.Time
	status  int // zero until the header is written
}

func (a *answer) WriteHeader(status int) {
	if status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	a.arm()
	return a.ResponseWriter.Write(p)
}

// arm moves the deadline, as body.arm does. net/http removes it at the end.
func (a *answer) arm() {
	if now := time.Now(); now.Sub(a.armed) > a.stall/4 {
		_ = a.control.SetWriteDeadline(now.Add(a.stall))
		a.armed = now
	}
}

// Unwrap returns the writer below, for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
