package upload

import (
	"sync"
	"time"
)

const (
	fullRecord = 16 << 10 // largest content of a TLS record, in bytes
	leastFrame = 5 + 16   // header and tag around it, at least
	maxHeld    = 20       // records that are sent at once; a file of 256 KiB fits, with a form around it
	holdFor    = 10 * time.Millisecond
)

type heldBuffer [maxHeld * (fullRecord + 256)]byte

var heldBuffers = sync.Pool{New: func() any { return new(heldBuffer) }}

// Write holds back a full TLS record, because more data nearly always follows
// it. Several records are then sent at once: that saves a system call for each,
// and wakes the receiver once. If nothing follows a held record, a timer sends
// it. The next Write returns the error if the timer could not.
func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed != nil {
		return 0, c.failed
	}
	if !isFullRecord(p) {
		c.full = 0
	} else if c.full++; c.full%maxHeld != 0 {
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

// isFullRecord reports whether p is one full record of application data. Other
// bytes that look like one are only sent a little later.
func isFullRecord(p []byte) bool {
	return len(p) >= fullRecord+leastFrame && p[0] == 23 && p[1] == 3 && len(p) == 5+int(p[3])<<8+int(p[4])
}

// hold keeps a record. Its timer is not stopped when the next record comes, but
// serves later ones too: starting a timer wakes a thread that waits for the
// network.
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
