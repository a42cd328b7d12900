package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/putpost/putpost/wrappers/upload"
)

// Call sends one request of a generated client whose Doer is d, and gives the
// body of a success to read, at most 1 MiB of it; a nil read ignores it. Op,
// the spec's operationId, stands in errors and log lines. Every failure is an
// [*upload.Error]. So is a success whose body read cannot use: it means what
// the API's Table says of the code in it, and otherwise
// [upload.ErrUnavailable]. The trace id is the answer's.
//
// An answer that did not come by way of a Doer, because the generated client
// was made without WithHTTPClient, is a failure as well if it is no success.
func (d *Doer) Call(
	ctx context.Context, op string, read func(body []byte) error, send func(context.Context) (*http.Response, error),
) (traceID string, err error) {
	x := &exchange{Context: ctx, op: op}
	resp, err := send(x)
	if err != nil {
		f := d.unanswerable(x, err)
		return f.TraceID, f
	}
	if resp == nil {
		return "", d.fail(x, fmt.Errorf("%w: send returned neither a response nor an error", upload.ErrInvalid))
	}
	defer resp.Body.Close()
	if f := d.verdict(x, resp); f != nil {
		return f.TraceID, f
	}
	traceID = d.traceID(resp)
	if read == nil {
		return traceID, nil
	}
	body, broke := readAnswer(resp)
	// One JSON value is a whole answer, also where the connection broke off after
	// it.
	whole := len(body) <= maxAnswer && (broke == nil || json.Valid(body))
	if err = read(body); err == nil && whole {
		return traceID, nil
	}
	return traceID, d.unusable(x, resp, body, broke, err)
}

// unanswerable returns the failure of an exchange of which send returned err.
func (d *Doer) unanswerable(x *exchange, err error) *upload.Error {
	if f, ok := errors.AsType[*upload.Error](err); ok {
		return f
	}
	ue, _ := errors.AsType[*url.Error](err)
	err = withoutURL(err, nil)
	switch {
	case errors.Is(err, upload.ErrInvalid) || errors.Is(err, upload.ErrNotReplayable):
	case ue != nil && ue.Op != "parse": // from an http.Client, and not from a Doer
		err = fmt.Errorf("%w: %w: %w", upload.ErrUnavailable, errBypassed, err)
	default: // a request editor or the generated client refused to build the request
		err = fmt.Errorf("%w: %w", upload.ErrInvalid, err)
	}
	return d.fail(x, ended(x.Context, err))
}

// errBypassed says why nothing of a Doer's work was done.
var errBypassed = errors.New("the request did not go through the Doer; " +
	"make the generated client with WithHTTPClient(doer)")

// verdict returns why resp is no success, or nil. A Doer knows that of the
// answers that it returned. Of any other the status decides.
func (d *Doer) verdict(x *exchange, resp *http.Response) *upload.Error {
	if x.resp == resp {
		return x.failure
	}
	x.resp, x.failure = resp, nil
	if resp.Request == nil {
		resp.Request = &http.Request{Header: http.Header{}, URL: &url.URL{}}
	}
	if resp.StatusCode/100 == 2 {
		return nil
	}
	mayPass := d.understand(x)
	x.failure.Lasting = !mayPass
	return x.failure
}
