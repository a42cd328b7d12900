package faults

import (
	"fmt"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// An API call follows no redirect: the next host would get the credentials.
func TestRedirectsOfTheAPI(t *testing.T) {
	var rows []row
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, to := range []struct{ name, location, says string }{
			{"the same place", "http://HOST/v2/elsewhere?next=" + planted + "-state", "http://127.0.0.1"},
			{"another host", "https://elsewhere.example/login?state=" + planted + "-state", "https://elsewhere.example"},
			{"a relative address", "../login?state=" + planted + "-state", "http://127.0.0.1"},
			{"nowhere", "", ""},
			{"user info", "https://someone:" + planted + "-password@elsewhere.example/", "https://elsewhere.example"},
			{"no address", "http://[::1/%zz?" + planted, ""},
		} {
			rows = append(rows, row{
				name: fmt.Sprintf("%d to %s", status, to.name), at: apiCalls, fault: redirect(status, to.location),
				want: want{kinds: unavailable, tries: 1, status: status, says: []string{to.says}},
			})
		}
	}
	runAll(t, rows)
}

// redirect sends elsewhere. HOST is the host that was asked, URI what was asked for.
func redirect(status int, location string) fault {
	return func(h *hit) {
		if location != "" {
			h.w.Header().Set("Location", strings.NewReplacer("HOST", h.r.Host, "URI", h.r.RequestURI).Replace(location))
		}
		answer(status, "")(h)
	}
}

// The presigned step follows 307 and 308, and takes the body along.
func TestRedirectsOfThePresignedStep(t *testing.T) {
	here := []place{presigned}
	stop := func(status int, says string) want {
		return want{kinds: unavailable, tries: 1, status: status, says: []string{says}}
	}
	var elsewhere string // another host of the same store
	other := func(l *lab) {
		s := l.server(l.storage.Config.Handler)
		elsewhere = s.URL
	}
	// away sends the first n requests to the other host.
	away := func(status, n int) fault {
		return func(h *hit) {
			if h.n > n {
				h.correct()
				return
			}
			h.w.Header().Set("Location", elsewhere+h.r.RequestURI)
			answer(status, "")(h)
		}
	}
	secure := func(l *lab) { l.secure = true }
	rows := []row{
		{name: "307 to the same host", at: here, fault: first(1, redirect(307, "http://HOSTURI")), want: want{tries: 2, stored: true}},
		{name: "307 to a relative address", at: here, fault: first(1, redirect(307, "URI")), want: want{tries: 2, stored: true}},
		{name: "307 to another host", at: here, late: other, fault: away(307, 1), want: want{tries: 2, stored: true}},
		{name: "308 to another host", at: here, late: other, fault: away(308, 1), want: want{tries: 2, stored: true}},
		{name: "307 from https to https", at: here, set: secure, late: other, fault: away(307, 1), want: want{tries: 2, stored: true}},
		{name: "307 to another host, a large body", at: here, set: sends(large), late: other, fault: away(307, 1), want: want{tries: 2, stored: true}},
		{name: "307 to another host, which answers 503 once", at: here, late: other, fault: inTurn(func(h *hit) { away(307, 1)(h) }, answer(503, "")),
			want: want{tries: 3, stored: true}},
		{name: "five redirects", at: here, fault: first(5, redirect(307, "URI")), want: want{tries: 6, stored: true}},
		{name: "redirects without end", at: here, fault: redirect(307, "URI"), want: want{kinds: unavailable, tries: 1, reached: 6, status: 307, says: []string{"redirects"}}},
		{name: "two hosts that send to each other", at: here, late: other,
			fault: func(h *hit) {
				if strings.HasSuffix(elsewhere, h.r.Host) {
					h.w.Header().Set("Location", h.lab.storage.URL+h.r.RequestURI)
				} else {
					h.w.Header().Set("Location", elsewhere+h.r.RequestURI)
				}
				answer(308, "")(h)
			},
			want: want{kinds: unavailable, tries: 1, reached: 6, status: 308, says: []string{"redirects"}}},
		{name: "307 from https down to http", at: here, set: secure, fault: redirect(307, "http://HOSTURI"), want: stop(307, "only https")},
		{name: "307 to another scheme", at: here, fault: redirect(307, "ftp://HOSTURI"), want: stop(307, "")},
		{name: "307 to a script", at: here, fault: redirect(307, "javascript:alert("+planted+")"), want: stop(307, "")},
		{name: "307 to a file", at: here, fault: redirect(307, "file:///etc/passwd?"+planted), want: stop(307, "")},
		{name: "307 with user info", at: here, fault: redirect(307, "http://someone:"+planted+"-password@HOSTURI"), want: stop(307, "")},
		{name: "307 to nowhere", at: here, fault: redirect(307, ""), want: stop(307, "Location")},
		{name: "307 to no address", at: here, fault: redirect(307, "http://[::1/%zz?"+planted), want: stop(307, "Location")},
		{name: "307 to a host that is not there", at: here,
			fault: func(h *hit) {
				h.w.Header().Set("Location", "http://"+h.lab.deadAddress()+h.r.RequestURI)
				answer(307, "")(h)
			},
			want: want{kinds: unavailable, tries: 4, reached: 4}},
		{name: "307, and the source can be read once", at: here, set: func(l *lab) { l.counts = nil; l.src = l.oneShot() }, fault: first(1, redirect(307, "URI")),
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), tries: 1, status: 307}},
		{name: "307, where nothing is sent twice", at: here, set: attempts(1), fault: first(1, redirect(307, "URI")), want: want{tries: 2, stored: true}},
		{name: "307 with a page that repeats the query", at: here,
			fault: func(h *hit) {
				h.w.Header().Set("Location", "ftp://"+h.r.Host+h.r.RequestURI)
				answer(307, "<a href=\""+h.r.RequestURI+"\">elsewhere</a>")(h)
			},
			want: stop(307, "")},
		{name: "the next host repeats the first one's query", at: here, late: other,
			fault: func(h *hit) {
				if h.n == 1 {
					h.w.Header().Set("Location", elsewhere+"/bucket/x?from=elsewhere")
					answer(307, "")(h)
					return
				}
				answer(400, "came from "+h.lab.seen[presigned][0].RequestURI)(h)
			},
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: 2, status: 400}},
	}
	for _, status := range []int{301, 302, 303} {
		rows = append(rows, row{name: fmt.Sprintf("%d is not followed", status), at: here, fault: redirect(status, "http://HOSTURI"), want: stop(status, "not followed")})
	}
	for _, status := range []int{300, 304, 305, 306} {
		rows = append(rows, row{name: fmt.Sprintf("%d is no redirect", status), at: here, fault: redirect(status, "http://HOSTURI"), want: stop(status, "")})
	}
	runAll(t, rows)
}
