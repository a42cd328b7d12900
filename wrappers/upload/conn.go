package upload

import (
	"io"
	"net"
	"sync"
)

// writeBuffer is the size of a connection's write buffer in bytes. A file of 64
// KiB fits, with a form around it and the request's header.
const writeBuffer = 72 << 10

// conn is a connection below TLS, or one without it. It spares system calls,
// and buffers of a request's own: those that it needs, all connections share.
type conn struct {
	net.Conn

	mu     sync.Mutex
	held   []byte // full TLS records that wait for the next one
	full   int    // so many of them came in a row
	timed  bool   // a timer sends what is held where none comes
	failed error  // why that failed
}

// NetConn returns the connection below, as that of a tls.Conn does.
func (c *conn) NetConn() net.Conn { return c.Conn }

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadFrom makes one Write of each Read, so that a slow source is not held
// back. The standard library would make a buffer for each request. TLS does not
// come by here: its connection wraps this one.
func (c *conn) ReadFrom(r io.Reader) (sent int64, err error) {
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	for {
		n, err := r.Read(buf[:])
		if n > 0 {
			written, failed := c.Write(buf[:n])
			sent += int64(written)
			if failed != nil {
				return sent, failed
			}
		}
		if err == io.EOF {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
	}
}
