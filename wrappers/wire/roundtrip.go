package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// errNetwork marks a failure that came before any answer, and not from the
// caller's own source. It is upload.ErrUnavailable to the caller.
var errNetwork = fmt.Errorf("%w", upload.ErrUnavailable)

// roundTrip gives the transport one request. When it returns, the body's sources
// are closed and no Read goes on. If it returns both a response and an error,
// the server claims a success that cannot be one.
//
// It calls the transport and not an http.Client, which would open the body a
// second time to follow a redirect, before it asks whether to follow it.
func (d *Doer) roundTrip(req *http.Request, body io.ReadCloser) (resp *http.Response, err error) {
	ctx, release := d.bound(req.Context())
	a := newAttemptBody(ctx, req, body)
	defer a.finish() // also when a source panics
	if err = a.preload(); err == nil {
		resp, err = d.client.RoundTrip(a.req)
	}
	if resp != nil && resp.Request == nil { // a transport of the caller's need not say
		resp.Request = a.req
	}
	fault, whole := a.finish()
	if p, ok := fault.(*sourcePanic); ok {
		release()
		if resp != nil {
			resp.Body.Close()
		}
		panic(p.value) // where the caller can recover it
	}
	switch {
	case err == nil && resp.StatusCode/100 != 2:
		// What the server said counts more than what the source did after it.
	case fault != nil:
		err = fault
	case err != nil:
		err = fmt.Errorf("%w: %w", errNetwork, withoutURL(err, d.secrets(req, a.req)...))
	case !whole:
		err = fmt.Errorf("%w: status %d came before the whole body was sent", upload.ErrUnavailable, resp.StatusCode)
	}
	if resp == nil {
		release()
	} else if d.timeout > 0 {
		resp.Body = &releasing{resp.Body, release}
	}
	return resp, err
}

// bound returns ctx with the time limit of the caller's http.Client. The limit
// holds until release is called, which closing the answer's body does.
func (d *Doer) bound(ctx context.Context) (_ context.Context, release func()) {
	if d.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.timeout)
}

type releasing struct {
	io.ReadCloser
	release func()
}

func (r *releasing) Close() error {
	defer r.release()
	return r.ReadCloser.Close()
}
