package uploadtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
)

// The properties of the presigned step, in which the bytes go to a URL that an
// answer handed out.

func presignedSuccess(t *trial) {
	if t.starter() == "" {
		return
	}
	for _, status := range []int{200, 201, 202, 204} {
		t.fresh(fmt.Sprint(status), func(t *trial) {
			t.Server.Inject(Presigned, -1, respelled(func(a *httptest.ResponseRecorder) {
				if a.Code/100 == 2 {
					a.Code = status
				}
			}))
			if _, ok := t.arrives(fmt.Sprintf("presigned answered %d", status),
				newSource("stored.bin", upload.OctetStream, noise(1000, 26), nil)); ok {
				t.seen.note(aPresigned)
			}
		})
	}
}

// method finds the method in an answer that hands out a URL.
var method = regexp.MustCompile(`(?i)(method"\s*:\s*")(PUT|POST)"`)

func presignedMethod(t *trial) {
	starter := t.starter()
	if starter == "" {
		return
	}
	for _, said := range []string{"PUT", "put", "POST", "Post"} {
		t.fresh(said, func(t *trial) {
			what, found := fmt.Sprintf("a URL that is handed out for %s", said), false
			t.Server.Inject(starter, -1, respelledText(func(s string) string {
				found = method.MatchString(s)
				return method.ReplaceAllString(s, `${1}`+said+`"`)
			}))
			t.Server.Inject(Presigned, -1, Answer(http.StatusOK, ""))
			_, err := t.send(t.Context(), what, newSource("method.bin", upload.OctetStream, noise(1000, 27), nil))
			if !found {
				return // this API says no method
			}
			t.seen.note(aPresigned)
			if err != nil {
				t.Errorf("%s: upload: %v", what, t.masked(err))
			}
			for _, r := range t.requestsSince(0) {
				if r.Op == Presigned && r.Method != strings.ToUpper(said) {
					t.Errorf("%s: presigned method: %s was sent", what, r.Method)
				}
			}
		})
	}
}

// expiries are how storage services say that a URL has run out.
var expiries = []struct {
	vendor string
	status int
	body   string
}{
	{"S3", 403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"},
	{"GCS", 400, "<Error><Code>ExpiredToken</Code><Message>Invalid argument.</Message></Error>"},
	{"R2", 403, "<Error><Code>ExpiredRequest</Code><Message>Request has expired</Message></Error>"},
}

func presignedExpires(t *trial) {
	starter := t.starter()
	if starter == "" || plain(t.Uploader) {
		return
	}
	for _, c := range expiries {
		for _, times := range []int{1, -1} {
			t.fresh(fmt.Sprint(c.vendor, times), func(t *trial) {
				what := fmt.Sprintf("presigned answered %d as %s does for a URL that has expired", c.status, c.vendor)
				t.seen.note(aPresigned)
				t.Server.Inject(Presigned, times, Answer(c.status, c.body, "Content-Type", "application/xml"))
				src := newSource("expired.bin", upload.OctetStream, noise(1000, 28), nil)
				t.Count = nil
				if times == 1 {
					t.arrives(what+", once", src)
				} else {
					_, err := t.send(t.Context(), what, src)
					t.fails(what, err, upload.ErrExpired)
				}
				if starts, steps := t.received(starter), t.received(Presigned); starts != 2 || steps != 2 {
					t.Errorf("%s: attempts: %d starts and %d presigned requests, want 2 of each", what, starts, steps)
				}
			})
		}
	}
}

func cookiesStay(t *trial) {
	starter := t.starter()
	if starter == "" {
		return
	}
	t.fresh("a cookie in each answer", func(t *trial) {
		t.Server.Inject(starter, -1, respelled(func(a *httptest.ResponseRecorder) {
			a.Header().Set("Set-Cookie",
				"uploadtest=1; Path=/")
		}))
		for range 2 {
			t.arrives("an API that sets a cookie", newSource("cookie.bin", upload.OctetStream, noise(1000, 29), nil))
		}
		t.seen.note(aPresigned) // the contract reports a cookie
	})
}

// respelledText changes the text of an answer.
func respelledText(change func(string) string) Fault {
	return respelled(func(a *httptest.ResponseRecorder) {
		text := change(a.Body.String())
		a.Body.Reset()
		a.Body.WriteString(text)
	})
}
