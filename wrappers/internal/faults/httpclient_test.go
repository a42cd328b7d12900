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

// abort panics in the handler: that resets the connection of HTTP/1.1, and the
// stream of HTTP/2.
func abort(*hit) { panic(http.ErrAbortHandler) }

// A caller's own HTTP client may use HTTP/2.
func TestHTTP2(t *testing.T) {
	lost := want{kinds: unavailable, tries: 4}
	rows := []row{
		{name: "all is well", at: requests, want: want{stored: true}},
		{name: "a large body", at: carriers, set: sends(large), want: want{stored: true}},
		{name: "a reset stream", at: requests, fault: abort, want: lost},
		{name: "a reset stream in the middle of a large body, once", at: carriers, set: sends(large),
			fault: first(1, afterHalf(abort)), want: want{tries: 2, stored: true}},
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
			abort(h)
		}, want: want{kinds: unavailable, tries: 4, status: 0}},
		{name: "the file fails in the middle", at: carriers,
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: some},
			set: func(l *lab) {
				l.counts = nil
				src := from(reading(func() io.Reader {
					return io.MultiReader(bytes.NewReader(noise(60_000)), iotest.ErrReader(errors.New("the disk is on fire")))
				}))
				src.Size = long.Size
				l.src = l.countAs(src, object{})
			}},
	}
	for i := range rows {
		set := rows[i].set
		rows[i].set = func(l *lab) {
			l.secure, l.h2 = true, true
			if set != nil {
				set(l)
			}
		}
		check := rows[i].check
		rows[i].check = func(l *lab, res upload.Result, err error) {
			l.mu.Lock()
			for _, r := range l.seen[l.at] {
				if r.ProtoMajor != 2 {
					l.t.Errorf("the request came in %s", r.Proto)
				}
			}
			l.mu.Unlock()
			if check != nil {
				check(l, res, err)
			}
		}
	}
	runAll(t, rows)
}

// A caller's HTTP client may keep cookies and follow redirects. Neither happens
// here.
func TestForeignHTTPClient(t *testing.T) {
	jar := func(l *lab) {
		l.client.Jar, _ = cookiejar.New(nil)
		l.client.CheckRedirect = func(*http.Request, []*http.Request) error {
			l.t.Error("the caller's CheckRedirect was asked")
			return nil
		}
	}
	cookie := func(l *lab) {
		for _, u := range []string{l.api.URL, l.storage.URL} {
			at, _ := url.Parse(u)
			l.client.Jar.SetCookies(at, []*http.Cookie{{Name: "session", Value: planted + "-session"}})
		}
	}
	noCookie := func(l *lab, _ upload.Result, _ error) {
		for at, seen := range l.seen {
			for _, r := range seen {
				if len(r.Cookies()) > 0 {
					l.t.Errorf("%s was sent the cookie %v", at, r.Cookies())
				}
			}
		}
		if l.client.Jar == nil || l.client.CheckRedirect == nil {
			l.t.Error("the caller's client was changed")
		}
	}
	runAll(t, []row{
		{name: "cookies for everybody", at: requests, set: jar, late: cookie, want: want{stored: true}, check: noCookie},
		{name: "redirects that it would follow", at: apiCalls, set: jar, fault: redirect(307, "http://HOSTURI"),
			want: want{kinds: unavailable, status: 307, tries: 1}, check: noCookie},
	})
}
