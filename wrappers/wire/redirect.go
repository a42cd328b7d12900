package wire

import (
	"errors"
	"fmt"
	"net/http"
)

const maxRedirects = 5

// follow sends the request of one attempt. If the Doer follows redirects,
// follow sends the same request again to the Location of a 307 or 308, or of
// any redirect of a GET.
func (d *Doer) follow(x *exchange) {
	req, body := x.req, x.body
	for hops := 0; ; hops++ {
		resp, err := d.roundTrip(req, body)
		if err != nil {
			d.unanswered(x, resp, err)
			return
		}
		x.resp = resp
		if d.redirect == nil || !redirects(req.Method, resp.StatusCode) || partStored(resp) {
			return
		}
		next := *req
		next.Host, next.Header = "", req.Header.Clone()
		next.URL, err = resp.Location()
		switch {
		case err != nil:
			err = errors.New("redirect without a usable Location")
		case hops == maxRedirects:
			err = fmt.Errorf("more than %d redirects", maxRedirects)
		default:
			if err = d.redirect(req, &next); err == nil {
				body, err = rewind(req)
			}
		}
		if err != nil {
			d.understand(x)
			x.add(withoutURL(err, d.secrets(x.req, req)))
			return
		}
		resp.Body.Close()
		req = &next
	}
}

// redirects reports whether a status is a redirect that keeps the method.
func redirects(method string, status int) bool {
	switch status {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		return method == http.MethodGet
	}
	return false
}

// partStored reports whether a 308 is no redirect: Google's resumable uploads
// answer so when a part of a file is stored and the next one is expected.
func partStored(resp *http.Response) bool {
	return resp.StatusCode == http.StatusPermanentRedirect && resp.Header.Get("Location") == "" &&
		resp.Request.Header.Get("Content-Range") != ""
}

// unanswered records a round trip without a usable answer. A resp beside the
// error is an answer that does not count.
func (d *Doer) unanswered(x *exchange, resp *http.Response, err error) {
	x.resp = nil
	f := d.fail(x, ended(x.req.Context(), err))
	if resp != nil {
		f.Status, f.TraceID = resp.StatusCode, d.traceID(resp)
		resp.Body.Close()
	}
	x.mayPass = errors.Is(f, errNetwork)
}
