//go:build unix

package soak

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest"
)

// kinds are the faults. They are injected in turn.
var kinds = []struct {
	name  string
	fault uploadtest.Fault
}{
	{"reset before the body", uploadtest.ResetBefore},
	{"reset in the middle of the body", uploadtest.ResetMiddle},
	{"reset after the body", uploadtest.ResetAfter},
	{"503 with Retry-After: 0", uploadtest.Answer(http.StatusServiceUnavailable, "", "Retry-After", "0")},
	{"429", uploadtest.Answer(http.StatusTooManyRequests, "")},
	{"slow answer", slow},
	{"torn answer", torn},
}

// slow sends half of the answer, and the other half later.
func slow(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		time.Sleep(50 * time.Millisecond)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		body := answer.Body.Bytes()
		_, _ = w.Write(body[:len(body)/2])
		_ = http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
		_, _ = w.Write(body[len(body)/2:])
	})
}

// torn sends the answer without its last ten bytes, and closes the connection.
// So the answer breaks off in its body, or in its header if it has no body.
func torn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		result := answer.Result()
		result.ContentLength = int64(answer.Body.Len())
		var b bytes.Buffer
		_ = result.Write(&b)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = conn.Write(b.Bytes()[:b.Len()-10])
		conn.Close()
	})
}

// spoiler injects a fault into every nth request. Its field every is n.
type spoiler struct {
	next  http.Handler
	every int64

	requests atomic.Int64
	spoiled  [10]atomic.Int64 // by kind
}

func (s *spoiler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := s.requests.Add(1)
	if n%s.every != 0 {
		s.next.ServeHTTP(w, r)
		return
	}
	kind := int(n / s.every % int64(len(kinds)))
	s.spoiled[kind].Add(1)
	kinds[kind].fault(s.next).ServeHTTP(w, r)
}
