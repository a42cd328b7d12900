package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

const (
	// maxErrorBody is read of an answer that is no success, and for
	// errorBodyTime it is waited for: the status is known by then, and says more.
	maxErrorBody  = 64 << 10
	errorBodyTime = 5 * time.Second

	maxRedirects = 5
)

// attempt sends req once, with body, and leaves in x what became of it. The
// response is returned if there was one; again says whether the failure may pass.
func (d *Doer) attempt(req *http.Request, body io.ReadCloser, x *exchange) (resp *http.Response, again bool) {
	ctx, begin := req.Context(), time.Now()
	x.failure = nil
	if resp, again = d.send(req, body, x); resp != nil && resp.StatusCode/100 != 2 && x.failure == nil {
		again = d.understand(resp, x)
	}
	refused := resp != nil && resp.StatusCode == http.StatusTooManyRequests // so nothing was done
	again = again && (d.api.Repeatable || refused || req.Method != http.MethodPost && req.Method != http.MethodPatch)
	if d.logger.Enabled(ctx, slog.LevelDebug) {
		var outcome slog.Attr
		if resp != nil {
			outcome = slog.Int("status", resp.StatusCode)
		} else {
			outcome = slog.String("error", x.failure.Error())
		}
		d.logger.LogAttrs(ctx, slog.LevelDebug, "attempt", slog.String("provider", d.api.Provider), slog.String("op", x.op), slog.Int("attempt", x.attempts),
			slog.String("method", req.Method), slog.String("host", req.URL.Host), slog.Duration("took", time.Since(begin)), outcome)
	}
	return resp, again
}

// send is one attempt up to the answer's header, redirects included.
func (d *Doer) send(req *http.Request, body io.ReadCloser, x *exchange) (_ *http.Response, again bool) {
	if d.Authorize != nil && !x.authorized {
		if err := d.Authorize(req); err != nil {
			closeBody(body)
			d.refusedCredentials(req, x, err)
			return nil, false
		}
	}
	x.authorized = false
	for hops := 0; ; hops++ {
		resp, err := d.roundTrip(req, body)
		if err != nil {
			f := d.fail(x, Ended(req.Context(), err))
			if resp != nil {
				f.Status, f.TraceID = resp.StatusCode, d.traceID(resp)
				resp.Body.Close()
			}
			return nil, errors.Is(f, errNetwork)
		}
		if d.redirect == nil || resp.StatusCode != http.StatusTemporaryRedirect && resp.StatusCode != http.StatusPermanentRedirect {
			return resp, false
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
		d.understand(resp, x)
		x.failure.Err = fmt.Errorf("%w: %w", x.failure.Err, err)
		return resp, false
	}
}

// refusedCredentials passes on what the token call said, an exchange with
// attempts of its own.
func (d *Doer) refusedCredentials(req *http.Request, x *exchange, err error) {
	f, ok := errors.AsType[*upload.Error](err)
	if !ok {
		d.fail(x, Ended(req.Context(), WithoutURL(err)))
		return
	}
	own := *f // the token call's failure may be that of many callers at once
	x.failure = &own
}

// errNetwork marks a failure that came before any answer, and not from the
// caller's own source. It is upload.ErrUnavailable to the caller.
var errNetwork = fmt.Errorf("%w", upload.ErrUnavailable)

// roundTrip gives the transport one request. When it returns, the body's sources
// are closed and no Read goes on. An error beside a response is that of a success
// which cannot be one.
//
// It calls the transport and not an http.Client, which would open the body a
// second time to follow a redirect, before it asks whether to follow it.
func (d *Doer) roundTrip(req *http.Request, body io.ReadCloser) (resp *http.Response, err error) {
	ctx, release := d.bound(req.Context())
	l := lend(ctx, req, body)
	defer l.finish() // also when a source panics
	if err = l.preload(); err == nil {
		resp, err = d.client.RoundTrip(l.req)
	}
	if resp != nil && resp.Request == nil { // a transport of the caller's need not say
		resp.Request = l.req
	}
	fault, whole := l.finish()
	switch {
	case err == nil && resp.StatusCode/100 != 2:
		// What the server said counts more than what the source did after it.
	case fault != nil:
		err = fault
	case err != nil:
		err = fmt.Errorf("%w: %w", errNetwork, WithoutURL(err, d.secrets(req, l.req)...))
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

// bound is ctx with the time limit of the caller's http.Client, which holds
// until the answer's body is closed.
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

// understand makes a failure of an answer that is no success, by the API's
// table, and leaves the response's body as if unread.
func (d *Doer) understand(resp *http.Response, x *exchange) (again bool) {
	answer := Answer{Status: resp.StatusCode, Header: resp.Header, Body: peek(resp)}
	f := &upload.Error{
		Provider: d.api.Provider, Op: x.op, Attempts: x.attempts,
		Status:     resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
		TraceID:    d.traceID(resp),
	}
	if d.api.Read != nil {
		f.Code, f.Message = d.api.Read(answer)
	}
	f.Err, again = d.api.Table.Meaning(f.Status, f.Code, f.Message)
	if f.Code == "" && f.Message == "" {
		f.Message = string(answer.Body)
		if to, err := resp.Location(); err == nil && f.Status/100 == 3 {
			f.Message = fmt.Sprintf("redirect to %s, which is not followed", origin(to))
		}
	}
	secrets := d.secrets(x.req, resp.Request)
	f.Code, f.Message, f.TraceID = clean(f.Code, 64, secrets), clean(f.Message, 256, secrets), clean(f.TraceID, 128, secrets)
	x.failure = f
	return again
}

// origin is what may be shown of an address.
func origin(u *url.URL) string { return oneLine(u.Scheme+"://"+u.Host, 128) }

// peek reads the beginning of a body and puts it back. A body that does not
// come in time is left where it is.
func peek(resp *http.Response) (answer []byte) {
	tooSlow := time.AfterFunc(errorBodyTime, func() { resp.Body.Close() })
	defer tooSlow.Stop()
	var head bytes.Buffer
	if n, _ := io.CopyN(&head, resp.Body, maxErrorBody); n == maxErrorBody {
		defer func() { answer = answer[:bytes.LastIndexAny(answer, " \t\r\n<>\"'")+1] }() // it may end in the middle of a secret
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head.Bytes()), resp.Body), resp.Body}
	return head.Bytes()
}

// retryAfter reads the header's two forms, seconds and date. What is past,
// negative or no such thing is 0.
func retryAfter(value string) time.Duration {
	if value == "" {
		return 0
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(max(0, min(seconds, 1<<31))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
