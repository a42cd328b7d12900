package wire

import (
	"errors"
	"fmt"
	"net/http"
)

const maxRedirects = 5

// follow sends the request of one attempt. Where the Doer follows redirects, it
// sends the same body again to where a 307 or 308 leads.
func (d *Doer) follow(x *exchange) {
	req, body := x.req, x.body
	for hops := 0; ; hops++ {
		resp, err := d.roundTrip(req, body)
		if err != nil {
			d.unanswered(x, resp, err)
			return
		}
		x.resp = resp
		if d.redirect == nil || resp.StatusCode != http.StatusTemporaryRedirect && resp.StatusCode != http.StatusPermanentRedirect {
			return
		}
		to, err := resp.Location()
		switch {
		case err != nil:
			err = errors.New("redirect without a usable Location")
		case hops == maxRedirects:
			err = fmt.Errorf("more than %d redirects", maxRedirects)
		case !d.redirect(req.URL, to):
			err = fmt.Errorf("redirect to %s is refused: only https is followed", origin(to))
		default:
			if body, err = rewind(req); err == nil {
				resp.Body.Close()
				next := *req
				next.URL, next.Host, next.Header = to, "", req.Header.Clone()
				req = &next
				continue
			}
		}
		d.understand(x)
		x.add(err)
		return
	}
}

// unanswered records a round trip that gave no usable answer. A resp beside the
// error is a success that cannot be one.
func (d *Doer) unanswered(x *exchange, resp *http.Response, err error) {
	x.resp = nil
	f := d.fail(x, ended(x.req.Context(), err))
	if resp != nil {
		f.Status, f.TraceID = resp.StatusCode, d.traceID(resp)
		resp.Body.Close()
	}
	x.mayPass = errors.Is(f, errNetwork)
}
