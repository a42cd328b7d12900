package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestConnectionsAreLimited(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			<-release
		}
	}), 1<<10, silent)
	go srv.Serve(limit(ln, srv, 2))
	t.Cleanup(func() { srv.Close() })
	ask := func(path string) net.Conn {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		return conn
	}
	answered := func(conn net.Conn, within time.Duration) bool {
		conn.SetReadDeadline(time.Now().Add(within))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		return err == nil && resp.StatusCode == http.StatusOK
	}
	// Callers who have their answer and stay do not keep others out.
	for i := range 5 {
		if !answered(ask("/"), 10*time.Second) {
			t.Fatalf("caller %d gets no answer", i)
		}
	}
	held := []net.Conn{ask("/held"), ask("/held")}
	third := ask("/")
	if answered(third, 200*time.Millisecond) {
		t.Error("a third caller is answered while two are held")
	}
	close(release)
	for _, conn := range append(held, third) {
		if !answered(conn, 10*time.Second) {
			t.Error("a caller gets no answer in the end")
		}
	}
}

func TestAServerThatIsFullEnds(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(http.NotFoundHandler(), 1<<10, silent)
	ended := make(chan error)
	go func() { ended <- srv.Serve(limit(ln, srv, 1)) }()
	for range 2 {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	srv.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("Serve does not return")
	}
}

func TestHeadersAreLimited(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(http.NotFoundHandler(), 16<<10, silent)
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })
	for what, tc := range map[string]struct {
		header string
		status int
	}{
		"as browsers send": {"Cookie: " + strings.Repeat("x", 12<<10), 404},
		"one long line":    {"X: " + strings.Repeat("x", 900_000), 431},
		"many lines":       {strings.TrimSuffix(strings.Repeat("X: x\r\n", 150_000), "\r\n"), 431},
	} {
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n"+tc.header+"\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != tc.status {
			t.Errorf("%s: %v, %v, want %d", what, resp, err, tc.status)
		}
	}
}
