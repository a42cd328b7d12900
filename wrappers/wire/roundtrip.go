package wire

import (
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// errNetwork marks a failure that came before any answer, not from the caller's
// own source, and that may pass. It is upload.ErrUnavailable to the caller.
var errNetwork = fmt.Errorf("%w", upload.ErrUnavailable)

// roundTrip gives the transport one request. When it returns, the body's
// sources are closed and no Read goes on. If it returns both a response and an
// error, the server claims a success that cannot be one.
//
// It calls the transport and not an http.Client, which would open the body a
// second time to follow a redirect, before it asks whether to follow it.
func (d *Doer) roundTrip(req *http.Request, body io.ReadCloser) (resp *http.Response, err error) {
	a := d.newAttemptBody(req, body)
	defer a.finish() // also when a source or the transport panics
	answered := false
	defer func() {
		if !answered {
			a.limits.release()
		}
	}()
	if err = a.preload(); err == nil {
		if _, streams := a.req.Body.(*stream); !streams && d.client != http.RoundTripper(d.base) {
			a.limits.sent() // net/http's own says so itself
		}
		resp, err = d.client.RoundTrip(a.req)
	}
	late, leak := a.limits.heard(), a.guard.verdict(resp)
	fault, whole := a.finish()
	if resp != nil {
		if resp.Request == nil { // a transport of the caller's need not say, nor have a body
			resp.Request = a.req
		}
		if resp.Body == nil {
			resp.Body = http.NoBody
		}
		if a.limits != nil {
			a.limits.ReadCloser, resp.Body = resp.Body, a.limits
		}
		uncompress(resp)
		answered = true
	}
	if p, ok := fault.(*sourcePanic); ok {
		if resp != nil {
			resp.Body.Close()
		}
		p.rethrow() // where the caller can recover it
	}
	switch {
	case leak != nil:
		err = leak
	case err == nil && late == nil && resp.StatusCode/100 != 2:
		// What the server said counts more than what the source did after it.
	case fault != nil:
		err = fault
	case late != nil:
		err = fmt.Errorf("%w: %w", errNetwork, late)
	case err != nil:
		kind := errNetwork
		if lasting(err) {
			kind = upload.ErrUnavailable
		}
		err = fmt.Errorf("%w: %w", kind, foreign(req.Context(), err, d.secrets(req, a.req)))
	case !whole && !d.api.EarlySuccess:
		err = fmt.Errorf("%w: status %d came before the whole body was sent", upload.ErrUnavailable, resp.StatusCode)
	}
	return resp, err
}
