package faults

import (
	"strings"
	"testing"
)

// These answers have a status of success, but break off. The providers' tests
// cover the content of answers. The kit covers answers without end.
func TestUnusableAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\nTRACE\nContent-Type: application/json\n"
	unusable := want{kinds: unavailable, tries: 1, status: 200}
	runAll(t, []row{
		{name: "a body shorter than its Content-Length", at: apiCalls, fault: raw(head + "Content-Length: 500\n\n{}"),
			want: unusable},
		{name: "a chunk that breaks off", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\n500\n{}"),
			want: unusable},
		{name: "chunks without a last one", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\n2\n{}\n"),
			want: unusable},

		// These answers are odd, but can be used.
		{name: "an unknown body after the bytes were taken", at: []place{presigned}, want: want{stored: true},
			fault: done(answer(201, "<CreateResponse/>"+strings.Repeat("\x00", 2<<20)))},
		{name: "an answer that breaks off after the bytes were taken", at: []place{presigned}, want: want{stored: true},
			fault: done(raw("HTTP/1.1 200 OK\nContent-Length: 100\n\nok"))},
	})
}
