package wire

import (
	"fmt"
	"io"
	"net/http"

	"github.com/putpost/putpost/wrappers/upload"
)

// errNetwork marks a failure that may pass and came before any answer, but not
// from the caller's source. It is upload.ErrUnavailable to the caller.
var errNetwork = fmt.Errorf("%w", upload.ErrUnavailable)

// roundTrip sends one request through the transport. When it returns, the
// body's sources are closed and no Read is in progress. A response beside an
// error does not count: the server may, for example, claim success before it
// has the whole body.
//
// It calls the transport and no http.Client: on a redirect, a client opens the
// body again before it asks CheckRedirect.
func (d *Doer) roundTrip(req *http.Request, body io.ReadCloser) (resp *http.Response, err error) {
	a := d.newAttemptBody(req, body)
	answered := false
	defer func() {
		if !answered { // also when a source or the transport panics
			a.finish()
			a.limits.release()
		}
	}()
	if err = a.preload(); err == nil {
		if _, streams := a.req.Body.(*stream); !streams && d.client != http.RoundTripper(d.base) {
			a.limits.startWait() // net/http's own calls onWroteRequest
		}
		resp, err = d.client.RoundTrip(a.req)
	}
	late, leak := a.limits.endWait(), a.guard.leak(resp)
	fault, whole := a.finish()
	if resp != nil {
		if resp.Request == nil { // a caller's transport may leave it out, and the body too
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
		// The server's refusal counts more than a fault of the source after it.
	case fault != nil:
		err = fault
	case late != nil:
		err = fmt.Errorf("%w: %w", errNetwork, late)
	case err != nil:
		kind := errNetwork
		if lasting(err) {
			kind = upload.ErrUnavailable
		}
		err = fmt.Errorf("%w: %w", kind, redactError(req.Context(), err, d.secrets(req, a.req)))
	case !whole && !d.api.EarlySuccess:
		err = fmt.Errorf("%w: status %d came before the whole body was sent", upload.ErrUnavailable, resp.StatusCode)
	}
	return resp, err
}
