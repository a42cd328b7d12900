package uploadtest

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// The properties of the presigned step, in which the bytes go to a URL that an
// answer handed out.

// handingOut checks a property with the operation that hands out the URL, if
// there is one.
func handingOut(check func(t *trial, starter string)) func(*trial) {
	return func(t *trial) {
		if starter := t.starter(); starter != "" {
			check(t, starter)
		}
	}
}

func presignedSuccess(t *trial, _ string) {
	first := t.of(Presigned)[0]
	if first.Header.Get("Content-Range") != "" {
		return // the status says whether more parts are awaited
	}
	statuses := []int{200, 201, 202, 204}
	if len(contract.Members(first.Answer)) > 0 { // such as the id
		statuses = statuses[:3]
	}
	for _, status := range statuses {
		t.about("presigned answered %d", status).fresh(func(t *trial) {
			t.Server.Inject(Presigned, forEver, faulty.Respelled(func(a *httptest.ResponseRecorder) {
				if a.Code/100 == 2 {
					a.Code = status
				}
			}))
			if _, ok := t.arrives(file(1000)); ok {
				t.seen.Note(aPresigned)
			}
		})
	}
}

// method finds the method in an answer that hands out a URL.
var method = regexp.MustCompile(`(?i)(method"\s*:\s*")(PUT|POST)"`)

// oddQuery changes if it is parsed and written again. The handler never sees it.
const oddQuery = "z=%7e+1&b=&a=1%2f&"

// queries finds the beginning of the query of a URL.
var queries = regexp.MustCompile(`("https?://[^"?]*\?)`)

func presignedMethod(t *trial, starter string) {
	start := t.of(starter)[0]
	for _, said := range []string{"PUT", "put", "POST", "Post"} {
		written := func(s string) string { return method.ReplaceAllString(s, `${1}`+said+`"`) }
		if !t.Server.contract.Allows(starter, start.Status, []byte(written(string(start.Answer)))) {
			continue
		}
		t.about("a URL that is handed out for %s", said).fresh(func(t *trial) {
			var was atomic.Value
			t.Server.Inject(starter, forEver, respelledText(func(s string) string {
				if found := method.FindStringSubmatch(s); found != nil {
					was.Store(found[2])
				}
				s = queries.ReplaceAllString(s, `${1}`+strings.ReplaceAll(oddQuery, "&", `\u0026`))
				return written(s)
			}))
			t.Server.Inject(Presigned, forEver, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r = r.Clone(r.Context())
					r.Method = cmp.Or(was.Load(), any(r.Method)).(string)
					r.URL.RawQuery = strings.Replace(r.URL.RawQuery, oddQuery, "", 1)
					r.RequestURI = r.URL.RequestURI()
					next.ServeHTTP(w, r)
				})
			})
			_, err := t.send(t.Context(), file(1000))
			if was.Load() == nil {
				return // this API says no method
			}
			if t.seen.Note(aPresigned); err != nil { // the contract reports another method
				t.broke("upload: %v", err)
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

func presignedExpires(t *trial, starter string) {
	if t.plain() {
		return
	}
	for _, c := range expiries {
		for _, times := range []int{1, forEver} {
			what := "presigned answered %d as %s does for a URL that has expired"
			if times == 1 {
				what += ", once"
			}
			t.about(what, c.status, c.vendor).fresh(func(t *trial) {
				t.seen.Note(aPresigned)
				t.Server.Inject(Presigned, times, Answer(c.status, c.body, "Content-Type", "application/xml"))
				t.Count = nil
				src := newSource("report.pdf", "application/pdf", payload.Noise(1000), nil)
				if times == 1 {
					t.arrives(src)
				} else {
					_, err := t.send(t.Context(), src)
					t.fails(err, upload.ErrExpired)
				}
				if starts, steps := len(t.of(starter)), len(t.of(Presigned)); starts != 2 || steps != 2 {
					t.broke("attempts: %d starts and %d presigned requests, want 2 of each", starts, steps)
				}
			})
		}
	}
}

func cookiesStay(t *trial, starter string) {
	t.about("an API that sets a cookie").fresh(func(t *trial) {
		t.Server.Inject(starter, forEver, faulty.Respelled(func(a *httptest.ResponseRecorder) {
			a.Header().Set("Set-Cookie", "uploadtest=1; Path=/")
		}))
		t.arrives(file(1000))
		t.arrives(file(1000))
		t.seen.Note(aPresigned) // the contract reports a cookie
	})
}
