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

// Answer is the answer to a request whose first line begins with Request.
type Answer struct {
	Request string // such as "POST /files "
	Status  string // such as "201 Created"
	Body    string // JSON, or empty
}

// Serve listens on the loopback until the test ends and returns the address,
// scheme included. A secure server speaks TLS with the certificate of
// [httptest.NewTLSServer]. A request without an answer, or without a
// Content-Length, ends its connection.
func Serve(tb testing.TB, secure bool, answers ...Answer) (base string) {
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
	all := map[string][]byte{}
	for _, a := range answers {
		all[a.Request] = fmt.Appendf(nil, "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"+
			"Date: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", a.Status, len(a.Body), a.Body)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(tb.Context(), func() { conn.Close() })
			go serve(conn, all)
		}
	}()
	return base
}

// serve answers requests until one has no answer or no length.
func serve(conn net.Conn, answers map[string][]byte) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	for {
		var text []byte
		length := -1
		for blank := false; !blank; {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			for request, a := range answers {
				if bytes.HasPrefix(line, []byte(request)) {
					text = a
				}
			}
			if digits, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
				length, _ = strconv.Atoi(string(digits[:len(digits)-len("\r\n")])) // allocates nothing
			}
			blank = len(line) == len("\r\n")
		}
		if text == nil || length < 0 {
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
