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

// Call sends one request of a generated client whose Doer is d. It passes the
// body of a success, at most 1 MiB, to read; a nil read ignores it. Op, the
// spec's operationId, stands in errors and log lines. Every failure is an
// [*upload.Error]. A success whose body read cannot use is a failure too. Its
// kind is the one that the API's Table gives the code in it, or else
// [upload.ErrUnavailable]. Call returns the answer's trace id.
//
// A generated client that was made without WithHTTPClient sends without a Doer.
// Its answer is then a failure unless its status is a success.
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
	if f := d.failureOf(x, resp); f != nil {
		return f.TraceID, f
	}
	traceID = d.traceID(resp)
	if read == nil {
		return traceID, nil
	}
	body, broke := readAnswer(resp)
	// One JSON value is a complete answer, even if the connection broke off
	// after it.
	whole := len(body) <= maxAnswer && (broke == nil || json.Valid(body))
	if err = read(body); err == nil && whole {
		return traceID, nil
	}
	return traceID, d.unusable(x, resp, body, broke, err)
}

// unanswerable returns the failure of an exchange whose send returned err.
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

// errBypassed is the cause of a failure that did not come from a Doer.
var errBypassed = errors.New("the request did not go through the Doer; " +
	"make the generated client with WithHTTPClient(doer)")

// failureOf returns why resp is no success, or nil. The exchange knows it if a
// Doer returned resp. Otherwise the status decides.
func (d *Doer) failureOf(x *exchange, resp *http.Response) *upload.Error {
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
