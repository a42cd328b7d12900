// Package canned is an HTTP/1.1 server with prepared answers, to measure a
// client in the same process. After a connection is open, the server allocates
// nothing, so every allocation is the client's. It reads only requests with a
// Content-Length.
package canned

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http/httptest"
	"strconv"
	"testing"
)

// Serve listens on the loopback until the test ends and returns the address,
// scheme included. It answers a POST with 201 Created and some JSON, and any
// other request with 201 Created and no body. A request without a
// Content-Length ends its connection. A secure server speaks TLS with the
// certificate of [httptest.NewTLSServer].
func Serve(tb testing.TB, secure bool, json string) (base string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	base = "http://" + l.Addr().String()
	if secure {
		lender := httptest.NewTLSServer(nil)
		lender.Close()
		base = "https://" + l.Addr().String()
		l = tls.NewListener(l, &tls.Config{Certificates: lender.TLS.Certificates})
	}
	const head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n" +
		"Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s"
	toPost, toOthers := fmt.Appendf(nil, head, len(json), json), fmt.Appendf(nil, head, 0, "")
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(tb.Context(), func() { conn.Close() })
			go serve(conn, toPost, toOthers)
		}
	}()
	return base
}

// serve answers requests until one has no length.
func serve(conn net.Conn, toPost, toOthers []byte) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	for {
		text, length := toOthers, -1
		for blank := false; !blank; {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if bytes.HasPrefix(line, []byte("POST ")) {
				text = toPost
			}
			if digits, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
				length, _ = strconv.Atoi(string(digits[:len(digits)-len("\r\n")])) // allocates nothing
			}
			blank = len(line) == len("\r\n")
		}
		if length < 0 {
			return
		}
		if _, err := r.Discard(length); err != nil {
			return
		}
		if _, err := conn.Write(text); err != nil {
			return
		}
	}
}
