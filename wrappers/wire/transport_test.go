package wire_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// tlsClient returns a client that trusts srv, by a transport made for uploads.
func tlsClient(srv *httptest.Server) *http.Client {
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	tr := upload.NewTransport()
	tr.TLSClientConfig = &tls.Config{RootCAs: pool}
	return &http.Client{Transport: tr}
}

func TestTransportWithItsOwnCASendsFilesWhole(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB: many records, many writes
	var got []int
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, content[:len(body)]) || r.Proto != "HTTP/1.1" {
			t.Errorf("%d bytes over %s, error %v", len(body), r.Proto, err)
		}
		got = append(got, len(body))
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	sizes := []int{0, 1, 16 << 10, 68 << 10, len(content)}
	step := presigned(t, srv.URL, tlsClient(srv))
	for _, size := range sizes {
		if err := sendTo(t, step, "PUT", srv.URL+"/x", wire.Raw(upload.Bytes("a", content[:size]))); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, sizes) {
		t.Errorf("the server got bodies of %v bytes, want %v", got, sizes)
	}
}

func TestHTTPClientWithoutATransportSharesTheTunedOne(t *testing.T) {
	var conns atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	for range 5 { // clients
		step := presigned(t, srv.URL, &http.Client{Timeout: time.Minute})
		for range 10 {
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					if err := sendTo(t, step, "PUT", srv.URL+"/x", wire.Raw(upload.Bytes("a", []byte("x")))); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		}
	}
	// A connection is put back a moment after its answer was read.
	if n := conns.Load(); n > 24 {
		t.Errorf("%d connections for 400 uploads, 8 at once", n)
	}
}

func TestConnectionsAreNoMoreThanConfigured(t *testing.T) {
	var now, most atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
		case http.StateClosed:
			now.Add(-1)
		}
	}
	srv.Start()
	defer srv.Close()
	d, err := wire.NewDoer(wire.API{}, upload.Config{BaseURL: srv.URL, Connections: 3})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := post(t.Context(), d, upload.Bytes("a", []byte("x"))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := most.Load(); n > 3 {
		t.Errorf("%d connections, want no more than 3", n)
	}
}
