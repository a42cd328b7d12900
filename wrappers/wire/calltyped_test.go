package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func says(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Trace-Id", "trace-1")
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

const list = `{"tempRequestId":"t-1","files":[{"fileName":"a","fileSize":1,"fileId":"f-1"}]}`

// breaking breaks the connection off before all that it announced is sent.
func breaking(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+1))
		says(201, "application/json", body)(w, r)
	}
}

func TestTypedAnswerAndErrorFromOneCall(t *testing.T) {
	blanks := strings.Repeat(" ", 1<<20)
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		typed  bool // the answer is there
		kind   error
		status int
	}{
		{"a success", says(201, "application/json", list), true, nil, 0},
		{"a refusal", says(400, "application/json", `{"error":{"errorCode":"77102","message":"bad"}}`), true,
			upload.ErrInvalid, 400},
		{"a refusal that is no JSON", says(403, "application/json", `<html>`), false, upload.ErrForbidden, 403},
		{"a refusal that is longer than is read", says(400, "application/json", blanks+`{}`), false,
			upload.ErrInvalid, 400},
		{"a failure that is repeated", says(503, "text/plain", `down`), true, upload.ErrUnavailable, 503},
		{"a success that is no JSON", says(201, "application/json", `<html>`), false, upload.ErrUnavailable, 201},
		{"a success that breaks off", breaking(list[:9]), false, upload.ErrUnavailable, 201},
		{"a success that breaks off behind its JSON", breaking(list), true, nil, 0},
		{"one with a byte order mark that breaks off there", breaking("\xef\xbb\xbf" + list), true, nil, 0},
		{"a success as long as is read", says(201, "application/json", list+blanks[len(list):]), true, nil, 0},
		{"a longer success", says(201, "application/json", list+blanks), true, upload.ErrUnavailable, 201},
		{"a success without end", says(201, "application/json", `"`+strings.Repeat("x", 2<<20)), false,
			upload.ErrUnavailable, 201},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, d := serve(t, wire.API{Repeatable: true, TraceHeader: "X-Trace-Id"}, upload.Config{}, tt.answer)
			client, err := api.NewClientWithResponses(d.BaseURL, api.WithHTTPClient(d))
			must(t, err)
			form := wire.Form("fileList", upload.Bytes("a", []byte("x")))
			got, err := wire.CallTyped(t.Context(), d, "createFile",
				func(ctx context.Context) (*api.CreateFileResult, error) {
					return client.CreateFileWithBodyWithResponse(ctx, form.ContentType, nil, form.Edit)
				})
			f, _ := errors.AsType[*upload.Error](err)
			if !errors.Is(err, tt.kind) || (f != nil) != (tt.kind != nil) {
				t.Fatalf("error %v, want %v", err, tt.kind)
			}
			if f != nil && (f.Status != tt.status || f.Op != "createFile" || f.TraceID != "trace-1") {
				t.Errorf("%+v, want status %d, operation and trace id", f, tt.status)
			}
			if passes := tt.name == "a success that breaks off"; f != nil && tt.status == 201 && f.Lasting == passes {
				t.Errorf("it lasts: %t", f.Lasting)
			}
			if tt.typed != (got != nil) {
				t.Errorf("the typed answer is there: %t", got != nil)
			}
			if got != nil && got.StatusCode()/100 != 2 && f == nil {
				t.Errorf("the typed answer is %v", got)
			}
			if tt.kind == nil && got.JSON201.Files[0].FileID != "f-1" {
				t.Errorf("got %+v", got.JSON201)
			}
		})
	}
}

// A generated client that was made without the Doer does not turn refusals into
// errors.
func TestAnswerThatDidNotComeByTheDoerIsNoSuccessUnlessItSaysSo(t *testing.T) {
	for code, want := range map[int]error{201: nil, 500: upload.ErrUnavailable, 401: upload.ErrUnauthorized,
		302: upload.ErrUnavailable} {
		_, d := serve(t, wire.API{TraceHeader: "X-Trace-Id"}, upload.Config{}, says(code, "application/json", list))
		other := newDoer(t, wire.API{Provider: "other"}, upload.Config{BaseURL: d.BaseURL})
		for name, doer := range map[string]api.HttpRequestDoer{
			"none": nil, "another": other, "one in a wrapper": wrapped{d}, "a wrapper that copies answers": copying{d},
		} {
			opts := []api.ClientOption{}
			if doer != nil {
				opts = append(opts, api.WithHTTPClient(doer))
			}
			client, err := api.NewClientWithResponses(d.BaseURL, opts...)
			must(t, err)
			form := wire.Form("fileList", upload.Bytes("a", []byte("x")))
			_, call := d.Call(t.Context(), "createFile", nil, func(ctx context.Context) (*http.Response, error) {
				return client.CreateFileWithBody(ctx, form.ContentType, nil, form.Edit)
			})
			_, typed := wire.CallTyped(t.Context(), d, "createFile",
				func(ctx context.Context) (*api.CreateFileResult, error) {
					return client.CreateFileWithBodyWithResponse(ctx, form.ContentType, nil, form.Edit)
				})
			for i, err := range []error{call, typed} {
				if f, _ := errors.AsType[*upload.Error](err); !errors.Is(err, want) || f != nil && f.Status != code ||
					(f == nil) != (want == nil) {
					t.Errorf("typed: %t, Doer: %s, status %d: %v, want %v", i == 1, name, code, err, want)
				}
			}
		}
	}
}

type wrapped struct{ *wire.Doer }

func (w wrapped) Do(req *http.Request) (*http.Response, error) { return w.Doer.Do(req) }

type copying struct{ *wire.Doer }

func (c copying) Do(req *http.Request) (*http.Response, error) {
	resp, err := c.Doer.Do(req.WithContext(context.WithoutCancel(req.Context())))
	if err != nil {
		return nil, err
	}
	other := *resp
	return &other, nil
}

func TestSendThatReturnsNothing(t *testing.T) {
	_, d := serve(t, wire.API{}, upload.Config{}, status(201))
	if _, err := d.Call(t.Context(), "op", nil,
		func(context.Context) (*http.Response, error) { return nil, nil }); !errors.Is(err, upload.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}
