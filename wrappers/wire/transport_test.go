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
		must(t, sendTo(t, step, "PUT", srv.URL+"/x", wire.Raw(upload.Bytes("a", content[:size]))))
	}
	if !slices.Equal(got, sizes) {
		t.Errorf("the server got bodies of %v bytes, want %v", got, sizes)
	}
}

func TestConnectionsAreKeptAndNoMoreThanConfigured(t *testing.T) {
	for _, tt := range []struct {
		name                     string
		cfg                      upload.Config
		clients, rounds, uploads int   // uploads at once in each round
		most                     int32 // connections, in all rounds together
	}{
		// A connection becomes idle just after its answer, so a few more may be
		// dialled, but not hundreds.
		{"the shared transport", upload.Config{}, 1, 20, 16, 32},
		{"HTTP clients without a transport, which share it too",
			upload.Config{HTTPClient: &http.Client{Timeout: time.Minute}}, 5, 10, 8, 24},
		{"as configured", upload.Config{Connections: 3}, 1, 1, 32, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var made atomic.Int32
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
			}))
			srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					made.Add(1)
				}
			}
			srv.Start()
			defer srv.Close()
			tt.cfg.BaseURL = srv.URL
			for range tt.clients {
				d := newDoer(t, wire.API{}, tt.cfg)
				for range tt.rounds {
					var wg sync.WaitGroup
					for range tt.uploads {
						wg.Go(func() {
							if err := post(t.Context(), d, upload.Bytes("a", []byte("x"))); err != nil {
								t.Error(err)
							}
						})
					}
					wg.Wait()
				}
			}
			if made.Load() > tt.most {
				t.Errorf("%d connections were made, want at most %d", made.Load(), tt.most)
			}
		})
	}
}
