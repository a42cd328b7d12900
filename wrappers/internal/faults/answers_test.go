package faults

import (
	"bytes"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// Answers with a status of success that break off or have no end. The
// providers' tests cover the content of answers.
func TestUnusableAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\nTRACE\nContent-Type: application/json\n"
	unusable := want{kinds: unavailable, tries: 1, status: 200}
	runAll(t, []row{
		{name: "a body shorter than its Content-Length", at: apiCalls, fault: raw(head + "Content-Length: 500\n\n{}"),
			want: unusable},
		{name: "a body longer than its Content-Length", at: apiCalls, fault: raw(head + "Content-Length: 1\n\n{}"),
			want: unusable},
		{name: "a chunk that breaks off", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\n500\n{}"),
			want: unusable},
		{name: "chunks without a last one", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\n2\n{}\n"),
			want: unusable},
		{name: "a chunk of no size", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\nzz\n{}\n0\n\n"),
			want: unusable},
		{name: "a chunk of an absurd size", at: apiCalls,
			fault: raw(head + "Transfer-Encoding: chunked\n\nfffffffffffffffff\n{}\n0\n\n"), want: unusable},
		{name: "an error without end", at: requests, fault: flood(404),
			want: want{kinds: kinds(upload.ErrNotFound), tries: 1, status: 404}, check: checkReadLittle},
		{name: "a success without end", at: apiCalls, fault: flood(200), want: unusable, check: checkReadLittle},

		// Odd answers that can be used.
		{name: "a success without end after the bytes were taken", at: []place{presigned}, fault: done(flood(200)),
			want: want{stored: true}, check: checkReadLittle},
		{name: "an unknown body after the bytes were taken", at: []place{presigned}, want: want{stored: true},
			fault: func(h *hit) {
				h.lab.correctlyTo(&voidWriter{header: h.w.Header()}, h)
				answer(201, "<CreateResponse/>"+strings.Repeat("\x00", 2<<20))(h)
			}},
		{name: "an answer that breaks off after the bytes were taken", at: []place{presigned}, want: want{stored: true},
			fault: func(h *hit) {
				h.lab.correctlyTo(&voidWriter{header: h.w.Header()}, h)
				raw("HTTP/1.1 200 OK\nContent-Length: 100\n\nok")(h)
			}},
	})
}

// flood answers with a body that goes on until the client stops reading.
func flood(status int) fault {
	water := bytes.Repeat([]byte("water "), 10_000)
	return afterBody(func(h *hit) {
		h.w.WriteHeader(status)
		for {
			n, err := h.w.Write(water)
			h.lab.flooded.Add(int64(n))
			if err != nil || h.lab.flooded.Load() > 1<<30 {
				return
			}
		}
	})
}

// checkReadLittle checks that the client read no more than a connection holds.
func checkReadLittle(l *lab, res upload.Result, err error) {
	if n := l.flooded.Load(); n > 32<<20 {
		l.t.Errorf("the server got rid of %d bytes", n)
	}
	if err == nil {
		if l.under(res.ID) != l.counts[0].whole {
			l.t.Error("the file is not stored")
		}
	}
}
