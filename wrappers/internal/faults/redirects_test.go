package faults

import (
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// redirect answers with a Location. In it HOST stands for the request's host,
// and URI for its path and query.
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
	var elsewhere string // another host of the same store
	other := func(l *lab) {
		s := l.server(l.storage.Config.Handler)
		elsewhere = s.URL
	}
	away := func(h *hit) {
		h.w.Header().Set("Location", elsewhere+h.r.RequestURI)
		answer(307, "")(h)
	}
	runAll(t, []row{
		{name: "307 to another host, a large body", at: here, set: sends(large), late: other, fault: first(1, away),
			want: want{tries: 2, stored: true}},
		{name: "307 to another host, which answers 503 once", at: here, late: other, fault: inTurn(away, answer(503, "")),
			want: want{tries: 3, stored: true}},
		{name: "five redirects", at: here, fault: first(5, redirect(307, "URI")), want: want{tries: 6, stored: true}},
		{name: "redirects without end", at: here, fault: redirect(307, "URI"),
			want: want{kinds: unavailable, tries: 1, reached: 6, status: 307, says: []string{"redirects"}}},
		{name: "307 to a host that is not there", at: here,
			fault: func(h *hit) {
				h.w.Header().Set("Location", "http://"+h.lab.deadAddress()+h.r.RequestURI)
				answer(307, "")(h)
			},
			want: want{kinds: unavailable, tries: 4, reached: 4}},
		{name: "307, and the source can be read once", at: here, set: func(l *lab) { l.counts = nil; l.src = l.oneShot() },
			fault: first(1, redirect(307, "URI")),
			want:  want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), tries: 1, status: 307}},
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
	})
}
