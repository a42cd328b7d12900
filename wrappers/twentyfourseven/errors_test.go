package twentyfourseven_test

import (
	"errors"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// The kit holds that the status decides, and what is repeated.
func TestErrorsOfTheAPI(t *testing.T) {
	for _, tc := range []struct {
		what    string
		status  int
		body    string
		kind    error
		code    string
		message string
	}{
		{"nothing", 400, "", upload.ErrInvalid, "", ""},
		{"a page", 502, "<html>\n<h1>Bad</h1></html>", upload.ErrUnavailable, "", "<html> <h1>Bad</h1></html>"},
		{
			"the shape of other calls", 400,
			`{"error":{"name":"ValidationError","message":"invalid","payload":{` +
				`"validationErrors":[{"path":"contentType","keyword":"format"}]}},"trackingId":"x"}`,
			upload.ErrInvalid, "ValidationError", `invalid [{"keyword":"format","path":"contentType"}]`,
		},
		{
			"the other shape of other calls", 400,
			`{"message":"no","payload":{"errors":[{"type":"t","message":"m","arguments":[1]}]}}`,
			upload.ErrInvalid, "", `no [{"arguments":[1],"message":"m","type":"t"}]`,
		},
		{"in OAuth2's words", 403, `{"error":"insufficient_scope","error_description":"needs more"}`,
			upload.ErrForbidden, "", "needs more"},
		{"in a problem's words", 400, `{"title":"Bad","detail":"very"}`, upload.ErrInvalid, "", "Bad"},
		{"a list", 400, `["no"]`, upload.ErrInvalid, "", `["no"]`},
		{"other types", 400, `{"error":{"name":["a"],"message":{"b":1}},"message":null}`, upload.ErrInvalid, "",
			`{"error":{"name":["a"],"message":{"b":1}},"message":null}`},
	} {
		t.Run(tc.what, func(t *testing.T) {
			o := newOffice()
			client := o.simple(t, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
			o.fileUpload = says(tc.status, tc.body)
			_, err := client.Upload(t.Context(), small)
			f := failure(t, err)
			if f.Provider != "twentyfourseven" || f.Op != "fileUpload" || f.Status != tc.status ||
				f.TraceID != "trace-1" || !errors.Is(f, tc.kind) {
				t.Errorf("%+v, want %v, the status and the trace id", f, tc.kind)
			}
			if f.Code != tc.code || f.Message != tc.message {
				t.Errorf("code %q, message %q\nwant code %q, message %q", f.Code, f.Message, tc.code, tc.message)
			}
			if n := o.count("presigned"); n != 0 {
				t.Error("the file was sent all the same")
			}
		})
	}
}
