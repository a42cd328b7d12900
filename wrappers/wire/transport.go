package wire

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"net/http"
	"sync"
	"time"
)

// transport is shared by all Doers without an HTTP client of their own, so that
// the clients of many organizations keep one set of connections.
//
// HTTP/1.1: a large body costs a third less CPU over it than over HTTP/2. The
// write buffer takes the header and a small body in one write. Compression is
// off since the answers are a few bytes.
var transport = sync.OnceValue(func() http.RoundTripper {
	var h1 http.Protocols
	h1.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	const handshake = 10 * time.Second
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: dialer.DialContext,
		DialTLSContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, dialer.Timeout+handshake)
			defer cancel()
			return dialTLS(ctx, dialer, network, addr)
		},
		TLSHandshakeTimeout:   handshake, // behind a proxy, where DialTLSContext is not asked
		ResponseHeaderTimeout: 60 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   math.MaxInt, // never more than were in flight at once
		WriteBufferSize:       64 << 10,
		DisableCompression:    true,
		Protocols:             &h1,
	}
})

// tlsConn is a TLS connection that hands the records of one Write to the system
// at once. Two records, which is a small upload, would be two system calls and
// wake the receiver twice.
type tlsConn struct {
	*tls.Conn
	records *gather
}

func dialTLS(ctx context.Context, dialer *net.Dialer, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	conn, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &tlsConn{records: &gather{Conn: conn}}
	c.Conn = tls.Client(c.records, &tls.Config{ServerName: host})
	if err := c.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *tlsConn) Write(p []byte) (int, error) {
	c.records.begin()
	n, err := c.Conn.Write(p)
	written, flushed := c.records.flush()
	if flushed != nil && written == 0 {
		n = 0 // on a dead connection: the transport takes another where nothing went out
	}
	if err == nil {
		err = flushed
	}
	return n, err
}

// gather holds back, between begin and flush, what is written to a connection.
type gather struct {
	net.Conn
	mu      sync.Mutex
	holding bool
	held    []byte
}

func (g *gather) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holding = true
}

func (g *gather) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.holding {
		return g.Conn.Write(p)
	}
	g.held = append(g.held, p...)
	return len(p), nil
}

func (g *gather) flush() (written int, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.holding = false
	written, err = g.Conn.Write(g.held)
	g.held = g.held[:0]
	return written, err
}
