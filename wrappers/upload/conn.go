package upload

import (
	"io"
	"net"
	"sync"
)

// writeBuffer is the size of a connection's write buffer in bytes. A file of 64
// KiB fits, with a form around it and the request's header.
const writeBuffer = 72 << 10

// conn is a connection below TLS, or one without TLS. It saves system calls.
// Its buffers come from pools that all connections share.
type conn struct {
	net.Conn

	mu     sync.Mutex
	held   []byte // full TLS records that wait for the next one
	full   int    // number of full records in a row
	timed  bool   // a timer is set that sends the held records
	failed error  // why the timer could not send them
}

// NetConn returns the connection below, like tls.Conn's NetConn.
func (c *conn) NetConn() net.Conn { return c.Conn }

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// ReadFrom makes one Write for each Read, so that a slow source is not held
// back. The standard library would make a buffer for each request. A TLS
// connection does not call it: it wraps this one and calls Write.
func (c *conn) ReadFrom(r io.Reader) (sent int64, err error) {
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{r}, buf[:])
}
