package monitor

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// Fault wraps a handler and spoils one request: it answers in place of next, or
// it calls next and changes the request or the answer.
type Fault = func(next http.Handler) http.Handler

// Answer answers at once, without reading the request's body. A caller that is
// still sending gets the answer all the same. Header alternates names and
// values.
func Answer(status int, body string, header ...string) Fault {
	return func(http.Handler) http.Handler {
		return standinhttp.Handler{Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Add(header[i], header[i+1])
			}
			answer := standinhttp.Answer{Status: status, ContentType: w.Header().Get("Content-Type"),
				Body: []byte(body)}
			standinhttp.Refuse(w, r, answer, errInjected)
		})}
	}
}

var errInjected = errors.New("an injected fault")

// Delay waits for d before it calls the handler. It ends early if the caller
// closes the connection.
func Delay(d time.Duration) Fault {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			timer := time.NewTimer(d)
			defer timer.Stop()
			select {
			case <-timer.C:
				next.ServeHTTP(w, r)
			case <-r.Context().Done():
				reset(w)
			}
		})
	}
}

// ResetBefore resets the connection before the body is read.
func ResetBefore(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reset(w) })
}

// ResetMiddle resets the connection in the middle of the body. The handler's
// Read then returns io.ErrUnexpectedEOF.
func ResetMiddle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 0 {
			torn := r.WithContext(r.Context())
			torn.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(io.LimitReader(r.Body, r.ContentLength/2), failing{io.ErrUnexpectedEOF}), r.Body}
			next.ServeHTTP(discard{http.Header{}}, torn)
		}
		reset(w)
	})
}

// ResetAfter lets the handler do its work and resets the connection in place of
// its answer.
func ResetAfter(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(discard{http.Header{}}, r)
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

// failing is a reader that ends with an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// discard is the ResponseWriter of a handler whose answer is not sent.
type discard struct{ header http.Header }

func (n discard) Header() http.Header         { return n.header }
func (n discard) Write(p []byte) (int, error) { return len(p), nil }
func (n discard) WriteHeader(int)             {}
