package upload

import (
	"sync"
	"time"
)

const (
	fullRecord = 16 << 10 // bytes of content that a TLS record can have
	maxHeld    = 8        // records that are sent at once; half as many further on in a large body
	holdFor    = 10 * time.Millisecond
)

type heldBuffer [maxHeld * (fullRecord + 256)]byte

var heldBuffers = sync.Pool{New: func() any { return new(heldBuffer) }}

// Write holds back a TLS record that is full. What TLS was given goes on in the
// next call then, and all of it is sent at once: a system call less for each
// record, and the receiver wakes once. Nothing may follow where TLS was given a
// multiple of 16 KiB. Of a large body, whose size mostly is one of 64 KiB
// then, nothing is held at its end. The records of another go out a little
// later. Whoever writes is told of a failure by then.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return 0, c.failed
	}
	if !isFullRecord(p) {
		c.full = 0
	} else if c.full++; c.full < maxHeld || c.full%(maxHeld/2) != 0 {
		c.hold(p)
		return len(p), nil
	}
	before := len(c.held)
	if before == 0 {
		return c.Conn.Write(p)
	}
	c.held = append(c.held, p...)
	n, err := c.sendHeld()
	return max(0, n-before), err
}

// isFullRecord reports whether p is one record of application data that has no
// room. Other bytes that look so just go out a little later.
func isFullRecord(p []byte) bool {
	return len(p) > fullRecord && p[0] == 23 && p[1] == 3 && len(p) == 5+int(p[3])<<8+int(p[4])
}

// hold keeps a record. Its timer is not stopped when the next one comes, but
// serves those of the next uploads too: to start a timer wakes a thread that
// waits for the network.
func (c *conn) hold(p []byte) {
	if c.held == nil {
		c.held = heldBuffers.Get().(*heldBuffer)[:0]
	}
	c.held = append(c.held, p...)
	if !c.timed {
		c.timed = true
		time.AfterFunc(holdFor, c.sendLate)
	}
}

// sendLate sends the records that nothing followed.
func (c *conn) sendLate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timed = false
	if c.held != nil {
		_, c.failed = c.sendHeld()
	}
}

func (c *conn) sendHeld() (int, error) {
	n, err := c.Conn.Write(c.held)
	heldBuffers.Put((*heldBuffer)(c.held[:cap(c.held)]))
	c.held = nil
	return n, err
}
