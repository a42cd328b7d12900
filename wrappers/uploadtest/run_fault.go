package uploadtest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"time"
)

// The faults that properties inject.

// forEver has each request meet a fault, however many come.
const forEver = -1

// instead is a fault that answers in the handler's place.
func instead(answer http.HandlerFunc) Fault {
	return func(http.Handler) http.Handler { return answer }
}

// respelled is a fault that lets the handler answer and changes what it said.
func respelled(change func(*httptest.ResponseRecorder)) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			change(answer)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = answer.Body.WriteTo(w)
		})
	}
}

// respelledText changes the text of an answer.
func respelledText(change func(string) string) Fault {
	return respelled(func(a *httptest.ResponseRecorder) {
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
