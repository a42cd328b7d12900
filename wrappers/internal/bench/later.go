package main

import (
	"net"
	"os"
	"sync"
	"time"
)

// laterConn is a connection whose bytes take a while in each direction, in the
// order and at the rate in which they were sent: a long wire, not a slow one.
type laterConn struct {
	net.Conn
	way     time.Duration
	in, out chan parcel
	left    parcel // taken from in and not yet read
	gone    chan struct{}
	close   sync.Once

	mu      sync.Mutex
	expired chan struct{} // closed when the read deadline has passed
}

type parcel struct {
	due   time.Time
	bytes []byte
	err   error
}

// later is c with half of delay, a round trip's, added to each direction.
func later(c net.Conn, delay time.Duration) net.Conn {
	l := &laterConn{
		Conn: c, way: delay / 2,
		in: make(chan parcel, 1024), out: make(chan parcel, 1024),
		gone: make(chan struct{}), expired: make(chan struct{}),
	}
	go l.receive()
	go l.send()
	return l
}

func (l *laterConn) receive() {
	for {
		b := make([]byte, 32<<10)
		n, err := l.Conn.Read(b)
		select {
		case l.in <- parcel{time.Now().Add(l.way), b[:n], err}:
		case <-l.gone:
			return
		}
		if err != nil {
			return
		}
	}
}

func (l *laterConn) send() {
	defer l.Conn.Close()
	pass := func(p parcel) error {
		time.Sleep(time.Until(p.due))
		_, err := l.Conn.Write(p.bytes)
		return err
	}
	for {
		select {
		case p := <-l.out:
			if pass(p) != nil {
				return
			}
		case <-l.gone:
			for { // what was written before the close still arrives
				select {
				case p := <-l.out:
					pass(p)
				default:
					return
				}
			}
		}
	}
}

func (l *laterConn) Read(b []byte) (int, error) {
	l.mu.Lock()
	expired := l.expired
	l.mu.Unlock()
	if len(l.left.bytes) == 0 && l.left.err == nil {
		select {
		case l.left = <-l.in:
		case <-expired:
			return 0, os.ErrDeadlineExceeded
		case <-l.gone:
			return 0, net.ErrClosed
		}
	}
	if wait := time.Until(l.left.due); wait > 0 {
		select {
		case <-time.After(wait):
		case <-expired:
			return 0, os.ErrDeadlineExceeded
		case <-l.gone:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, l.left.bytes)
	l.left.bytes = l.left.bytes[n:]
	if len(l.left.bytes) == 0 {
		return n, l.left.err
	}
	return n, nil
}

func (l *laterConn) Write(b []byte) (int, error) {
	select {
	case l.out <- parcel{due: time.Now().Add(l.way), bytes: append([]byte(nil), b...)}:
		return len(b), nil
	case <-l.gone:
		return 0, net.ErrClosed
	}
}

// SetReadDeadline knows the two deadlines that a net/http server without
// timeouts sets: none, and one that has passed.
func (l *laterConn) SetReadDeadline(t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.expired:
		l.expired = make(chan struct{})
	default:
	}
	if !t.IsZero() {
		close(l.expired)
	}
	return nil
}

func (l *laterConn) SetDeadline(t time.Time) error { return l.SetReadDeadline(t) }

func (l *laterConn) Close() error {
	l.close.Do(func() { close(l.gone) })
	return nil
}
