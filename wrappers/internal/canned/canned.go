// Package canned is an HTTP/1.1 server for measuring clients in its own
// process: once a connection is open, it allocates nothing, so what the heap
// sees is the client's alone. It reads requests whose length is known and gives
// each the answer that was prepared for it.
package canned

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"
)

// Answer is what a request gets whose first line begins with Request.
type Answer struct {
	Request string // such as "POST /files "
	Status  string // such as "201 Created"
	Body    string // JSON, or empty
}

// Serve listens on the loopback until the test ends and returns the address,
// scheme included. The answers are made with it. A request for which there is
// none, or without a Content-Length, ends its connection.
func Serve(tb testing.TB, answers func(base string) []Answer) (base string) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var conns connections
	tb.Cleanup(func() { l.Close(); conns.close() })
	base = "http://" + l.Addr().String()
	var prepared []prepared
	for _, a := range answers(base) {
		prepared = append(prepared, a.prepare())
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns.add(conn)
			go serve(conn, prepared)
		}
	}()
	return base
}

// connections are those that were accepted, to be closed at the end.
type connections struct {
	mu    sync.Mutex
	open  []net.Conn
	ended bool
}

func (c *connections) add(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, conn)
	if c.ended {
		conn.Close()
	}
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for _, conn := range c.open {
		conn.Close()
	}
}

type prepared struct{ request, answer []byte }

func (a Answer) prepare() prepared {
	return prepared{[]byte(a.Request), fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", a.Status, len(a.Body), a.Body)}
}

func serve(conn net.Conn, answers []prepared) {
	defer conn.Close()
	buf, filled := make([]byte, 64<<10), 0
	for {
		head := bytes.Index(buf[:filled], []byte("\r\n\r\n"))
		if head < 0 {
			n, err := conn.Read(buf[filled:])
			if err != nil {
				return
			}
			filled += n
			continue
		}
		length, found := contentLength(buf[:head])
		var answer []byte
		for _, a := range answers {
			if bytes.HasPrefix(buf, a.request) {
				answer = a.answer
			}
		}
		if !found || answer == nil {
			return
		}
		// What follows the header in the buffer is the body's beginning: nobody
		// sends a second request before the first was answered.
		for length -= filled - head - 4; length > 0; {
			n, err := conn.Read(buf[:min(length, len(buf))])
			if err != nil {
				return
			}
			length -= n
		}
		filled = 0
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func contentLength(header []byte) (n int, found bool) {
	_, after, found := bytes.Cut(header, []byte("\r\nContent-Length: "))
	for _, c := range after {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n, found
}
