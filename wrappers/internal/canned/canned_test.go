package canned_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/canned"
)

func TestEachRequestGetsItsAnswer(t *testing.T) {
	base := canned.Serve(t, func(base string) []canned.Answer {
		return []canned.Answer{
			{Request: "POST /a ", Status: "201 Created", Body: `{"base":"` + base + `"}`},
			{Request: "PUT /", Status: "200 OK"},
		}
	})
	for _, tc := range []struct {
		method, path string
		length       int
		status       int
		body         string
	}{
		{"POST", "/a", 0, 201, `{"base":"` + base + `"}`},
		{"PUT", "/b", 1, 200, ""},
		{"PUT", "/c", 1 << 20, 200, ""},
		{"POST", "/a", 16 << 10, 201, `{"base":"` + base + `"}`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tc.method, base+tc.path, bytes.NewReader(make([]byte, tc.length)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != tc.status || string(body) != tc.body {
			t.Errorf("%s %s: %d %q, %v; want %d %q", tc.method, tc.path, resp.StatusCode, body, err, tc.status, tc.body)
		}
	}
}

// What the server does must not be counted as the client's.
func TestTheServerAllocatesNothing(t *testing.T) {
	base := canned.Serve(t, func(string) []canned.Answer {
		return []canned.Answer{{Request: "PUT /", Status: "200 OK"}}
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := append([]byte("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n"), make([]byte, 16<<10)...)
	answer := make([]byte, 1024)
	objects, _ := canned.PerRun(t, 200, func() {
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(answer); err != nil {
			t.Fatal(err)
		}
	})
	if objects >= 0.5 {
		t.Errorf("%.2f allocations a request, want none", objects)
	}
}
