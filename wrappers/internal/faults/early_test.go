package faults

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// The server answers before it has the body, does not know Expect:
// 100-continue, or sends 1xx answers first.
func TestEarlyAnswers(t *testing.T) {
	refused := func(kind error, status int) want { return want{kinds: kinds(kind), tries: 1, status: status} }
	rows := []row{
		{name: "413 before a large body", at: carriers, fault: answer(413, ""), set: sends(large),
			want: refused(upload.ErrTooLarge, 413), check: unread},
		{name: "413 and a closed connection before a large body", at: carriers,
			fault: answer(413, "", "Connection", "close"), set: sends(large),
			want: refused(upload.ErrTooLarge, 413), check: unread},
		{name: "413 in the middle of a large body", at: carriers, fault: afterHalf(answer(413, "")), set: sends(large),
			want: refused(upload.ErrTooLarge, 413)},
		{name: "503 in the middle of a large body, once", at: carriers, fault: first(1, afterHalf(answer(503, ""))),
			set:  sends(large),
			want: want{tries: 2, stored: true}},

		{name: "100 Continue never comes", at: carriers, fault: silentAboutExpect,
			set:  both(sends(large), func(l *lab) { l.transport().ExpectContinueTimeout = 20 * time.Millisecond }),
			want: want{stored: true}},
		{name: "417 where nothing may be sent twice", at: carriers, fault: refuseExpect,
			set: both(sends(large), attempts(1)), want: refused(upload.ErrInvalid, 417)},

		{name: "103 Early Hints before the answer", at: requests, fault: hint, want: want{stored: true}},
		{name: "1xx without end", at: requests, fault: endlessHints,
			set:  func(l *lab) { l.transport().MaxResponseHeaderBytes = 64 << 10 },
			want: want{kinds: unavailable, tries: 4}},
		{name: "101 Switching Protocols", at: requests,
			fault: raw("HTTP/1.1 101 Switching Protocols\nTRACE\nUpgrade: websocket\nConnection: Upgrade\n\n"),
			want:  want{kinds: unavailable, tries: 1, status: 101}},
	}
	runAll(t, rows)
}

// refusedExpectations lists rows that take half a second, because net/http's
// server waits that long when it closes a connection with an unread body.
func refusedExpectations() []row {
	return []row{
		{name: "417 for ever", at: carriers, fault: answer(417, ""), set: sends(large),
			want: want{kinds: kinds(upload.ErrInvalid), tries: 2, status: 417}},
		{name: "417 where one attempt is left for 503", at: carriers, fault: inTurn(refuseExpect, answer(503, "")),
			set:  both(sends(large), attempts(2)),
			want: want{tries: 3, stored: true}},
	}
}

func both(a, b func(*lab)) func(*lab) { return func(l *lab) { a(l); b(l) } }

func attempts(n int) func(*lab) { return func(l *lab) { l.cfg.Retry.Attempts = n } }

// unread checks that the client read no byte of the source, because the server
// refused the request without 100 Continue.
func unread(l *lab, _ upload.Result, _ error) {
	if n := l.sent.bytes; n > 0 {
		l.t.Errorf("%d bytes were read of a source that the server refused unread", n)
	}
}

// silentAboutExpect never says 100 Continue, and takes the body when it comes.
func silentAboutExpect(h *hit) {
	conn, rw := h.hijack()
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	h.r.Body = io.NopCloser(io.LimitReader(rw, h.r.ContentLength))
	w := httptest.NewRecorder()
	h.next.ServeHTTP(w, h.r)
	_ = w.Result().Write(conn)
}

// refuseExpect behaves like a server that does not know Expect.
func refuseExpect(h *hit) {
	if h.r.Header.Get("Expect") == "" {
		correct(h)
		return
	}
	answer(417, "", "Connection", "close")(h)
}

func hint(h *hit) {
	h.w.Header().Set("Link", "</style.css>; rel=preload")
	h.w.WriteHeader(http.StatusEarlyHints)
	h.w.Header().Del("Link")
	correct(h)
}

func endlessHints(h *hit) {
	_, _ = io.Copy(io.Discard, h.r.Body)
	conn, _ := h.hijack()
	defer conn.Close()
	w := bufio.NewWriter(conn)
	for range 1000 {
		if _, err := w.WriteString("HTTP/1.1 103 Early Hints\r\nLink: " + strings.Repeat("x", 1000) +
			"\r\n\r\n"); err != nil {
			return
		}
	}
}
