package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// Call sends one request of a generated client whose Doer is d, and gives the
// body of a success to read, at most 1 MiB of it; a nil read ignores it. Op, the
// spec's operationId, stands in errors and log lines. Every failure is an
// [*upload.Error]. So is a success whose body read cannot use: it means what the
// API's Table says of the code in it, and otherwise [upload.ErrUnavailable]. The
// trace id is the answer's.
func (d *Doer) Call(ctx context.Context, op string, read func(body []byte) error, send func(context.Context) (*http.Response, error)) (traceID string, err error) {
	x := &exchange{Context: ctx, op: op}
	resp, err := send(x)
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
	body, broke := readAnswer(resp)
	// One JSON value is a whole answer, also where the connection broke off after it.
	whole := len(body) <= maxAnswer && (broke == nil || json.Valid(body))
	if err = read(body); err == nil && whole {
		return traceID, nil
	}
	return traceID, d.unusable(x, resp, body, broke, err)
}
