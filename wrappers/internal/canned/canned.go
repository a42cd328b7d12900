// Package canned is an HTTP/1.1 server for measuring clients in its own
// process: once a connection is open, it allocates nothing, so what the heap
// sees is the client's alone. It reads requests whose length is known and gives
// each the answer that was prepared for it.
package canned

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	base = "http://" + l.Addr().String()
	serve(tb, l, answers(base))
	return base
}

// ServeTLS is [Serve] over TLS. The process trusts the certificate if it has
// verified none before.
func ServeTLS(tb testing.TB, answers ...Answer) (base string) {
	tb.Helper()
	lender := httptest.NewTLSServer(nil) // lends a certificate for the loopback
	defer lender.Close()
	trusted := filepath.Join(tb.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lender.Certificate().Raw})
	if err := os.WriteFile(trusted, text, 0o600); err != nil {
		tb.Fatal(err)
	}
	tb.Setenv("SSL_CERT_FILE", trusted)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: lender.TLS.Certificates})
	if err != nil {
		tb.Fatal(err)
	}
	serve(tb, l, answers)
	return "https://" + l.Addr().String()
}

func serve(tb testing.TB, l net.Listener, answers []Answer) {
	tb.Cleanup(func() { l.Close() })
	var all []prepared
	for _, a := range answers {
		all = append(all, a.prepare())
	}
	ended := tb.Context()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			context.AfterFunc(ended, func() { conn.Close() })
			go answer(conn, all)
		}
	}()
}

type prepared struct{ request, answer []byte }

func (a Answer) prepare() prepared {
	return prepared{[]byte(a.Request), fmt.Appendf(nil,
		"HTTP/1.1 %s\r\nContent-Type: application/json\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", a.Status, len(a.Body), a.Body)}
}

func answer(conn net.Conn, answers []prepared) {
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
