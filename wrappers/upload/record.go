package upload

import (
	"sync"
	"time"
)

const (
	fullRecord = 16 << 10 // bytes of content that a TLS record can have
	maxHeld    = 80 << 10 // bytes of the records of a full write buffer
	holdFor    = time.Millisecond
)

var heldBuffers = sync.Pool{New: func() any { return new([maxHeld]byte) }}

// Write holds back a TLS record that is full. What TLS was given goes on in the
// next call then, and all of it is sent at once: a system call less for each
// record, and the receiver wakes once. Only where TLS was given a multiple of 16
// KiB nothing follows, and the last record goes out a little later. Whoever
// writes is told of a failure by then.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return 0, c.failed
	}
	if c.held != nil && len(c.held)+len(p) > maxHeld {
		if _, err := c.sendHeld(); err != nil {
			return 0, err
		}
	}
	before := len(c.held)
	switch full := isFullRecord(p); {
	case full:
		c.hold(p)
		return len(p), nil
	case before == 0:
		return c.Conn.Write(p)
	}
	c.held = append(c.held, p...)
	n, err := c.sendHeld()
	return max(0, n-before), err
}

// isFullRecord reports whether p is one record of application data that has no
// room. Other bytes that look so just go out a little later.
func isFullRecord(p []byte) bool {
	return len(p) > fullRecord && len(p) < maxHeld && p[0] == 23 && p[1] == 3 && len(p) == 5+int(p[3])<<8+int(p[4])
}

func (c *conn) hold(p []byte) {
	if c.held == nil {
		c.held = heldBuffers.Get().(*[maxHeld]byte)[:0]
		if c.late == nil {
			c.late = time.AfterFunc(holdFor, c.sendLate)
		} else {
			c.late.Reset(holdFor)
		}
	}
	c.held = append(c.held, p...)
}

// sendLate sends the records that nothing followed.
func (c *conn) sendLate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held != nil {
		_, c.failed = c.sendHeld()
	}
}

func (c *conn) sendHeld() (int, error) {
	c.late.Stop()
	n, err := c.Conn.Write(c.held)
	heldBuffers.Put((*[maxHeld]byte)(c.held[:maxHeld]))
	c.held = nil
	return n, err
}
