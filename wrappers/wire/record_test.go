package wire

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// dead is a connection that takes nothing any more.
type dead struct{ net.Conn }

var errDead = errors.New("broken pipe")

func (dead) Write([]byte) (int, error) { return 0, errDead }

// What is held back is written after crypto/tls has said that all went well.
func TestConnectionThatBreaksIsKnownAtTheWrite(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &tlsConn{records: &gather{Conn: conn}}
	c.Conn = tls.Client(c.records, &tls.Config{InsecureSkipVerify: true}) // only the writing is looked at
	if err := c.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	c.records.Conn = dead{conn}
	if _, err := c.Write([]byte("x")); !errors.Is(err, errDead) {
		t.Errorf("error %v, want %v", err, errDead)
	}
}

func TestOwnTransportIsMadeForUploads(t *testing.T) {
	own := transport().(*http.Transport)
	if own.ResponseHeaderTimeout != time.Minute {
		t.Errorf("an answer is waited for %s, want a minute", own.ResponseHeaderTimeout)
	}
	if own.TLSHandshakeTimeout < 5*time.Second || own.IdleConnTimeout < 30*time.Second || own.ExpectContinueTimeout != time.Second {
		t.Errorf("%s for a handshake, %s of idleness, %s for 100 Continue", own.TLSHandshakeTimeout, own.IdleConnTimeout, own.ExpectContinueTimeout)
	}
	if own.WriteBufferSize < smallBody+1<<10 {
		t.Errorf("%d bytes do not hold the header and a small body", own.WriteBufferSize)
	}
}
