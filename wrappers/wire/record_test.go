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

// dead is a connection that takes so many bytes and no more.
type dead struct {
	net.Conn
	takes int
}

var errDead = errors.New("broken pipe")

func (d dead) Write(p []byte) (int, error) { return min(d.takes, len(p)), errDead }

// What is held back is written after crypto/tls has said that all went well. A
// transport sends anew, on another connection, what did not go out at all.
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
	if n, err := c.Write(make([]byte, 100_000)); n != 100_000 || err != nil {
		t.Fatalf("%d bytes and %v", n, err)
	}
	for _, takes := range []int{1, 10, 0} {
		c.records.Conn = dead{conn, takes}
		if n, err := c.Write([]byte("hello")); !errors.Is(err, errDead) || (n == 0) != (takes == 0) {
			t.Errorf("where %d bytes went out: %d bytes and %v, want %v, and 0 only where none did", takes, n, err, errDead)
		}
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
