package faults

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// Answers that say success and cannot be used. They are not repeated: the
// request was taken, and the next answer would be no better.
func TestUnusableAnswers(t *testing.T) {
	const head = "HTTP/1.1 200 OK\nTRACE\nContent-Type: application/json\n"
	unusable := want{kinds: unavailable, tries: 1, status: 200}
	bodies := []struct{ name, body string }{
		{"an empty body", ""},
		{"blanks", "   \n\n  "},
		{"HTML", "<!doctype html><html><body>Sign in to continue</body></html>"},
		{"XML", `<?xml version="1.0"?><ok><fileId>1</fileId></ok>`},
		{"null", "null"},
		{"true", "true"},
		{"a number", "67890"},
		{"a string", `"67890"`},
		{"an array", `[{"fileId":1}]`},
		{"an empty object", "{}"},
		{"JSON that breaks off", `{"fileId":"1","uploadMethod":"PUT","uploadUrl":"http`},
		{"JSON with something behind it", `{"fileId":"1"}{"fileId":"2"}`},
		{"JSON in UTF-16", "\xff\xfe{\x00}\x00"},
		{"a byte order mark alone", "\xef\xbb\xbf"},
		{"two values for one comma", `{"fileId":"1",,}`},
		{"nesting without end", strings.Repeat(`{"fileId":[`, 20_000)},
		{"zeros", strings.Repeat("\x00", 4096)},
		{"more than a mebibyte", `{"fileId":"` + strings.Repeat("x", 1<<20) + `"}`},
		{"fields of the other provider", `{"id":"1","url":"https://example.com/"}`},
	}
	var rows []row
	for _, b := range bodies {
		rows = append(rows, row{name: b.name, at: apiCalls, fault: answer(200, b.body, "Content-Type", "application/json"), want: unusable})
	}
	rows = append(rows, []row{
		{name: "what is good, and two mebibytes of blanks", at: apiCalls, want: want{kinds: unavailable, tries: 1, status: 200, says: []string{"longer than"}},
			fault: afterBody(func(h *hit) {
				answer(200, h.lab.ticket("an-id")+strings.Repeat(" ", 2<<20), "Content-Type", "application/json")(h)
			})},
		{name: "204 No Content", at: apiCalls, fault: answer(204, ""), want: want{kinds: unavailable, tries: 1, status: 204}},
		{name: "HTML that says that it is HTML", at: apiCalls, fault: answer(200, "<html>", "Content-Type", "text/html"),
			want: want{kinds: unavailable, tries: 1, status: 200, says: []string{"text/html"}}},
		{name: "a body shorter than its Content-Length", at: apiCalls, fault: raw(head + "Content-Length: 500\n\n{}"), want: unusable},
		{name: "a body longer than its Content-Length", at: apiCalls, fault: raw(head + "Content-Length: 1\n\n{}"), want: unusable},
		{name: "a chunk that breaks off", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\n500\n{}"), want: unusable},
		{name: "chunks without a last one", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\n2\n{}\n"), want: unusable},
		{name: "a chunk of no size", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\nzz\n{}\n0\n\n"), want: unusable},
		{name: "a chunk of an absurd size", at: apiCalls, fault: raw(head + "Transfer-Encoding: chunked\n\nfffffffffffffffff\n{}\n0\n\n"), want: unusable},
		{name: "labelled gzip and is not", at: apiCalls, fault: answer(200, `{"fileId":"1"}`, "Content-Type", "application/json", "Content-Encoding", "gzip"), want: unusable},
		{name: "gzip that was not asked for", at: apiCalls, fault: answer(200, zipped(`{"fileId":"1"}`), "Content-Encoding", "gzip"), want: unusable},
		{name: "gzip that breaks off, to a client that asks for it", at: apiCalls, set: asksForGzip,
			fault: answer(200, zipped(strings.Repeat(`{"fileId":"1"}`, 1000))[:30], "Content-Encoding", "gzip"), want: unusable},
		{name: "a gzip bomb, to a client that asks for it", at: apiCalls, set: asksForGzip,
			fault: answer(200, bomb(), "Content-Encoding", "gzip"), want: unusable},
		{name: "a gzip bomb as an error", at: requests, set: asksForGzip,
			fault: answer(400, bomb(), "Content-Encoding", "gzip"), want: want{kinds: kinds(upload.ErrInvalid), tries: 1, status: 400}},
		{name: "an error without end", at: requests, fault: flood(404), want: want{kinds: kinds(upload.ErrNotFound), tries: 1, status: 404}, check: notDrunk},
		{name: "a success without end", at: apiCalls, fault: flood(200), want: unusable, check: notDrunk},

		// What is odd and can be used.
		{name: "a success without end after the bytes were taken", at: []place{presigned}, fault: done(flood(200)), want: want{stored: true}, check: notDrunk},
		{name: "a success of another status", at: []place{fileUpload}, fault: otherStatus(202), want: want{stored: true}},
		{name: "JSON labelled text/plain", at: apiCalls, fault: relabelled("text/plain; charset=euc-kr"), want: want{stored: true}},
		{name: "JSON without a label", at: apiCalls, fault: relabelled(""), want: want{stored: true}},
		{name: "JSON in gzip, to a client that asks for it", at: []place{fileUpload}, set: asksForGzip, want: want{stored: true},
			fault: func(h *hit) {
				h.w.Header().Set("Content-Encoding", "gzip")
				fmt.Fprint(h.w, zipped(h.lab.ticket("an-id")))
			}},
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
	}...)
	runAll(t, rows)
}

// flood is an answer that goes on as long as anybody reads it.
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

// notDrunk checks that nobody read more of a flood than a connection holds.
func notDrunk(l *lab, res upload.Result, err error) {
	if n := l.flooded.Load(); n > 32<<20 {
		l.t.Errorf("the server got rid of %d bytes", n)
	}
	if err == nil {
		equal(l, "what is stored", l.under(res.ID), l.counts[0].whole)
	}
}

// asksForGzip is a caller's own client as net/http makes it.
func asksForGzip(l *lab) { l.transport().DisableCompression = false }

// bomb is a few kilobytes of gzip that become far more than anybody should read.
var bomb = sync.OnceValue(func() string { return zipped(strings.Repeat(" ", 2<<20)) })

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

// otherStatus is the correct answer under another status.
func otherStatus(status int) fault {
	return func(h *hit) {
		w := &voidWriter{header: h.w.Header()}
		h.lab.correctlyTo(w, h)
		answer(status, w.body.String())(h)
	}
}

// relabelled is the correct answer under another media type.
func relabelled(contentType string) fault {
	return func(h *hit) {
		w := &voidWriter{header: h.w.Header()}
		h.lab.correctlyTo(w, h)
		h.w.Header()["Content-Type"] = []string{contentType}
		if contentType == "" {
			h.w.Header()["Content-Type"] = nil
		}
		answer(map[place]int{fileUpload: 200, createFile: 201}[h.at], w.body.String())(h)
	}
}
