package wire_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// dying is a connection that turns out to be dead in every second round: what
// is written then fails, with nothing written, unless it was made in that round.
type dying struct {
	net.Conn
	born  int32
	round *atomic.Int32
}

func (d *dying) Write(p []byte) (int, error) {
	if now := d.round.Load(); now%2 == 1 && d.born < now {
		return 0, syscall.EPIPE
	}
	return d.Conn.Write(p)
}

// A small body is lent to the transport in a pooled buffer, and the transport
// writes it again where a kept connection turns out to be dead.
func TestSmallBodiesAreNotMixedUpOnDyingConnections(t *testing.T) {
	var whole, mixed atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			whole.Add(1)
			if bytes.Count(body, body[:1]) != len(body) {
				mixed.Add(1)
			}
		}
	}))
	defer srv.Close()
	var round atomic.Int32
	cfg := upload.Config{BaseURL: srv.URL, Retry: upload.Retry{MaxWait: time.Millisecond}, HTTPClient: &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 16, WriteBufferSize: 64 << 10,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &dying{conn, round.Load(), &round}, err
		},
	}}}
	d, err := wire.NewDoer(wire.API{}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	p := wire.NewPresigned(d, cfg)
	for range 30 {
		round.Add(1)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				_ = p.Send(t.Context(), "PUT", srv.URL+"/x", wire.Raw(upload.Bytes("a", bytes.Repeat([]byte{byte('a' + i)}, 16<<10))))
			})
		}
		wg.Wait()
	}
	if mixed.Load() > 0 || whole.Load() < 240 {
		t.Errorf("%d whole bodies arrived, %d of them with bytes of another upload", whole.Load(), mixed.Load())
	}
}
