package ncloudmailer_test

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/upload"
)

// documented lists every code of both services with its kind, and whether a
// repeat may help. For an answer without a code the status decides: the fuzz
// target and the kit hold that.
var documented = []struct {
	status int
	code   string
	kind   error
	again  bool
}{
	{400, "77101", upload.ErrUnauthorized, false}, // login information
	{400, "77102", upload.ErrInvalid, false},
	{400, "77103", upload.ErrNotFound, false}, // and not 404
	{403, "77201", upload.ErrForbidden, false},
	{403, "77202", upload.ErrForbidden, false},
	{405, "77001", upload.ErrInvalid, false},
	{415, "77002", upload.ErrInvalid, false},
	{500, "77301", upload.ErrUnavailable, false}, // no default project: that stays so
	{500, "77302", upload.ErrUnavailable, true},
	{500, "77303", upload.ErrUnavailable, true},

	{400, "100", upload.ErrInvalid, false},
	{401, "200", upload.ErrUnauthorized, false},
	{401, "210", upload.ErrUnauthorized, false},
	{403, "230", upload.ErrForbidden, false},
	{404, "300", upload.ErrNotFound, false},
	{413, "430", upload.ErrTooLarge, false},
	{429, "400", upload.ErrRateLimited, false}, // the quota is used up
	{429, "410", upload.ErrRateLimited, true},
	{429, "420", upload.ErrRateLimited, true},
	{500, "900", upload.ErrUnavailable, true},
	{503, "500", upload.ErrUnavailable, true},
	{504, "510", upload.ErrUnavailable, true},

	// Some codes look like a status. These pairs are not documented, so the
	// status decides.
	{400, "400", upload.ErrInvalid, false},
	{429, "77301", upload.ErrRateLimited, true},
	{500, "77103", upload.ErrUnavailable, true},
	{403, "77101", upload.ErrForbidden, false},
	{500, "400", upload.ErrUnavailable, true},
}

var kinds = []error{
	upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound, upload.ErrTooLarge,
	upload.ErrRateLimited, upload.ErrUnavailable, upload.ErrExpired, upload.ErrNotReplayable,
}

func TestEachCodeHasItsKindAndIsRepeatedOnlyWhereThatMayHelp(t *testing.T) {
	m := newMailer(t)
	client := m.client(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 3 })
	for _, tc := range documented {
		t.Run(fmt.Sprint(tc.status, " ", tc.code), func(t *testing.T) {
			body := fmt.Sprintf(`{"error":{"errorCode":%q,"message":"its words","details":null}}`, tc.code)
			m.says(tc.status, body)
			_, err := client.Upload(t.Context(), upload.Bytes("a", []byte("x")))
			f := failure(t, err)
			for _, kind := range kinds {
				if errors.Is(f, kind) != (kind == tc.kind) {
					t.Errorf("errors.Is(err, %q) = %t, want the kind %q", kind, kind != tc.kind, tc.kind)
				}
			}
			attempts := 1
			if tc.again {
				attempts = 3
			}
			if got := len(m.took()); got != attempts || f.Attempts != attempts {
				t.Errorf("sent %d times and counted %d, want %d", got, f.Attempts, attempts)
			}
			if f.Provider != "ncloudmailer" || f.Op != "createFile" || f.Status != tc.status || f.Code != tc.code ||
				f.TraceID != "trace-1" {
				t.Errorf("%+v", f)
			}
			if f.Message != "its words" {
				t.Errorf("the message is %q", f.Message)
			}
		})
	}
}

func TestEachCodeOfTheSpecIsInTheTable(t *testing.T) {
	spec := standintest.Spec(t, "ncloudmailer")
	rows := regexp.MustCompile(`(?m)^\s+\| (\d+) \| (?:mailer|gateway) \|`).FindAllStringSubmatch(string(spec), -1)
	if len(rows) < 22 {
		t.Errorf("only %d codes were found in the spec", len(rows))
	}
	listed := map[string]bool{}
	for _, tc := range documented {
		listed[tc.code] = true
	}
	for _, row := range rows {
		if !listed[row[1]] {
			t.Errorf("code %s of the spec is not tested", row[1])
		}
	}
}

// A code without a message gets the message of createFile's documentation.
func TestEachCodeOfTheMailerHasWords(t *testing.T) {
	m := newMailer(t)
	client := m.client(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
	for _, tc := range documented {
		if !strings.HasPrefix(tc.code, "77") {
			continue
		}
		m.says(tc.status, `{"errorCode":`+tc.code+`}`)
		_, err := client.GetFile(t.Context(), "r")
		if f := failure(t, err); f.Code != tc.code || f.Message == "" || strings.ContainsAny(f.Message, "{}") {
			t.Errorf("%s: code %q, message %q", tc.code, f.Code, f.Message)
		}
	}
}

func TestErrorsAreUnderstoodInEveryShape(t *testing.T) {
	m := newMailer(t)
	client := m.client(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
	for _, tc := range []struct {
		what, body, code, message string
	}{
		{
			"the documented example",
			`{"error":{"errorCode":"200","message":"Authentication Failed",` +
				`"details":"Invalid authentication information."}}`,
			"200", "Authentication Failed: Invalid authentication information.",
		},
		{"a number for the code", `{"error":{"errorCode":200,"message":"m"}}`, "200", "m"},
		{"no details", `{"error":{"errorCode":"200","message":"m","details":null}}`, "200", "m"},
		{"details that say the same", `{"error":{"errorCode":"200","message":"m","details":"m"}}`, "200", "m"},
		{"details alone", `{"error":{"errorCode":"200","details":"d"}}`, "200", "d"},
		{"details of another type", `{"error":{"errorCode":"200","message":"m","details":{"a":[1]}}}`, "200", "m"},
		{"detail, and the fields",
			`{"error":{"errorCode":"INVALID","message":"m","detail":"d","fieldErrors":[{"field":"f"}]}}`, "INVALID",
			`m: d: [{"field":"f"}]`},
		{"flat", `{"errorCode":200,"errorMessage":"m"}`, "200", "m"},
		{"flat with the other words", `{"code":"200","message":"m"}`, "200", "m"},
		{"nested with the other words", `{"error":{"code":"200","errorMessage":"m"}}`, "200", "m"},
		{"return code", `{"returnCode":"200","returnMessage":"m"}`, "200", "m"},
		{"an error that is a text", `{"error":"m"}`, "", "m"},
		{"XML", "<error>\n  <code>200</code>\n</error>", "", "<error> <code>200</code> </error>"},
		{"no body", "", "", ""},
	} {
		t.Run(tc.what, func(t *testing.T) {
			m.says(http.StatusUnauthorized, tc.body) // served as text
			_, err := client.Upload(t.Context(), upload.Bytes("a", []byte("x")))
			f := failure(t, err)
			if f.Status != 401 || !errors.Is(f, upload.ErrUnauthorized) || f.TraceID != "trace-1" {
				t.Errorf("%+v, want what status 401 means", f)
			}
			if f.Code != tc.code || f.Message != tc.message {
				t.Errorf("code %q, message %q\nwant code %q, message %q", f.Code, f.Message, tc.code, tc.message)
			}
		})
	}
}

// The gateway answers a wrong clock like wrong keys. NAVER accepts a timestamp
// that is five minutes off, but not more.
func TestAClockThatIsOffIsNamed(t *testing.T) {
	const limit = 5 * time.Minute
	for _, tc := range []struct {
		what   string
		status int
		ahead  time.Duration // of the server's clock
		noDate bool
		detail string
		says   string // empty: the error does not mention the clock
	}{
		{what: "just ahead", status: 401, ahead: limit + time.Second, says: "set this machine's clock: it is 5m1s"},
		{what: "just behind", status: 401, ahead: -limit - time.Second, says: "set this machine's clock: it is 5m1s"},
		{what: "hours behind", status: 401, ahead: -9 * time.Hour, says: "set this machine's clock: it is 9h"},
		{what: "ahead, as far as is allowed", status: 401, ahead: limit},
		{what: "behind, as far as is allowed", status: 401, ahead: -limit},
		{what: "unknown", status: 401, noDate: true},
		{what: "right, but refused by name", status: 401, detail: "The Timestamp is expired.",
			says: "check this machine's clock"},
		{what: "unknown, but refused by name", status: 401, noDate: true, detail: "invalid timestamp",
			says: "check this machine's clock"},
		{what: "off, in an answer that is about something else", status: 400, ahead: time.Hour, detail: "timestamp"},
		{what: "off, in an answer of many words", status: 401, ahead: time.Hour, detail: strings.Repeat("very ", 100),
			says: "set this machine's clock"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway := func(w http.ResponseWriter, r *http.Request) {
					if !tc.noDate {
						w.Header().Set("Date", time.Now().Add(tc.ahead).UTC().Format(http.TimeFormat))
					}
					w.WriteHeader(tc.status)
					fmt.Fprintf(w, `{"error":{"errorCode":"200","message":"Authentication Failed","details":%q}}`,
						tc.detail)
				}
				client := connect(t, upload.Config{HTTPClient: standintest.InProcess(http.HandlerFunc(gateway))})
				_, err := client.GetFile(t.Context(), "r")
				f := failure(t, err)
				if !strings.Contains(f.Error(), tc.says) || tc.says == "" && strings.Contains(f.Error(), "clock") {
					t.Errorf("%q, want it to say %q", f, tc.says)
				}
				if f.Code != "200" || !strings.Contains(f.Message, "Authentication Failed") {
					t.Errorf("code %q, message %q: the server's own is lost", f.Code, f.Message)
				}
			})
		})
	}
}
