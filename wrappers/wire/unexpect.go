package wire

import "net/http"

// unexpect sends the request. If a 417 says that the server does not support
// "Expect: 100-continue", it sends the request once more without it.
func (d *Doer) unexpect(x *exchange) {
	d.attempt(x)
	if d.attempts > 1 && x.answered(http.StatusExpectationFailed) && x.req.Header.Get("Expect") != "" &&
		d.prepare(x, 0) {
		x.req.Header.Del("Expect")
		d.attempt(x)
	}
}
