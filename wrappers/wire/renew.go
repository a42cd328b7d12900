package wire

import "net/http"

// renew sends the request, and once more with other credentials where a 401
// refused the first and the API can renew them.
func (d *Doer) renew(x *exchange) {
	d.unexpect(x)
	if !x.answered(http.StatusUnauthorized) || d.api.Renew == nil || x.renewed {
		return
	}
	x.renewed = true
	x.req.Header = x.req.Header.Clone() // the refused attempt's may still be being written
	other, err := d.api.Renew(x.req)
	switch {
	case err != nil:
		x.add(credentialsError(x.req.Context(), err))
	case !other || d.attempts == 1:
		x.mayPass = false
	case d.prepare(x, 0):
		x.authorized = true
		d.unexpect(x)
	}
}
