package wire

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// attempt sends the request once, with credentials of its own. It leaves the
// outcome in x: the answer, the failure, and whether the failure may pass.
func (d *Doer) attempt(x *exchange) {
	began := time.Now()
	x.attempts++
	x.resp, x.failure, x.mayPass = nil, nil, false
	if d.authorize(x) {
		d.follow(x)
		if x.resp != nil && x.resp.StatusCode/100 != 2 && x.failure == nil &&
			(d.redirect == nil || !partStored(x.resp)) {
			x.mayPass = d.understand(x)
		}
		if x.failure != nil {
			x.failure.Lasting = !x.mayPass
		}
	}
	x.mayPass = x.mayPass && (d.repeatable(x.req) || x.answered(http.StatusTooManyRequests)) // a 429 did nothing
	d.logAttempt(x, began)
}

// repeatable reports whether sending the request again does no harm: the API or
// HTTP says so of its method, or its Idempotency-Key lets the server recognise
// it.
func (d *Doer) repeatable(req *http.Request) bool {
	post := req.Method == http.MethodPost || req.Method == http.MethodPatch
	return !post || d.api.Repeatable || req.Header.Get("Idempotency-Key") != ""
}

// authorize puts the credentials on the request, unless a renewal has done so.
func (d *Doer) authorize(x *exchange) bool {
	if d.api.Authorize != nil && !x.authorized {
		authorized := false
		defer func() { // also when Authorize panics
			if !authorized {
				closeBody(x.body)
			}
		}()
		if err := d.api.Authorize(x.req); err != nil {
			err = credentialsError(x.req.Context(), err)
			if f, ok := err.(*upload.Error); ok { // from an exchange of its own, such as a token call
				x.failure = f
			} else {
				d.fail(x, err)
			}
			return false
		}
		authorized = true
	}
	x.authorized = false
	return true
}

// credentialsError returns the failure of Authorize or Renew without anything
// that may show a secret.
func credentialsError(ctx context.Context, err error) error {
	f, ok := errors.AsType[*upload.Error](err)
	if !ok {
		return redactError(ctx, err, nil)
	}
	own := *f // many callers may share the failure of one token call
	own.Code, own.Message = clean(own.Code, 64, nil), clean(own.Message, 256, nil)
	if own.Err != nil {
		own.Err = redactError(ctx, own.Err, nil)
	}
	return &own
}

func (d *Doer) logAttempt(x *exchange, began time.Time) {
	ctx := x.req.Context()
	if !d.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	var outcome slog.Attr
	if x.resp != nil {
		outcome = slog.Int("status", x.resp.StatusCode)
	} else {
		outcome = slog.String("error", x.failure.Error())
	}
	d.logger.LogAttrs(ctx, slog.LevelDebug, "attempt",
		slog.String("provider", d.api.Provider), slog.String("op", x.op), slog.Int("attempt", x.attempts),
		slog.String("method", x.req.Method), slog.String("host", x.req.URL.Host),
		slog.Duration("took", time.Since(began)), outcome)
}
