package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// v1 begins a spec whose paths are below /v1.
const v1 = "openapi: 3.0.3\nservers: [{url: /v1}]"

// probes probes a handler behind a server of its own. The connections are in memory
// and the clock is a fake one, so that no wait takes time.
func probes(
	t testing.TB, h http.Handler, base string, spec []byte, authorize func(*http.Request), facts ...Facts,
) {
	now := time.Now().Round(0) // which no monotonic clock counts
	synctest.Test(testOf(t), func(inside *testing.T) {
		time.Sleep(time.Until(now))   // the fake clock begins in the year 2000
		defer time.Sleep(time.Second) // a server ends half a second after a connection
		n := &network{make(chan net.Conn), make(chan struct{})}
		server := http.Server{Handler: h}
		defer server.Close()
		go server.Serve(n)
		transport := &http.Transport{DialContext: n.dial}
		defer transport.CloseIdleConnections()
		p := newProber(bubble{t, inside}, "http://server.example"+base, spec, append(facts, Facts{})[0])
		p.transport, p.dial = transport, n.dial
		if authorize != nil {
			p.authorize = authorize
		}
		done := make(chan struct{})
		go func() { // a report may end it
			defer close(done)
			p.probe()
		}()
		<-done
	})
}

// bubble is a test that reports to the one outside of its fake time.
type bubble struct {
	testing.TB
	inside *testing.T
}

func (b bubble) Context() context.Context { return b.inside.Context() }

// testOf returns the test that a recorder or a logger stands for.
func testOf(tb testing.TB) *testing.T {
	switch tb := tb.(type) {
	case *lab.Recorder:
		return testOf(tb.TB)
	case *lab.Logged:
		return testOf(tb.TB)
	}
	return tb.(*testing.T)
}

// network takes connections in memory, to each host whose name ends with .example.
type network struct {
	dialled chan net.Conn
	closed  chan struct{}
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	if host, _, _ := net.SplitHostPort(address); !strings.HasSuffix(host, ".example") {
		return nil, fmt.Errorf("dial tcp %s: nobody is there", address)
	}
	in, there := net.Pipe()
	back, out := net.Pipe()
	select {
	case n.dialled <- wire{back, there}:
		return wire{in, out}, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case conn := <-n.dialled:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error   { close(n.closed); return nil }
func (n *network) Addr() net.Addr { return &net.TCPAddr{} }

// wire is a connection of two pipes, of which each can be closed alone.
type wire struct {
	net.Conn // reads
	out      net.Conn
}

func (w wire) Write(b []byte) (int, error) { return w.out.Write(b) }
func (w wire) CloseWrite() error           { return w.out.Close() }
func (w wire) Close() error                { return errors.Join(w.Conn.Close(), w.out.Close()) }

func (w wire) SetDeadline(t time.Time) error {
	return errors.Join(w.Conn.SetDeadline(t), w.out.SetDeadline(t))
}

func (w wire) SetWriteDeadline(t time.Time) error { return w.out.SetWriteDeadline(t) }
