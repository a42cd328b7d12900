package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// ways are how the sink can be reached.
const (
	plain = "plain"
	tlsH1 = "TLS"
	tlsH2 = "h2" // TLS, and the server offers HTTP/2
)

// addresses is what a server process says once it listens.
type addresses struct {
	Base    map[string]string // by way: scheme, host and port
	Control string            // where the counters are
	CA      string            // a PEM file with the authority that signed the server's certificate
}

// connections is what a server process counted since it began.
type connections struct {
	Opened     int64 // TCP connections accepted
	Open, Most int64 // how many of them are open now, and were at once
	Handshakes int64 // TLS handshakes completed
	Tokens     int
}

// serve is the server process: it listens on three ports, says so on stdout,
// and ends with its standard input, so that it never outlives its parent.
func serve(delay time.Duration, dir string) error {
	certificate, ca, err := authority(dir)
	if err != nil {
		return err
	}
	var n counter
	s := newSink()
	out := addresses{Base: map[string]string{}, CA: ca}
	quiet := log.New(io.Discard, "", 0)
	for _, way := range []string{plain, tlsH1, tlsH2} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		scheme := "https"
		if way == plain {
			scheme = "http"
		}
		out.Base[way] = scheme + "://" + l.Addr().String()
		l = &countingListener{Listener: l, n: &n, delay: delay}
		var speaks http.Protocols
		speaks.SetHTTP1(true)
		speaks.SetHTTP2(way == tlsH2)
		server := &http.Server{Handler: s.handler(), Protocols: &speaks, ErrorLog: quiet, TLSConfig: &tls.Config{
			Certificates:     []tls.Certificate{certificate},
			VerifyConnection: func(tls.ConnectionState) error { n.handshakes.Add(1); return nil },
		}}
		if way == plain {
			go server.Serve(l)
		} else {
			go server.ServeTLS(l, "", "")
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	out.Control = "http://" + l.Addr().String()
	go http.Serve(l, s.control(n.snapshot))
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// authority makes a certificate for the loopback address that is its own
// authority, and leaves it in dir, where clients find it.
func authority(dir string) (tls.Certificate, string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: "benchmark"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, "", err
	}
	f, err := os.CreateTemp(dir, "ca-*.pem")
	if err != nil {
		return tls.Certificate{}, "", err
	}
	defer f.Close()
	err = pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, f.Name(), err
}

type counter struct{ opened, open, most, handshakes atomic.Int64 }

func (n *counter) snapshot() connections {
	return connections{Opened: n.opened.Load(), Open: n.open.Load(), Most: n.most.Load(), Handshakes: n.handshakes.Load()}
}

type countingListener struct {
	net.Listener
	n     *counter
	delay time.Duration
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.n.opened.Add(1)
	now := l.n.open.Add(1)
	for most := l.n.most.Load(); now > most && !l.n.most.CompareAndSwap(most, now); most = l.n.most.Load() {
	}
	if l.delay > 0 {
		c = later(c, l.delay)
	}
	return &countedConn{Conn: c, n: l.n}, nil
}

type countedConn struct {
	net.Conn
	n      *counter
	closed atomic.Bool
}

func (c *countedConn) Close() error {
	if !c.closed.Swap(true) {
		c.n.open.Add(-1)
	}
	return c.Conn.Close()
}

// server is a running server process.
type server struct {
	addresses
	*child
}

// startServer starts one of the bench's own server processes.
func startServer(ctx context.Context, delay time.Duration, dir string) (*server, error) {
	c, line, err := startSelf(ctx, "serve", "-delay", delay.String(), "-dir", dir)
	if err != nil {
		return nil, err
	}
	s := &server{child: c}
	if err := json.Unmarshal([]byte(line), &s.addresses); err != nil {
		c.stop()
		return nil, fmt.Errorf("the server process said %q: %w", line, err)
	}
	return s, nil
}

func (s *server) ask(method, path string, out any) error {
	req, err := http.NewRequest(method, s.Control+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
