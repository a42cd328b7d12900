package uploadtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// Clients whose errors are wrong, or that take a failure for a success.
var brokenErrors = []bite{
	{"a refusal with details counts as success", rig{client: deaf}, secretsStay,
		"announce answered with what it was told: error: none, though the answer was 403"},
	{"an answer is used that is not there", rig{form: true, client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if err != nil {
			panic("no answer")
		}
		return res, nil
	})}, unusable, "submit answered 202 and an error: upload: it panicked: no answer"},
	{"one of several uploads at once panics", rig{client: panics}, uploadsAtOnce,
		"upload: it panicked: d.nx != ...: so in one more case: upload 7 of 16 of one name at once"},
	{"the provider is lost", rig{client: misstated(func(e *upload.Error) { e.Provider = "" })},
		kindsHold, "error: Provider is empty"},
	{"a refusal counts as success", rig{client: deaf}, kindsHold,
		`announce answered 400 without JSON: error: none, want one of the kind "invalid"`},
	{"an error of another type", rig{client: failure(func(e *upload.Error) error { return e.Err })},
		kindsHold, "want *upload.Error"},
	{"429 is taken for an outage", rig{client: misstated(func(e *upload.Error) {
		if e.Status == 429 {
			e.Err = upload.ErrUnavailable
		}
	})}, kindsHold, `answered 429 without JSON: error: not of the kind "rate limited"`},
	{"the kind comes from the code of an answer", rig{spec: quota,
		sent: faulty.Status(429, "", func(resp *http.Response) {
			text, _ := io.ReadAll(resp.Body)
			if resp.Header.Get("Content-Type") == "application/json" && bytes.Contains(text, []byte("404")) {
				resp.StatusCode = 404
			}
		})}, kindsHold, `announce answered 429 and the code 404: error: not of the kind "rate limited"`},
	{"the code of an answer ends all, and the error does not say so", usedUp(false), kindsHold,
		"announce answered 429 and the code 404: attempts: only one request came, and the error says that it may pass"},
	{"an error of two kinds", rig{client: misstated(func(e *upload.Error) {
		e.Err = fmt.Errorf("%w %w", e.Err, upload.ErrExpired)
	})}, kindsHold, `error: of two kinds, "credentials refused" and "presigned URL expired"`},
	{"the status is lost", rig{client: misstated(func(e *upload.Error) { e.Status = 0 })},
		kindsHold, "Status is 0, want 400"},
	{"the operation is lost", rig{client: misstated(func(e *upload.Error) { e.Op = "" })},
		kindsHold, `Op is "", want "announce"`},
	{"the trace id is lost", rig{form: true, client: result(func(r *upload.Result) { r.TraceID = "" })},
		namesArrive, `name "plain.txt": trace id: "", but the API's answer said "o-`},
	{"the trace id of an error is lost", rig{client: misstated(func(e *upload.Error) {
		if e.Op == Presigned {
			e.TraceID = ""
		}
	})}, kindsHold, `presigned answered 400 without JSON: trace id: "", but the API's answer said "o-`},
	{"the trace id of a refusal is lost", rig{raw: true, client: misstated(func(e *upload.Error) {
		e.TraceID = ""
	})}, kindsHold,
		`deposit answered 400 without JSON: trace id: "", but the API's answer said "uploadtest-trace-id-1"`},
	{"the trace id of the first attempt", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		first := ""
		return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 503 {
				first = cmp.Or(first, resp.Header.Get("X-Depot-Trace"))
				resp.Header.Set("X-Depot-Trace", first)
			}
			return resp, err
		})
	}}, kindsHold,
		`deposit answered 503 without JSON: trace id: "uploadtest-trace-id-1", ` +
			`but the API's answer said "uploadtest-trace-id-3"`},
	{"the attempts are not counted", rig{client: misstated(func(e *upload.Error) { e.Attempts = 1 })},
		faultsLast, "Attempts is 1, but 3 requests"},
	{"a client goes on and on", rig{raw: true, client: uploads(func(c call) (res upload.Result, err error) {
		for range 40 {
			if res, err = c.send(); !errors.Is(err, upload.ErrUnavailable) {
				break
			}
		}
		return res, err
	})}, faultsLast, "attempts: the client sent 120 requests, and should give up earlier"},
	{"Retry-After is lost", rig{client: misstated(func(e *upload.Error) { e.RetryAfter = 0 })},
		kindsHold, "RetryAfter is 0s, the answer said 1s"},
	{"a date in Retry-After is not read", rig{client: misstated(func(e *upload.Error) {
		if e.Status == 503 {
			e.RetryAfter = 0
		}
	})}, kindsHold, "RetryAfter is 0s, the answer said a date 3s ahead"},
	{"a second wait goes on after its context", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		n := 0
		return faulty.Status(429, "", func(*http.Response) {
			if n++; n == 2 {
				time.Sleep(2 * time.Second)
			}
		})(next)
	}}, waitEnds, "second wait after deposit: upload: the client still waits 1s after its context ended"},
	{"a wait goes on after its context", rig{raw: true, stored: func(s *Subject) { s.Patient = onAndOn(s.Patient) }},
		waitEnds, "upload: the client still waits 1s after its context ended"},
	{"the error is that of an earlier attempt", rig{raw: true, client: misstated(func(e *upload.Error) {
		if e.Status == 403 && e.Attempts == 2 {
			e.Err = upload.ErrRateLimited
		}
	})}, kindsHold, `deposit answered 429, then 403 without JSON: error: not of the kind "not permitted"`},
	{"a refusal is repeated", rig{sent: twice,
		client: misstated(func(e *upload.Error) { e.Attempts *= 2 })}, kindsHold,
		"2 requests came: the client must not send again after this answer"},
	{"nothing is repeated",
		rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil || resp.StatusCode >= 429 {
				return &http.Response{StatusCode: 403, Body: http.NoBody}, nil
			}
			return resp, err
		})}, faultsPass, "upload: depot"},
	{"what does harm twice is sent twice", rig{form: true, stored: submitOnce}, faultsPass,
		"submit connection reset before the body: attempts: 2 requests came, want 1: the operation is one of " +
			"Subject.Once"},
	{"a success is sent again", rig{raw: true, sent: resend(201)}, faultsPass,
		"deposit connection reset before the body: attempts: 3 requests came, want 2"},
	{"a busy server is not asked again", rig{form: true, stored: submitOnce, client: sendOnce,
		sent: faulty.Status(429, "", func(resp *http.Response) { resp.StatusCode = 503 })}, faultsPass,
		"submit answered 429 once: upload: depot"},
	{"the second attempt sends the rest of the body",
		rig{sent: faulty.RequestTo("/store", faulty.Second(faulty.Rewritten(func(b []byte) []byte {
			return b[len(b)/2:]
		})))},
		faultsPass, "were sent, the first wrong one at offset 0"},
	{"the error shows a credential",
		rig{client: misstated(func(e *upload.Error) { e.Message = "key " + lab.DepotKey })}, kindsHold, "secrets: "},
	{"the error shows what no Secrets name", rig{stored: func(s *Subject) { s.Secrets = nil },
		client: misstated(func(e *upload.Error) { e.Message = "key " + lab.DepotKey })},
		kindsHold, "secrets: "},
	{"the error shows the presigned query",
		rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil {
				err = &url.Error{Op: "Put", URL: r.URL.String(), Err: err}
				err = &url.Error{Op: "Put", URL: r.URL.String(), Err: err}
			}
			return resp, err
		})}, faultsLast, "shows a credential or a presigned query"},
	{"the client shows a credential", rig{client: func(u upload.Uploader) upload.Uploader {
		return &talkative{u, lab.DepotKey}
	}}, secretsStay, "the client after an upload: secrets: "},
	{"the client's JSON shows a credential", rig{client: func(u upload.Uploader) upload.Uploader {
		return &mute{talkative{u, lab.DepotKey}}
	}}, secretsStay, "printed by JSON shows a credential"},
	{"an error behind the error shows a credential", rig{client: misstated(func(e *upload.Error) {
		e.Err = quiet{fmt.Errorf("key %s: %w", lab.DepotKey, e.Err)}
	})}, kindsHold, "printed by an error of its chain shows a credential"},
	{"the error shows what was sent for a token",
		oauth(faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 403 {
				text, _ := io.ReadAll(resp.Body)
				err = errors.New(string(text))
			}
			return resp, err
		})), secretsStay, "token answered with what it was told: secrets: "},

	{"a success without an answer is one", rig{sent: faulty.Status(201, "", func(resp *http.Response) {
		if resp.ContentLength == 0 {
			resp.Body = io.NopCloser(strings.NewReader(`{"id":"o-1","size":54321}`))
		}
	}), form: true}, unusable, "submit answered 201 and nothing: error: none"},
	{"an id of null is one, and a token came first", oauth(faulty.Status(201, "",
		toldAs(`"id":null`, `"id":"o-1"`))), unusable, "submit answered 201 and null for an id: error: none"},
	{"an answer without its end is one", rig{raw: true, sent: faulty.Status(201, "", func(resp *http.Response) {
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, strings.NewReader("}")))
	})}, unusable, "deposit answered 201 and all of an answer but its end: error: none"},
	{"an answer without a Location is taken for one with the last", located(func(last, where string) string {
		return cmp.Or(where, last)
	}), unusable, "announce answered 201 and no Location: error: none"},
	{"a Location is not looked at", located(func(last, where string) string {
		if where == "://" {
			return last
		}
		return where
	}), unusable, "announce answered 201 and a Location that is no URL: error: none"},
	{"a success counts before the whole body was sent", rig{form: true, client: trusting},
		earlySuccess, `submit succeeded before its body was read: error: none, want one of the kind "unavailable"`},
	{"a success of the presigned step counts before the whole body was sent", rig{client: trusting},
		earlySuccess, "presigned succeeded before its body was read: error: none"},
	{"a size that disagrees is not looked at", rig{form: true, client: trusting}, unusable,
		"submit answered 201 and another size: error: none"},
	{"the directories are told", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Replace(`filename="`, `filename="C:\home\`))},
		namesArrive, `name "plain.txt": wire: the name has directories: "C:\\home\\plain.txt"`},
}
