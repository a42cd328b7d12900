package wire

import "net/http"

// unexpect sends the request, and once more without "Expect: 100-continue"
// where a 417 says that the server does not know it.
func (d *Doer) unexpect(x *exchange) {
	d.attempt(x)
	if d.attempts > 1 && x.answered(http.StatusExpectationFailed) && x.req.Header.Get("Expect") != "" && d.prepare(x, 0) {
		x.req.Header.Del("Expect")
		d.attempt(x)
	}
}
