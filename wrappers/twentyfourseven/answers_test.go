package twentyfourseven_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// ticket answers fileUpload with a body in which %s stands for the fileId's JSON.
func (o *office) ticket(fileID string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace-Id", "trace-1")
		fmt.Fprintf(w, `{"uploadMethod":"PUT","uploadUrl":"%s/upload/1","fileId":%s}`, o.base, fileID)
	}
}

// The provider declares a string and shows an integer.
func TestFileIDIsATextOrAnIntegerKeptAsItIs(t *testing.T) {
	for raw, want := range map[string]string{
		`67890`:                          "67890",
		`"67890"`:                        "67890",
		`0`:                              "0",
		`-1`:                             "-1",
		`9007199254740993`:               "9007199254740993", // a float64 would make it ...992
		`18446744073709551617`:           "18446744073709551617",
		`123456789012345678901234567890`: "123456789012345678901234567890",
		`"00012"`:                        "00012",
		`"a1b2-c3/d4 e5.."`:              "a1b2-c3/d4 e5..",
		`"\u6587\/\"x\""`:                `文/"x"`,
		"\n\t67890 ":                     "67890",
		`"1.5"`:                          "1.5",
	} {
		o := newOffice()
		client := o.simple(t)
		o.fileUpload = o.ticket(raw)
		res, err := client.Upload(t.Context(), small)
		if err != nil || res.ID != want {
			t.Errorf("%s became %q (%v), want %q", raw, res.ID, err, want)
		}
	}
}

// A ticket that cannot be used is no reason to send the file anywhere, nor to
// ask for another.
func TestTicketThatCannotBeUsedIsRefused(t *testing.T) {
	const id = `"fileId":"1"`
	o := newOffice()
	client := o.simple(t)
	url := fmt.Sprintf(`"uploadUrl":"%s/upload/1?signature=ticket-secret"`, o.base)
	const method = `"uploadMethod":"PUT"`
	for what, body := range map[string]string{
		"a null for the fileId":    `{` + method + `,` + url + `,"fileId":null}`,
		"a float for the fileId":   `{` + method + `,` + url + `,"fileId":1.5}`,
		"an exponent":              `{` + method + `,` + url + `,"fileId":1e3}`,
		"an object for the fileId": `{` + method + `,` + url + `,"fileId":{"id":"1"}}`,
		"a list for the fileId":    `{` + method + `,` + url + `,"fileId":["1"]}`,
		"a truth for the fileId":   `{` + method + `,` + url + `,"fileId":true}`,
		"an empty fileId":          `{` + method + `,` + url + `,"fileId":""}`,
		"no fileId":                `{` + method + `,` + url + `}`,
		"no method":                `{` + url + `,` + id + `}`,
		"an empty method":          `{"uploadMethod":"",` + url + `,` + id + `}`,
		"a number for the method":  `{"uploadMethod":7,` + url + `,` + id + `}`,
		"no address":               `{` + method + `,` + id + `}`,
		"an empty address":         `{` + method + `,"uploadUrl":"",` + id + `}`,
		"a null for the address":   `{` + method + `,"uploadUrl":null,` + id + `}`,
		"a list":                   `[` + id + `]`,
		"null":                     `null`,
		"nothing":                  ``,
		"HTML":                     `<html>ticket-secret</html>`,
		"half of it":               `{` + method + `,` + url + `,"fileId":"1`,
		"too much of it":           `{` + method + `,` + url + `,` + id + `,"more":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		t.Run(what, func(t *testing.T) {
			before := o.count("fileUpload")
			o.fileUpload = says(http.StatusOK, body)
			var opened int
			src := small
			src.Open = func() (io.ReadCloser, error) { opened++; return small.Open() }
			res, err := client.Upload(t.Context(), src)
			f := failure(t, err)
			if !errors.Is(f, upload.ErrUnavailable) || f.Op != "fileUpload" || f.Status != 200 || f.TraceID != "trace-1" || f.Attempts != 1 {
				t.Errorf("%+v, want upload.ErrUnavailable with status and trace id after one attempt", f)
			}
			if text := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(text, "ticket-secret") || len(text) > 2000 {
				t.Errorf("%s shows the answer", text)
			}
			if res != (upload.Result{}) || opened != 0 || o.count("presigned") != 0 || o.count("fileUpload") != before+1 {
				t.Errorf("%+v, opened %d times, sent %d times, asked %d times", res, opened, o.count("presigned"), o.count("fileUpload")-before)
			}
		})
	}
}

// What the provider adds to its answers must not break a client.
func TestTicketMayHoldMore(t *testing.T) {
	o := newOffice()
	client := o.simple(t)
	o.fileUpload = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusCreated) // not the documented 200
		fmt.Fprintf(w, `{"new":[{}],"uploadMethod":"PUT","uploadUrl":"%s/upload/1","fileId":"1","uploadHeaders":null}`, o.base)
	}
	if res, err := client.Upload(t.Context(), small); err != nil || res.ID != "1" {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestErrorsOfTheAPI(t *testing.T) {
	for _, tc := range []struct {
		what     string
		status   int
		body     string
		kind     error
		code     string
		message  string
		attempts int
	}{
		{"400 as declared", 400, "", upload.ErrInvalid, "", "", 1},
		{"401 as declared", 401, "", upload.ErrUnauthorized, "", "", 1},
		{"403 as declared", 403, "", upload.ErrForbidden, "", "", 1},
		{"404", 404, "", upload.ErrNotFound, "", "", 1},
		{"413", 413, "", upload.ErrTooLarge, "", "", 1},
		{"415", 415, "", upload.ErrInvalid, "", "", 1},
		{"408", 408, "", upload.ErrUnavailable, "", "", 3},
		{"429", 429, "", upload.ErrRateLimited, "", "", 3},
		{"500", 500, "", upload.ErrUnavailable, "", "", 3},
		{"502", 502, "<html>\n<h1>Bad Gateway</h1></html>", upload.ErrUnavailable, "", "<html> <h1>Bad Gateway</h1></html>", 3},
		{"503", 503, "", upload.ErrUnavailable, "", "", 3},
		{"504", 504, "", upload.ErrUnavailable, "", "", 3},
		{"a redirect", 307, "", upload.ErrUnavailable, "", "", 1},
		{
			"the shape of other calls", 400,
			`{"error":{"name":"ValidationError","message":"invalid","payload":{"validationErrors":[{"path":"contentType","keyword":"format"}]}},"trackingId":"x"}`,
			upload.ErrInvalid, "ValidationError", `invalid [{"keyword":"format","path":"contentType"}]`, 1,
		},
		{
			"the other shape of other calls", 400,
			`{"message":"no","payload":{"errors":[{"type":"t","message":"m","arguments":[1]}]}}`,
			upload.ErrInvalid, "", `no [{"arguments":[1],"message":"m","type":"t"}]`, 1,
		},
		{"in OAuth2's words", 403, `{"error":"insufficient_scope","error_description":"needs more"}`, upload.ErrForbidden, "", "needs more", 1},
		{"in a problem's words", 400, `{"title":"Bad","detail":"very"}`, upload.ErrInvalid, "", "Bad", 1},
		{"a list", 400, `["no"]`, upload.ErrInvalid, "", `["no"]`, 1},
		{"other types", 400, `{"error":{"name":["a"],"message":{"b":1}},"message":null}`, upload.ErrInvalid, "", `{"error":{"name":["a"],"message":{"b":1}},"message":null}`, 1},
		{"half of a JSON text", 500, `{"error":{"na`, upload.ErrUnavailable, "", `{"error":{"na`, 3},
	} {
		t.Run(tc.what, func(t *testing.T) {
			o := newOffice()
			client := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 3 })
			o.fileUpload = says(tc.status, tc.body)
			_, err := client.Upload(t.Context(), small)
			f := failure(t, err)
			if f.Provider != "twentyfourseven" || f.Op != "fileUpload" || f.Status != tc.status || f.TraceID != "trace-1" || !errors.Is(f, tc.kind) {
				t.Errorf("%+v, want %v, the status and the trace id", f, tc.kind)
			}
			if f.Code != tc.code || f.Message != tc.message {
				t.Errorf("code %q, message %q\nwant code %q, message %q", f.Code, f.Message, tc.code, tc.message)
			}
			if n := o.count("fileUpload"); n != tc.attempts || f.Attempts != tc.attempts {
				t.Errorf("asked %d times and counted %d, want %d", n, f.Attempts, tc.attempts)
			}
			if n := o.count("presigned"); n != 0 {
				t.Error("the file was sent all the same")
			}
		})
	}
}
