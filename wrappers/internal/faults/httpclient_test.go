package faults

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
)

// A caller's own HTTP client may use HTTP/2.
func TestHTTP2(t *testing.T) {
	lost := want{kinds: unavailable, tries: 4}
	rows := []row{
		{name: "all is well", at: requests, want: want{stored: true}},
		{name: "a large body", at: carriers, set: sends(large), want: want{stored: true}},
		{name: "a reset stream", at: requests, fault: reset, want: lost},
		{name: "a reset stream in the middle of a large body, once", at: carriers, set: sends(large),
			fault: first(1, afterHalf(reset)), want: want{tries: 2, stored: true}},
		{name: "413 before a large body", at: carriers, set: sends(large), fault: answer(413, ""),
			want: want{kinds: kinds(upload.ErrTooLarge), status: 413, tries: 1}},
		{name: "503 once", at: requests, fault: first(1, answer(503, "")), want: want{tries: 2, stored: true}},
		{name: "cancelled before the body is read", at: requests, fault: stop,
			want: want{kinds: kinds(context.Canceled), tries: 1}},
		{name: "cancelled in the middle of a large body", at: carriers, set: sends(large), fault: afterHalf(stop),
			want: want{kinds: kinds(context.Canceled), tries: 1}},
		{name: "an answer that drips is cut off", at: apiCalls, fault: func(h *hit) {
			h.w.Header().Set("Content-Length", "500")
			_, _ = io.WriteString(h.w, "{")
			panic(http.ErrAbortHandler)
		}, want: want{kinds: unavailable, tries: 4, status: 0}},
		{name: "the file fails in the middle", at: carriers,
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some},
			set: func(l *lab) {
				src := from(reading(func() io.Reader {
					return io.MultiReader(bytes.NewReader(noise(60_000)),
						iotest.ErrReader(errors.New("the disk is on fire")))
				}))
				src.Size = long.Size
				l.sendAs(src, never)
			}},
	}
	for i := range rows {
		set := rows[i].set
		rows[i].set = func(l *lab) {
			l.h2 = true
			if set != nil {
				set(l)
			}
		}
	}
	runAll(t, rows)
}

// A caller's HTTP client may keep cookies and follow redirects. Neither happens
// here.
func TestForeignHTTPClient(t *testing.T) {
	runAll(t, []row{{name: "it would follow a redirect and send a cookie", at: apiCalls, fault: redirect(307),
		want: want{kinds: unavailable, status: 307, tries: 1},
		late: func(l *lab) {
			l.client.CheckRedirect = func(*http.Request, []*http.Request) error {
				l.t.Error("the caller's CheckRedirect was asked")
				return nil
			}
			l.client.Jar, _ = cookiejar.New(nil)
			api, _ := url.Parse(l.baseURL)
			l.client.Jar.SetCookies(api, []*http.Cookie{{Name: "session", Value: planted + "-session"}})
		},
		check: func(l *lab, _ upload.Result, _ error) {
			for _, r := range l.srv.Requests() {
				if r.Header.Get("Cookie") != "" {
					l.t.Errorf("%s was sent the cookie %v", r.Op, r.Header["Cookie"])
				}
			}
			if l.client.Jar == nil || l.client.CheckRedirect == nil {
				l.t.Error("the caller's client was changed")
			}
		}}})
}
