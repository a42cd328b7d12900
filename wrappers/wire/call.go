package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// Call sends one request of a generated client whose Doer is d, and gives the
// body of a success to read, at most 1 MiB of it; a nil read ignores it. Op, the
// spec's operationId, stands in errors and log lines. Every failure is an
// [*upload.Error], also that of a body that read cannot use
// ([upload.ErrUnavailable]). The trace id is the answer's.
func (d *Doer) Call(ctx context.Context, op string, read func(body []byte) error, send func(context.Context) (*http.Response, error)) (traceID string, err error) {
	x := &exchange{op: op}
	resp, err := send(context.WithValue(ctx, exchangeKey{}, x))
	if err != nil {
		if f, ok := errors.AsType[*upload.Error](err); ok {
			return f.TraceID, f
		}
		// A request editor or the generated client refused to build the request.
		if err = withoutURL(err); !errors.Is(err, upload.ErrInvalid) && !errors.Is(err, upload.ErrNotReplayable) {
			err = fmt.Errorf("%w: %w", upload.ErrInvalid, err)
		}
		return "", d.fail(x, ended(ctx, err))
	}
	defer resp.Body.Close()
	if x.failure != nil {
		return x.failure.TraceID, x.failure
	}
	traceID = d.traceID(resp)
	if read == nil {
		return traceID, nil
	}
	body, err := readAnswer(resp)
	switch {
	case err != nil:
		err = ended(ctx, fmt.Errorf("%w: the answer broke off: %w", upload.ErrUnavailable, withoutURL(err)))
	case len(body) > maxAnswer:
		err = fmt.Errorf("%w: the answer is longer than %d bytes", upload.ErrUnavailable, maxAnswer)
	default:
		if err = read(body); err == nil {
			return traceID, nil
		}
		secrets := d.secrets(x.req, resp.Request)
		// The text and not the chain: a decoder's error tells of generated types.
		err = fmt.Errorf("%w: the answer (%q, %d bytes) cannot be used: %s", upload.ErrUnavailable,
			clean(resp.Header.Get("Content-Type"), 64, secrets), len(body), clean(err.Error(), 256, secrets))
	}
	f := d.fail(x, err)
	f.Status, f.TraceID = resp.StatusCode, clean(traceID, 128, d.secrets(x.req, resp.Request))
	return f.TraceID, f
}
