package probe

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

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
	for readsOn, want := range map[bool]string{true: "no answer to a request with no credentials before", false: ""} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if readsOn {
				_, _ = io.ReadAll(r.Body)
			}
			w.WriteHeader(http.StatusUnauthorized)
		}))
		defer server.Close()
		lab.Blames(t, want, func(tb testing.TB) {
			p, ops := specProber(tb, refuseSpec)
			p.base = server.URL
			p.waitsForBody(ops["raw"], p.request(http.MethodPut, "/raw", "text/plain", []byte("some bytes")))
			if !readsOn && !p.seen.Has("credentials before the body") {
				t.Error("nothing was seen")
			}
		})
	}
}
