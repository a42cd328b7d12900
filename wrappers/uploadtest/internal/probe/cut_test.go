package probe

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// A server with a certificate of its own is trusted as the other requests trust it,
// also if those use HTTP/2.
func TestAFileIsCutOffOverTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // it does not look at the error
		w.WriteHeader(http.StatusCreated)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	lab.Blames(t, "201 to a file whose sender hung up in the middle of it", func(tb testing.TB) {
		p, ops := specProber(tb, refuseSpec)
		p.base, p.transport = server.URL, server.Client().Transport
		p.send(p.request(http.MethodPost, "/raw", "text/plain", nil)) // by HTTP/2
		body := []byte("some bytes")
		p.cutsOff(ops["raw"], p.request(http.MethodPost, "/raw", "text/plain", body), body)
	})
}

// What reads the body first may be a proxy, but not on this machine.
func TestCredentialsComeBeforeTheBody(t *testing.T) {
	const no, readsOn = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"
	says := func(wait time.Duration, answer string) func(io.Writer) {
		return func(w io.Writer) { time.Sleep(wait); _, _ = io.WriteString(w, answer) }
	}
	stays := func(io.Writer) { time.Sleep(time.Minute) }
	for what, c := range map[string]struct {
		host    string
		answers func(conn io.Writer)
		seen    bool
		want    string
	}{
		"at once":       {"127.0.0.1", says(0, no), true, ""},
		"after a 100":   {"localhost", says(0, readsOn+no), true, ""},
		"slowly":        {"[::1]", says(5*time.Second, no), true, ""},
		"by hanging up": {"localhost", func(io.Writer) {}, false, ""},
		"never":         {"localhost", stays, false, "before its body came"},
		"never after a 100": {"127.0.0.1", func(w io.Writer) { says(0, readsOn)(w); stays(w) }, false,
			"no answer within 10s to a request with no credentials before its body came"},
		"at once, far away": {"b.example", says(0, no), true, ""},
		"slowly, far away":  {"b.example", says(2*time.Second, no), false, ""},
		"never, far away":   {"b.example", stays, false, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			defer time.Sleep(time.Hour) // all servers end
			lab.Blames(t, c.want, func(tb testing.TB) {
				p, ops := specProber(tb, refuseSpec)
				p.base = "http://" + c.host
				p.dial = func(context.Context, string, string) (net.Conn, error) {
					conn, there := net.Pipe()
					go func() {
						defer there.Close()
						_, _ = http.ReadRequest(bufio.NewReader(there))
						c.answers(there)
					}()
					return conn, nil
				}
				for range 2 { // a cause is told once
					p.waitsForBody(ops["raw"], p.request(http.MethodPut, "/raw", "text/plain", []byte("some bytes")))
				}
				if is := p.seen.Has("credentials before the body"); is != c.seen {
					t.Errorf("%s: credentials come first: %t", what, is)
				}
			})
		})
	}
}
