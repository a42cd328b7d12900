package faults

import (
	"bytes"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// redirect answers with the request's own URL as Location.
func redirect(status int) fault {
	return func(h *hit) { answer(status, "", "Location", h.r.RequestURI)(h) }
}

// The presigned step follows 307 and 308, and takes the body along. Where it
// may lead is tested in wire.
func TestRedirectsOfThePresignedStep(t *testing.T) {
	here := []place{presigned}
	runAll(t, []row{
		{name: "307 with a large body, and then 503 once", at: here, set: sends(large),
			fault: inTurn(redirect(307), answer(503, "")), want: want{tries: 3, stored: true}},
		{name: "five redirects", at: here, fault: first(5, redirect(308)), want: want{tries: 6, stored: true}},
		{name: "redirects without end", at: here, fault: redirect(307),
			want: want{kinds: unavailable, tries: 1, reached: 6, status: 307, says: []string{"redirects"}}},
		{name: "307, and the source can be read once", at: here, set: func(l *lab) {
			content := noise(int(small.Size))
			l.sendAs(upload.Reader(small.Name, bytes.NewReader(content), small.Size), string(content))
		},
			fault: first(1, redirect(307)),
			want:  want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), tries: 1, status: 307}},
		{name: "the next host repeats the first one's query", at: here,
			fault: inTurn(redirect(307), func(h *hit) {
				answer(400, "came from "+h.lab.received(presigned)[0].URI)(h)
			}),
			want: want{kinds: kinds(upload.ErrInvalid), tries: 1, reached: 2, status: 400}},
	})
}
