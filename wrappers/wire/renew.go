package wire

import "net/http"

// renew sends the request. If the answer is a 401 and the API can renew the
// credentials, it sends the request once more with these.
func (d *Doer) renew(x *exchange) {
	d.unexpect(x)
	if !x.answered(http.StatusUnauthorized) || d.api.Renew == nil || x.renewed {
		return
	}
	x.renewed = true
	x.req.Header = x.req.Header.Clone() // the transport may still write the old one
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
