package uploadtest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
)

// Fault stands in front of a handler and spoils one request: it answers in the
// handler's place, or calls next and spoils what it is given or what it says.
// [Answer] makes one, [ResetBefore], [ResetMiddle] and [ResetAfter] are others,
// and five lines make your own.
type Fault func(next http.Handler) http.Handler

type injection struct {
	op    string
	left  int
	fault Fault
}

// Inject has the next requests of an operation, as many as times says, go
// through fault; -1 times is for ever. Op is the spec's operationId,
// [Presigned] or [Token], and empty for any request. Of several faults that fit, the
// one injected first holds until it is used up. Requests are still held to the
// spec; what a fault answers itself is not.
func (s *Server) Inject(op string, times int, fault Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &injection{op, times, fault})
}

// Answer is a fault that answers at once, without a look at the request's
// body. Header alternates names and values.
func Answer(status int, body string, header ...string) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Add(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// ResetBefore is a fault that resets the connection before the body is read.
func ResetBefore(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reset(w) })
}

// ResetMiddle is a fault that resets the connection in the middle of the body,
// which ends with io.ErrUnexpectedEOF for the handler.
func ResetMiddle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 0 {
			torn := r.WithContext(r.Context())
			torn.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), failing{io.ErrUnexpectedEOF}), r.Body}
			next.ServeHTTP(httptest.NewRecorder(), torn)
		}
		reset(w)
	})
}

// ResetAfter is a fault that lets the handler do its work and resets the
// connection in place of its answer.
func ResetAfter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		reset(w)
	})
}

// reset ends a connection with a TCP reset, not with the end of a stream.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}
