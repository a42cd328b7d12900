package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// exchange is one request with all its attempts. It carries what they tell each
// other, and what they tell the code above the generated client. It travels in
// the context.
//
// A request passes these steps in this order, each in a file of its name; every
// step calls the next:
//
//	Call       above the generated client: the answer is read
//	Do         below the generated client: the configured headers
//	repeat     again after a failure that may pass
//	renew      again with other credentials after a 401
//	unexpect   again without Expect after a 417
//	attempt    credentials, the log line, and what the answer means
//	redirect   one hop after another, where redirects are followed
//	roundTrip  the transport
type exchange struct {
	context.Context // the caller's context; the exchange travels in it

	op   string
	req  *http.Request // the generated client's; no redirect changes it
	body io.ReadCloser // of the next attempt, at its first byte

	authorized bool // req has its credentials for the next attempt
	renewed    bool // the credentials were renewed once; there is no second time

	attempts int
	resp     *http.Response // the last attempt's answer; nil if there was none
	failure  *upload.Error  // why the last attempt failed; nil is a success
	mayPass  bool           // the failure may pass, and nothing is lost by sending again

	typed bool   // generated code reads the answer
	read  []byte // the body of such an answer
}

type exchangeKey struct{}

// Value implements context.Context. The Doer below the generated client gets
// the exchange by it.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// fail records a failure without an answer.
func (d *Doer) fail(x *exchange, err error) *upload.Error {
	x.failure = &upload.Error{Provider: d.api.Provider, Op: x.op, Attempts: x.attempts, Err: err}
	return x.failure
}

// answered reports whether the last attempt was answered with status.
func (x *exchange) answered(status int) bool { return x.resp != nil && x.resp.StatusCode == status }

// add joins err to the failure of the last attempt, and ends the repeating.
func (x *exchange) add(err error) {
	x.failure.Err = fmt.Errorf("%w: %w", x.failure.Err, err)
	x.mayPass = false
}

// begin returns the body of the first attempt. A body that cannot be rewound is
// sent as it is.
func begin(req *http.Request) (io.ReadCloser, error) {
	if s, ours := req.Body.(*stream); ours && !s.opened.Load() {
		return s.open()
	}
	if req.GetBody == nil {
		return req.Body, nil
	}
	return req.GetBody()
}

// rewind returns the body of a further attempt, at its first byte.
func rewind(req *http.Request) (io.ReadCloser, error) {
	if req.GetBody == nil && req.Body != nil && req.Body != http.NoBody {
		return nil, upload.ErrNotReplayable
	}
	return begin(req)
}

func closeBody(body io.Closer) {
	if body != nil {
		body.Close()
	}
}

// ended returns ctx's error with its cause. If ctx is live, it returns
// otherwise.
func ended(ctx context.Context, otherwise error) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil {
		return otherwise
	}
	if cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
