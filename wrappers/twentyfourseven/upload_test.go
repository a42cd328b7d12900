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

// If the answer of fileUpload cannot be used, the file is sent nowhere, and the
// call is not repeated. FuzzFileID holds what a fileId may be.
func TestTicketThatCannotBeUsedIsRefused(t *testing.T) {
	const id = `"fileId":"1"`
	o := newOffice()
	client := o.simple(t)
	url := fmt.Sprintf(`"uploadUrl":"%s/upload/1?signature=ticket-secret"`, o.base)
	const method = `"uploadMethod":"PUT"`
	for what, body := range map[string]string{
		"no fileId":               `{` + method + `,` + url + `}`,
		"no method":               `{` + url + `,` + id + `}`,
		"an empty method":         `{"uploadMethod":"",` + url + `,` + id + `}`,
		"a number for the method": `{"uploadMethod":7,` + url + `,` + id + `}`,
		"no address":              `{` + method + `,` + id + `}`,
		"an empty address":        `{` + method + `,"uploadUrl":"",` + id + `}`,
		"a null for the address":  `{` + method + `,"uploadUrl":null,` + id + `}`,
		"a list":                  `[` + id + `]`,
		"null":                    `null`,
		"nothing":                 ``,
		"HTML":                    `<html>ticket-secret</html>`,
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

func TestFailureShowsNoTokenThatComesBackAsAFileID(t *testing.T) {
	for _, id := range []string{`"static-token"`, `"id-STATIC-TO"`, `"x\nstatic-token"`, `"` +
		strings.Repeat("9", 1000) + `\n"`} {
		o := newOffice()
		client := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
		o.fileUpload = o.ticket(id)
		o.presigned = says(http.StatusForbidden, "")
		_, err := client.Upload(t.Context(), small)
		text := failure(t, err).Error()
		if low := strings.ToLower(text); strings.Contains(low, "static-t") || strings.Contains(low, "\n") ||
			len(text) > 300 {
			t.Errorf("%s: %s", id, text)
		}
	}
}
