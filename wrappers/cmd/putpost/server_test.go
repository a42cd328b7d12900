package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
)

// listen listens on a port of this machine until the test ends.
func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestConnectionsAreLimited(t *testing.T) {
	ln := listen(t)
	release := make(chan struct{})
	srv := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			<-release
		}
	}), 1<<10, silent)
	go srv.Serve(limit(ln, srv, 2))
	t.Cleanup(func() { srv.Close() })
	ask := func(path string) net.Conn {
		return standintest.Dial(t, ln.Addr().String(), "GET "+path+" HTTP/1.1\nHost: x\n\n")
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
	ln := listen(t)
	srv := newServer(http.NotFoundHandler(), 1<<10, silent)
	ended := make(chan error)
	go func() { ended <- srv.Serve(limit(ln, srv, 1)) }()
	for range 2 {
		standintest.Dial(t, ln.Addr().String(), "")
	}
	srv.Close()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("Serve does not return")
	}
}

func TestHeadersAreLimited(t *testing.T) {
	ln := listen(t)
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
		conn := standintest.Dial(t, ln.Addr().String(), "")
		go io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n"+tc.header+"\r\n\r\n")
		if got := standintest.Receive(t, conn); got.Status != tc.status {
			t.Errorf("%s: %d, want %d", what, got.Status, tc.status)
		}
	}
}

func TestForwardedOriginIsTheOneTheClientAskedFor(t *testing.T) {
	const host, proto, port = "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port"
	for _, tc := range []struct {
		headers []string // names and values
		want    string
	}{
		{nil, "http://inner:8080"},
		{[]string{proto, "https"}, "https://inner:8080"},
		{[]string{host, "files.example"}, "http://files.example"},
		{[]string{host, "files.example:8443", proto, "HTTPS"}, "https://files.example:8443"},
		{[]string{"x-forwarded-host", "a.example, b.example", "x-forwarded-proto", "https , http"},
			"https://a.example"},
		{[]string{host, "a.example", host, "b.example", proto, "https"}, "https://a.example"},
		{[]string{host, "[2001:db8::1]:8443"}, "http://[2001:db8::1]:8443"},
		{[]string{"Forwarded", `for=192.0.2.60;proto=https;by=203.0.113.43;host=files.example`},
			"https://files.example"},
		{[]string{"Forwarded", `For="[2001:db8::17]:4711"; Host="files.example:8443" ;PROTO=HTTPS, host=b.example`},
			"https://files.example:8443"},
		{[]string{"Forwarded", `for="_a,b";host=files.example;proto=https`}, "https://files.example"},
		{[]string{"Forwarded", `for=192.0.2.60`, "Forwarded", "host=b.example"}, "http://inner:8080"},
		{[]string{host, "files.example", proto, "https", port, "8443"}, "https://files.example:8443"},
		{[]string{host, "[2001:db8::1]", port, "8080, 80"}, "http://[2001:db8::1]:8080"},
		{[]string{host, "files.example", proto, "https", port, "443"}, "https://files.example"},
		{[]string{host, "files.example:1", port, "2"}, "http://files.example:1"},
		// An invalid host, scheme or port counts as missing.
		{[]string{host, "files.example", port, "65536"}, "http://files.example"},
		{[]string{host, "files.example", port, "1@evil"}, "http://files.example"},
		{[]string{host, "evil.example/path?", proto, "javascript"}, "http://inner:8080"},
		{[]string{host, "user@evil.example"}, "http://inner:8080"},
		{[]string{host, `"`, proto, ""}, "http://inner:8080"},
		{[]string{"Forwarded", ";;=,"}, "http://inner:8080"},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://inner:8080/v1/fileUpload", nil)
		for h := range slices.Chunk(tc.headers, 2) {
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
