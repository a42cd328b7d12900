package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
)

// Presigned sends files to the URLs that an API answers with. It takes every
// store alike (S3, Google Cloud Storage, Azure, R2, or a home-made one): any
// 2xx is success. It sends Content-Type, Content-Length, User-Agent, the
// headers that the API handed out with the URL, for Azure its blob type, and
// from 1 MiB up Expect. It sends no credentials of the API.
type Presigned struct {
	doer   *Doer
	secure bool // the API is reached over https
}

// Presigned returns the presigned step that follows a call of d's API. It has
// the same configuration, but sends none of the configured headers. If the API
// is reached over https, a presigned URL must be https too.
func (d *Doer) Presigned() *Presigned {
	doer := *d
	doer.api = API{
		Provider:   d.api.Provider,
		Secret:     d.api.Secret,
		Table:      storeTable,
		Read:       readStoreError,
		Repeatable: true,
	}
	doer.header = http.Header{"User-Agent": {d.agent}}
	doer.redirect = nextStore
	_, bare := d.client.(*http.Transport) // it adds no header of its own
	doer.guarded = !bare
	return &Presigned{doer: &doer, secure: strings.HasPrefix(d.BaseURL, "https:")}
}

// Err returns an error if no file can be sent because HTTPClient adds
// credentials to every request, and the presigned URL's host must not get them.
// [Presigned.Send] returns it too. If a RoundTripper hides that it adds
// credentials, Send closes the connection before the header is sent.
func (p *Presigned) Err() error {
	if !p.doer.authorizes {
		return nil
	}
	err := fmt.Errorf("%w: HTTPClient has an oauth2.Transport. "+
		"It would give the API's token to the presigned URL's host; "+
		"give the token source to New, and an HTTPClient without it", upload.ErrInvalid)
	return p.doer.fail(&exchange{op: upload.OpPresigned}, err)
}

// Target is where an API wants the bytes, as its answer says.
type Target struct {
	Method string      // PUT or POST, in any case
	URL    string      // it is used exactly as it is
	Header http.Header // headers to send along; nil where the answer has none
}

// Send sends body, a [Raw] one, to the target. The content type is the target's
// if it has one. Otherwise it is the body's, and the API must have been told
// the same one. Send returns the headers of the store's answer, such as the
// ETag.
//
// A target that cannot be used is [upload.ErrUnavailable], since the API's
// answer is at fault. A URL that has run out is [upload.ErrExpired].
//
// A redirect with status 307 or 308 is followed, and the body is sent again. A
// 308 without a Location is a success if the target's Header has a
// Content-Range: Google's resumable uploads ask for the next part that way.
func (p *Presigned) Send(ctx context.Context, to Target, body *Body) (http.Header, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	method := strings.ToUpper(to.Method)
	target, err := p.check(to.URL)
	switch {
	case method != http.MethodPut && method != http.MethodPost:
		err = errors.New("the upload method is neither PUT nor POST")
	case err == nil:
		for name, values := range to.Header {
			err = cmp.Or(err, checkField(name, values))
		}
	}
	if err != nil {
		return nil, p.refuse(err)
	}
	var answer http.Header
	_, err = p.doer.Call(ctx, upload.OpPresigned, nil, func(ctx context.Context) (*http.Response, error) {
		req := newRequest(ctx, method, target)
		if err := body.Edit(ctx, req); err != nil {
			return nil, err
		}
		for name, values := range to.Header {
			if !framing(name) {
				req.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
			}
		}
		setBlobType(req)
		resp, err := p.doer.Do(req)
		if err == nil {
			answer = resp.Header
		}
		return resp, err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// refuse makes a failure of a target that cannot be used.
func (p *Presigned) refuse(why error) *upload.Error {
	f := p.doer.fail(&exchange{op: upload.OpPresigned}, fmt.Errorf("%w: %w", upload.ErrUnavailable, why))
	f.Lasting = true
	return f
}

// check parses a URL and refuses one that cannot be sent exactly as it was
// given. Its errors stop before the query.
func (p *Presigned) check(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	unfit := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the presigned URL is no http or https URL")
	case strings.ContainsFunc(raw, unfit) || strings.ContainsFunc(u.Host, unfit): // a host may be percent-encoded
		return nil, errors.New("the presigned URL holds characters that cannot be sent as they are")
	case u.Scheme == "http" && p.secure:
		return nil, fmt.Errorf("the presigned URL on %s is plain http, although the API is https", u.Host)
	case u.User != nil:
		return nil, fmt.Errorf("the presigned URL on %s holds user info", u.Host)
	case u.Fragment != "" || u.String() != raw || strings.HasSuffix(u.Host, ":"),
		!strings.HasPrefix(raw, u.Scheme+"://"+u.Host): // a host with a zone is not sent as it stands
		return nil, fmt.Errorf("the presigned URL on %s cannot be sent as it was given", u.Host)
	}
	return u, nil
}

// newRequest makes a request to an address that need not be parsed again.
func newRequest(ctx context.Context, method string, to *url.URL) *http.Request {
	req := &http.Request{Method: method, URL: to, Host: to.Host, Header: http.Header{}}
	req.Proto, req.ProtoMajor, req.ProtoMinor = "HTTP/1.1", 1, 1 // as net/http makes it
	return req.WithContext(ctx)
}

// framing reports whether a header says how a request is sent. Such headers
// follow from the body, whatever the API hands out.
func framing(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length", "Host", "Connection", "Transfer-Encoding", "Trailer", "Te", "Expect":
		return true
	}
	return false
}

// nextStore prepares the request of the next hop, or returns why it is not
// sent. Each hop is checked by itself: it may be another vendor's.
func nextStore(from *http.Request, next *http.Request) error {
	to := next.URL
	safe := to.Scheme == "https" || to.Scheme == "http" && from.URL.Scheme == "http"
	if !safe || to.Hostname() == "" || to.User != nil {
		return fmt.Errorf("redirect to %s is refused: only https is followed", origin(to))
	}
	if to.Hostname() != from.URL.Hostname() { // the API handed them out for the first host
		next.Header.Del("Authorization")
		next.Header.Del("Cookie")
	}
	if azure(from.URL) {
		next.Header.Del(blobType)
	}
	setBlobType(next)
	return nil
}

const blobType = "X-Ms-Blob-Type"

// setBlobType adds the header that only Azure asks for.
func setBlobType(req *http.Request) {
	if azure(req.URL) && req.Header.Get(blobType) == "" {
		req.Header.Set(blobType, "BlockBlob")
	}
}

// azure reports whether u is a shared access signature, by its host or by the
// two parameters that each has.
func azure(u *url.URL) bool {
	has := func(name string) bool { return strings.Contains("&"+u.RawQuery, "&"+name+"=") }
	return strings.HasSuffix(u.Hostname(), ".blob.core.windows.net") || has("sig") && has("sv")
}
