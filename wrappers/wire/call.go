package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
)

// maxAnswer is how much of a success is read, in bytes.
const maxAnswer = 1 << 20

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
		if err = WithoutURL(err); !errors.Is(err, upload.ErrInvalid) && !errors.Is(err, upload.ErrNotReplayable) {
			err = fmt.Errorf("%w: %w", upload.ErrInvalid, err)
		}
		return "", d.fail(x, Ended(ctx, err))
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
		err = Ended(ctx, fmt.Errorf("%w: the answer broke off: %w", upload.ErrUnavailable, WithoutURL(err)))
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

// readAnswer reads a body of at most maxAnswer+1 bytes, at once where its length
// is known.
func readAnswer(resp *http.Response) ([]byte, error) {
	if n := resp.ContentLength; n > 0 && n <= maxAnswer {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
}

// traceID is the answer's, unless it repeats what the request authenticated
// with. The full redaction of failures would cost every success its time.
func (d *Doer) traceID(resp *http.Response) string {
	if d.api.TraceHeader == "" {
		return ""
	}
	id := resp.Header.Get(d.api.TraceHeader)
	for _, name := range d.api.Secret {
		_, credentials, found := strings.Cut(resp.Request.Header.Get(name), " ")
		if !found {
			credentials = resp.Request.Header.Get(name)
		}
		if len(credentials) >= shortestSecret && strings.Contains(id, credentials) {
			return Redacted
		}
	}
	return oneLine(id, 128)
}
