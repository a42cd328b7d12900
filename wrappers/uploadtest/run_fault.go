package uploadtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
)

// The faults that properties inject.

// forEver has each request meet a fault, however many come.
const forEver = -1

// instead is a fault that answers in the handler's place.
func instead(answer http.HandlerFunc) Fault {
	return func(http.Handler) http.Handler { return answer }
}

// respelledText changes the text of an answer.
func respelledText(change func(string) string) Fault {
	return faulty.Respelled(func(a *httptest.ResponseRecorder) {
		a.Body = bytes.NewBufferString(change(a.Body.String()))
	})
}

// slamDoor answers and closes, as proxies do, with no time for a sender.
func slamDoor(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn,
		"HTTP/1.1 413 Request Entity Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
}

// afterBody answers a while after it has read the whole body.
func afterBody(answer Fault, pause time.Duration) Fault {
	return instead(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(pause)
		answer(nil).ServeHTTP(w, r)
	})
}
