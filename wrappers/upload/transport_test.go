package upload_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestTransportIsAWholeOneThatCanBeChanged(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	tr := upload.NewTransport()
	tr.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	tr.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
	for name, tr := range map[string]*http.Transport{"fresh": tr, "cloned": tr.Clone()} {
		var handshakes int
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
				if err == nil {
					handshakes++
				}
			},
		})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
		must(t, err)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer resp.Body.Close()
		if proto, _ := io.ReadAll(resp.Body); resp.TLS == nil || handshakes != 1 || string(proto) != "HTTP/1.1" {
			t.Errorf("%s: TLS state %v, %d handshakes seen, %s; want the state, one handshake and HTTP/1.1",
				name, resp.TLS, handshakes, proto)
		}
		tr.CloseIdleConnections()
	}
}

func TestEachTransportIsFresh(t *testing.T) {
	a, b := upload.NewTransport(), upload.NewTransport()
	a.TLSClientConfig = &tls.Config{}
	a.Protocols.SetHTTP2(true)
	if b.TLSClientConfig != nil || b.Protocols.HTTP2() {
		t.Error("a change of one transport is seen in another")
	}
}

func TestTransportIsMadeForUploads(t *testing.T) {
	tr := upload.NewTransport()
	if tr.TLSHandshakeTimeout < 5*time.Second || tr.IdleConnTimeout < 30*time.Second ||
		tr.ExpectContinueTimeout != time.Second {
		t.Errorf("%s for a handshake, %s of idleness, %s for 100 Continue", tr.TLSHandshakeTimeout, tr.IdleConnTimeout,
			tr.ExpectContinueTimeout)
	}
	if tr.WriteBufferSize < 49<<10 {
		t.Errorf("%d bytes do not hold the header and a small body", tr.WriteBufferSize)
	}
}

// The end of a hanging handshake is not reported as the end of the caller's
// context.
func TestHandshakeThatHangsIsNoDeadlineOfTheCaller(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer silent.Close()
	tr := upload.NewTransport()
	tr.TLSHandshakeTimeout = 50 * time.Millisecond
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+silent.Addr().String(), nil)
	must(t, err)
	if _, err = tr.RoundTrip(req); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want an error that is no context.DeadlineExceeded", err)
	}
}
