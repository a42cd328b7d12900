package faults

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// What is sent again, how often, and after which wait.
func TestRepeats(t *testing.T) {
	gateway := func(status int, code string) fault {
		return answer(status, `{"error":{"errorCode":"`+code+`","message":"Odd","details":null}}`, "Content-Type", "application/json")
	}
	limited := func(after string) fault { return answer(429, "", "Retry-After", after) }
	limit := func(after time.Duration) want {
		return want{kinds: kinds(upload.ErrRateLimited), status: 429, tries: 4, after: after}
	}
	once := func(l *lab) { l.counts = nil; l.src = l.oneShot() }
	mailer := []place{createFile}
	most := time.Second // than which no row may take longer: MaxWait is 2 ms
	rows := []row{
		{name: "429 for ever", at: requests, fault: answer(429, ""), want: limit(0)},
		{name: "429 with seconds", at: requests, fault: limited("7"), want: limit(7 * time.Second)},
		{name: "429 with no seconds", at: requests, fault: limited("0"), want: limit(0)},
		{name: "429 with negative seconds", at: requests, fault: limited("-30"), want: limit(0)},
		{name: "429 with absurd seconds", at: requests, fault: limited("99999999999999999999999999"), want: limit(math.MaxInt32*time.Second + time.Second)},
		{name: "429 with half a second", at: requests, fault: limited("0.5"), want: limit(500 * time.Millisecond)},
		{name: "429 with words", at: requests, fault: limited("soon"), want: limit(0)},
		{name: "429 with a date that is past", at: requests, fault: limited("Thu, 01 Jan 2026 00:00:00 GMT"), want: limit(0)},
		{name: "429 with a date that does not exist", at: requests, fault: limited("Thu, 31 Feb 2099 00:00:00 GMT"), want: limit(0)},
		{name: "503 with seconds, once", at: requests, fault: first(1, answer(503, "", "Retry-After", "3600")), want: want{tries: 2, stored: true}},
		{name: "503 three times", at: requests, fault: first(3, answer(503, "")), want: want{tries: 4, stored: true}},
		{name: "each kind of failure in turn", at: requests, fault: inTurn(answer(503, ""), reset, limited("1")), want: want{tries: 4, stored: true}},
		{name: "408, once", at: requests, fault: first(1, answer(408, "")), want: want{tries: 2, stored: true}},
		{name: "503, where two attempts are allowed", at: requests, fault: answer(503, ""), set: attempts(2), want: want{kinds: unavailable, status: 503, tries: 2}},
		{name: "503, where nothing is sent twice", at: requests, fault: answer(503, ""), set: attempts(1), want: want{kinds: unavailable, status: 503, tries: 1}},
		{name: "reset, where nothing is sent twice", at: requests, fault: reset, set: attempts(1), want: want{kinds: unavailable, tries: 1}},
		{name: "401, where nothing is sent twice", at: apiCalls, fault: answer(401, ""), set: attempts(1), want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, tries: 1}},
		{name: "503 and then 403", at: requests, fault: inTurn(answer(503, ""), answer(403, "")), want: want{kinds: kinds(upload.ErrForbidden), status: 403, tries: 2}, last: true},
		{name: "503 and then resets", at: requests, fault: inTurn(answer(503, "", "Retry-After", "1"), reset, reset, reset), want: want{kinds: unavailable, tries: 4}},

		{name: "503, and the source can be read once", at: carriers, fault: answer(503, "", "Retry-After", "1"), set: once,
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), status: 503, tries: 1, after: time.Second}},
		{name: "reset, and the source can be read once", at: carriers, fault: afterHalf(reset), set: once,
			want: want{kinds: kinds(upload.ErrUnavailable, upload.ErrNotReplayable), tries: 1}},
		{name: "429, and the source can be read once", at: carriers, fault: answer(429, ""), set: once,
			want: want{kinds: kinds(upload.ErrRateLimited, upload.ErrNotReplayable), status: 429, tries: 1}},
		{name: "403, and the source can be read once", at: carriers, fault: answer(403, ""), set: once, want: want{kinds: kinds(upload.ErrForbidden), status: 403, tries: 1}},
		{name: "503 to POST /fileUpload does not ask for the source", at: []place{fileUpload}, fault: first(2, answer(503, "")), set: once, want: want{tries: 3, stored: true}},

		{name: "429 with code 400: the quota is used up", at: mailer, fault: gateway(429, "400"), want: want{kinds: kinds(upload.ErrRateLimited), status: 429, code: "400", tries: 1}},
		{name: "429 with code 410: throttled", at: mailer, fault: gateway(429, "410"), want: want{kinds: kinds(upload.ErrRateLimited), status: 429, code: "410", tries: 4}},
		{name: "500 with code 77301: no default project", at: mailer, fault: gateway(500, "77301"), want: want{kinds: unavailable, status: 500, code: "77301", tries: 1}},
		{name: "500 with code 77303", at: mailer, fault: gateway(500, "77303"), want: want{kinds: unavailable, status: 500, code: "77303", tries: 4}},
		{name: "400 with code 77101: login information", at: mailer, fault: gateway(400, "77101"), want: want{kinds: kinds(upload.ErrUnauthorized), status: 400, code: "77101", tries: 1}},
		{name: "400 with code 77103: not found", at: mailer, fault: gateway(400, "77103"), want: want{kinds: kinds(upload.ErrNotFound), status: 400, code: "77103", tries: 1}},
		{name: "503 with code 500 and then well", at: mailer, fault: first(1, gateway(503, "500")), want: want{tries: 2, stored: true}},

		{name: "a clock that is six minutes late", at: mailer, fault: clockOff(6 * time.Minute),
			want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "200", tries: 1, says: []string{"clock"}}},
		{name: "a clock that is six minutes early", at: mailer, fault: clockOff(-6 * time.Minute),
			want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "200", tries: 1, says: []string{"clock"}}},
		{name: "keys that are wrong, and a clock that is right", at: mailer, fault: clockOff(0), want: want{kinds: kinds(upload.ErrUnauthorized), status: 401, code: "200", tries: 1},
			check: func(l *lab, _ upload.Result, err error) {
				if f, ok := err.(*upload.Error); ok && f.Message != "Authentication Failed: Invalid authentication information." {
					l.t.Errorf("the message is %q", f.Message)
				}
			}},
	}
	for i := range rows {
		run := rows[i].check
		begin := time.Now()
		first := rows[i].set
		rows[i].set = func(l *lab) {
			begin = time.Now()
			if first != nil {
				first(l)
			}
		}
		rows[i].check = func(l *lab, res upload.Result, err error) {
			if took := time.Since(begin); took > most {
				l.t.Errorf("took %s, although no wait may be longer than 2 ms", took)
			}
			if run != nil {
				run(l, res, err)
			}
		}
	}
	runAll(t, rows)
}

// clockOff is how the API Gateway refuses a timestamp, by a clock that is ahead
// of ours.
func clockOff(ahead time.Duration) fault {
	return func(h *hit) {
		h.w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		answer(401, `{"error":{"errorCode":"200","message":"Authentication Failed","details":"Invalid authentication information."}}`, "Content-Type", "application/json")(h)
	}
}
