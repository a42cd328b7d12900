package faults

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// Answers that are no valid HTTP.
func TestBrokenProtocol(t *testing.T) {
	var rows []row
	for _, b := range []struct{ name, text string }{
		{"another protocol", "SSH-2.0-OpenSSH_9.9\n"},
		{"half a status line", "HTTP/1.1 20"},
		{"a status that is no number", "HTTP/1.1 OK 200\n\n"},
		{"a version that does not exist", "HTTP/9.9.9 200 OK\n\n"},
		{"a header line without a colon", "HTTP/1.1 200 OK\nthis is no header\n\n"},
		{"a NUL in a header", "HTTP/1.1 404 Not Found\nX-Odd: a\x00b\nContent-Length: 0\n\n"},
		{"a negative Content-Length", "HTTP/1.1 200 OK\nContent-Length: -5\n\n"},
		{"two lengths that differ", "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\n{}"},
		{"an unknown Transfer-Encoding", "HTTP/1.1 200 OK\nTransfer-Encoding: sideways\n\n"},
		{"a header without end", "HTTP/1.1 200 OK\nX-Long: " + strings.Repeat("x", 256<<10)},
		{"headers without end", "HTTP/1.1 200 OK\n" + strings.Repeat("X-Many: "+strings.Repeat("x", 1000)+"\n", 256)},
	} {
		rows = append(rows, row{name: b.name, at: requests, fault: raw(b.text),
			set:  func(l *lab) { l.transport().MaxResponseHeaderBytes = 64 << 10 },
			want: want{kinds: unavailable, tries: 4}})
	}
	rows = append(rows, []row{
		{name: "a status beyond all classes", at: requests,
			fault: raw("HTTP/1.1 999 Never Heard\nTRACE\nConnection: close\nContent-Length: 0\n\n"),
			want:  want{kinds: unavailable, tries: 4, status: 999}},
		{name: "a status below all classes", at: requests,
			fault: raw("HTTP/1.1 099 Never Heard\nTRACE\nContent-Length: 0\n\n"),
			want:  want{kinds: unavailable, tries: 1, status: 99}},
		{name: "an answer in HTTP/1.0", at: []place{fileUpload}, want: want{stored: true},
			fault: func(h *hit) {
				w := httptest.NewRecorder()
				h.next.ServeHTTP(w, h.r)
				raw("HTTP/1.0 200 OK\n\n" + w.Body.String())(h)
			}},
		{name: "an error in HTTP/1.0", at: requests, fault: raw("HTTP/1.0 404 Not Found\nTRACE\n\ngone"),
			want: want{kinds: kinds(upload.ErrNotFound), tries: 1, status: 404, says: []string{"gone"}}},
		{name: "a NUL in the status line", at: requests,
			fault: raw("HTTP/1.1 404 Not\x00Found\nTRACE\nContent-Length: 0\n\n"),
			want:  want{kinds: kinds(upload.ErrNotFound), tries: 1, status: 404}},
		// Net/http may take the second one for the answer to the next request.
		{name: "a second answer behind the first", at: requests, last: true,
			fault: raw("HTTP/1.1 404 Not Found\nTRACE\nContent-Length: 0\n\nHTTP/1.1 200 OK\nContent-Length: 2\n\n{}"),
			want:  want{kinds: kinds(upload.ErrNotFound), tries: 1, status: 404}},
	}...)
	runAll(t, rows)
}
