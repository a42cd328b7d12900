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

// ticket returns a handler of fileUpload. Its answer has fileID as the JSON of
// the fileId.
func (o *office) ticket(fileID string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Trace-Id", "trace-1")
		fmt.Fprintf(w, `{"uploadMethod":"PUT","uploadUrl":"%s/upload/1","fileId":%s}`, o.base, fileID)
	}
}

// The provider declares a string, but shows an integer.
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
		`67890.0`:                        "67890",
		`6.789e4`:                        "67890",
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

// If the answer of fileUpload cannot be used, the file is sent nowhere, and the
// call is not repeated.
func TestTicketThatCannotBeUsedIsRefused(t *testing.T) {
	const id = `"fileId":"1"`
	o := newOffice()
	client := o.simple(t)
	url := fmt.Sprintf(`"uploadUrl":"%s/upload/1?signature=ticket-secret"`, o.base)
	const method = `"uploadMethod":"PUT"`
	for what, body := range map[string]string{
		"a null for the fileId":    `{` + method + `,` + url + `,"fileId":null}`,
		"a float for the fileId":   `{` + method + `,` + url + `,"fileId":1.5}`,
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
		"too much of it": `{` + method + `,` + url + `,` + id + `,"more":"` + strings.Repeat("x",
			1<<20) + `"}`,
	} {
		t.Run(what, func(t *testing.T) {
			before := o.count("fileUpload")
			o.fileUpload = says(http.StatusOK, body)
			var opened int
			src := small
			src.Open = func() (io.ReadCloser, error) { opened++; return small.Open() }
			res, err := client.Upload(t.Context(), src)
			f := failure(t, err)
			if !errors.Is(f, upload.ErrUnavailable) || f.Op != "fileUpload" || f.Status != 200 ||
				f.TraceID != "trace-1" || f.Attempts != 1 {
				t.Errorf("%+v, want upload.ErrUnavailable with status and trace id after one attempt", f)
			}
			if text := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(text, "ticket-secret") || len(text) > 2000 {
				t.Errorf("%s shows the answer", text)
			}
			if res != (upload.Result{}) || opened != 0 || o.count("presigned") != 0 ||
				o.count("fileUpload") != before+1 {
				t.Errorf("%+v, opened %d times, sent %d times, asked %d times", res, opened, o.count("presigned"),
					o.count("fileUpload")-before)
			}
		})
	}
}

// The bytes may have arrived although their answer was lost or is a refusal.
// The caller can then ask for the status of the fileId.
func TestFailureAfterTheFileIDNamesIt(t *testing.T) {
	o := newOffice()
	client := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
	o.fileUpload = o.ticket(`67890`)
	o.presigned = says(http.StatusInternalServerError, "")
	_, err := client.Upload(t.Context(), small)
	if f := failure(t, err); f.Op != "presigned" || !strings.Contains(f.Error(), `fileId "67890"`) ||
		!errors.Is(f, upload.ErrUnavailable) {
		t.Errorf("%v, want the failure of the presigned step with the fileId", f)
	}
}

func TestFailureShowsNoTokenThatComesBackAsAFileID(t *testing.T) {
	for _, id := range []string{`"static-token"`, `"id-STATIC-TO"`, `"x\nstatic-token"`, `"` +
		strings.Repeat("9", 1000) + `\n"`} {
		o := newOffice()
		client := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
		o.fileUpload = o.ticket(id)
		o.presigned = says(http.StatusForbidden, "")
		_, err := client.Upload(t.Context(), small)
		text := failure(t, err).Error()
		if low := strings.ToLower(text); strings.Contains(low, "static-t") || strings.Contains(low, "\n") || len(text) > 300 {
			t.Errorf("%s: %s", id, text)
		}
	}
}
