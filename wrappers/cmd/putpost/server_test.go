package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
	// Idle connections do not keep other callers out.
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

func TestForwardedOriginIsTheOneTheClientAskedFor(t *testing.T) {
	for _, tc := range []struct {
		headers [][2]string
		want    string
	}{
		{nil, "http://inner:8080"},
		{[][2]string{{"X-Forwarded-Proto", "https"}}, "https://inner:8080"},
		{[][2]string{{"X-Forwarded-Host", "files.example"}}, "http://files.example"},
		{[][2]string{{"X-Forwarded-Host", "files.example:8443"}, {"X-Forwarded-Proto", "HTTPS"}},
			"https://files.example:8443"},
		{[][2]string{{"x-forwarded-host", "a.example, b.example"}, {"x-forwarded-proto", "https , http"}},
			"https://a.example"},
		{[][2]string{{"X-Forwarded-Host", "a.example"}, {"X-Forwarded-Host", "b.example"},
			{"X-Forwarded-Proto", "https"}},
			"https://a.example"},
		{[][2]string{{"X-Forwarded-Host", "[2001:db8::1]:8443"}}, "http://[2001:db8::1]:8443"},
		{[][2]string{{"Forwarded", `for=192.0.2.60;proto=https;by=203.0.113.43;host=files.example`}},
			"https://files.example"},
		{[][2]string{{"Forwarded",
			`For="[2001:db8::17]:4711"; Host="files.example:8443" ;PROTO=HTTPS, host=b.example`}},
			"https://files.example:8443"},
		{[][2]string{{"Forwarded", `for="_a,b";host=files.example;proto=https`}}, "https://files.example"},
		{[][2]string{{"Forwarded", `for=192.0.2.60`}, {"Forwarded", "host=b.example"}}, "http://inner:8080"},
		{[][2]string{{"X-Forwarded-Host", "files.example"}, {"X-Forwarded-Proto", "https"},
			{"X-Forwarded-Port", "8443"}},
			"https://files.example:8443"},
		{[][2]string{{"X-Forwarded-Host", "[2001:db8::1]"}, {"X-Forwarded-Port", "8080, 80"}},
			"http://[2001:db8::1]:8080"},
		{[][2]string{{"X-Forwarded-Host", "files.example"}, {"X-Forwarded-Proto", "https"},
			{"X-Forwarded-Port", "443"}},
			"https://files.example"},
		{[][2]string{{"X-Forwarded-Host", "files.example:1"}, {"X-Forwarded-Port", "2"}}, "http://files.example:1"},
		// An invalid host, scheme or port counts as missing.
		{[][2]string{{"X-Forwarded-Host", "files.example"}, {"X-Forwarded-Port", "65536"}}, "http://files.example"},
		{[][2]string{{"X-Forwarded-Host", "files.example"}, {"X-Forwarded-Port", "1@evil"}}, "http://files.example"},
		{[][2]string{{"X-Forwarded-Host", "evil.example/path?"}, {"X-Forwarded-Proto", "javascript"}},
			"http://inner:8080"},
		{[][2]string{{"X-Forwarded-Host", "user@evil.example"}}, "http://inner:8080"},
		{[][2]string{{"X-Forwarded-Host", `"`}, {"X-Forwarded-Proto", ""}}, "http://inner:8080"},
		{[][2]string{{"Forwarded", ";;=,"}}, "http://inner:8080"},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://inner:8080/v1/fileUpload", nil)
		for _, h := range tc.headers {
			r.Header.Add(h[0], h[1])
		}
		if got := forwardedOrigin(r); got != tc.want {
			t.Errorf("%q: got %s, want %s", tc.headers, got, tc.want)
		}
	}
}

func TestPublicURLIsAnOrigin(t *testing.T) {
	for in, want := range map[string]string{
		"https://files.example": "https://files.example", "http://10.0.0.1:8080/": "http://10.0.0.1:8080",
		"files.example": "", "https://": "", "https://files.example/path": "", "ftp://files.example": "",
		"https://user:pass@files.example": "", "https://files.example?x": "", "https://files.example#x": "",
	} {
		c := serveCmd{PublicURL: in}
		origin, err := c.origin()
		if (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("%s: error %v", in, err)
		} else if err == nil && origin(nil) != want {
			t.Errorf("%s: got %s, want %s", in, origin(nil), want)
		}
	}
	c := serveCmd{PublicURL: "https://files.example", BehindProxy: true}
	if _, err := c.origin(); err == nil {
		t.Error("both flags are taken")
	}
}

func TestPrintedAddressCanBeUsed(t *testing.T) {
	for in, want := range map[string]string{"127.0.0.1": "127.0.0.1:8080", "::1": "[::1]:8080",
		"192.0.2.1": "192.0.2.1:8080"} {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(in), Port: 8080}); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	for _, all := range []net.IP{net.IPv4zero, net.IPv6unspecified} {
		host, _, err := net.SplitHostPort(reachable(&net.TCPAddr{IP: all, Port: 8080}))
		if ip := net.ParseIP(host); err != nil || host == "" || ip.IsUnspecified() || ip.IsLinkLocalUnicast() {
			t.Errorf("%s: got %q, %v", all, host, err)
		}
	}
}
