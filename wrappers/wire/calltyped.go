package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// CallTyped is [Doer.Call] for the methods of a generated client whose names
// end in WithResponse. It returns their typed answer, and an [*upload.Error]
// beside it where the answer is no success:
//
//	type result = api.CreateDocumentResult
//	resp, err := wire.CallTyped(ctx, doer, "createDocument", func(ctx context.Context) (*result, error) {
//		return client.CreateDocumentWithBodyWithResponse(ctx, form.ContentType, nil, form.Edit)
//	})
//
// A success that the generated code cannot parse is an *upload.Error too, with
// its status and trace id. At most 1 MiB of an answer is read.
func CallTyped[T any](ctx context.Context, d *Doer, op string, send func(context.Context) (T, error)) (T, error) {
	x := &exchange{Context: ctx, op: op, typed: true}
	answer, err := send(x)
	switch {
	case x.resp != nil && x.failure != nil:
		return answer, x.failure
	case x.resp != nil && err != nil:
		return answer, d.unusable(x, x.resp, x.read, nil, err)
	case err != nil:
		return answer, d.unanswerable(x, err)
	case x.resp == nil:
		return answer, d.bypassed(x, answer)
	}
	return answer, nil
}

// bypassed returns the failure of a typed answer that did not come from a Doer,
// unless its status is a success.
func (d *Doer) bypassed(x *exchange, answer any) error {
	status := 0
	if a, ok := answer.(interface{ StatusCode() int }); ok {
		status = a.StatusCode()
	}
	if status/100 == 2 {
		return nil
	}
	kind, mayPass := d.api.Table.Meaning(status, "", "")
	f := d.fail(x, fmt.Errorf("%w: %w", kind, errBypassed))
	f.Status, f.Lasting = status, !mayPass
	return f
}

// readAhead reads the answer to a typed call, at most maxAnswer bytes.
// Generated code reads without a limit, but from memory then.
func (d *Doer) readAhead(x *exchange) {
	if x.failure != nil {
		x.resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(x.resp.Body, maxAnswer), x.resp.Body}
		return
	}
	body, broke := readAnswer(x.resp)
	x.resp.Body.Close()
	x.resp.Body = io.NopCloser(bytes.NewReader(body))
	x.read = body
	if len(body) > maxAnswer || broke != nil && !json.Valid(body) {
		x.failure = d.unusable(x, x.resp, body, broke, nil)
	}
}
