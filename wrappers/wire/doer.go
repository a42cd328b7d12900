package wire

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// Doer sends what a generated client built, in as many attempts as it takes.
// It is the client's HttpRequestDoer, below the generated code, so that each
// attempt gets a body that begins at its first byte, and credentials of its own.
//
// What comes back is the last attempt's response, its body unread, or an
// [*upload.Error] where there was none. [Doer.Call] makes one of both. Get a
// Doer from [NewDoer], set the exported fields before its first use, and share
// it: it is safe for concurrent use.
type Doer struct {
	BaseURL string // for the generated client; no slash at its end

	// Authorize puts the credentials on a request, before each attempt.
	Authorize func(*http.Request) error

	// Renew is given a request whose credentials a 401 refused. If it puts
	// others on it and says so, one more attempt is made with these, unless
	// nothing is to be sent twice.
	Renew func(*http.Request) (bool, error)

	api      API
	client   http.RoundTripper
	timeout  time.Duration // of one attempt; 0 is none
	header   http.Header
	attempts int
	maxWait  time.Duration
	logger   *slog.Logger
	redirect func(from, to *url.URL) bool // nil: no redirect is followed
}

// exchange is what the attempts of one request tell to the code above the
// generated client; it travels down in the context.
type exchange struct {
	op         string
	req        *http.Request // as it was before any redirect
	authorized bool          // it has its credentials for the next attempt
	attempts   int
	failure    *upload.Error // what became of the last attempt; nil is a success
}

type exchangeKey struct{}

// Do implements the generated client's HttpRequestDoer.
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{}
	}
	x.req = req
	d.dress(req)
	// The source is opened here and not when the transport first reads: what
	// cannot be opened is never announced to a server.
	body, err := begin(req)
	if err != nil {
		return nil, d.fail(x, Ended(ctx, err))
	}
	repeats, renewed := 0, false
	for {
		x.attempts++
		resp, again := d.attempt(req, body, x)
		if x.failure == nil {
			return resp, nil
		}
		giveUp := func(also error) (*http.Response, error) {
			if also != nil {
				x.failure.Err = fmt.Errorf("%w: %w", x.failure.Err, also)
			}
			if resp != nil {
				return resp, nil
			}
			return nil, x.failure
		}
		var wait time.Duration
		switch {
		case resp != nil && resp.StatusCode == http.StatusUnauthorized && d.Renew != nil && !renewed:
			renewed = true
			req.Header = req.Header.Clone()
			if other, err := d.Renew(req); !other || err != nil || d.attempts == 1 {
				return giveUp(err)
			}
			x.authorized = true
		case d.attempts == 1:
			return giveUp(nil)
		case resp != nil && resp.StatusCode == http.StatusExpectationFailed && req.Header.Get("Expect") != "":
			req.Header.Del("Expect")
		case again && repeats+1 < d.attempts:
			repeats++
			wait = d.backoff(repeats, x.failure.RetryAfter)
		default:
			return giveUp(nil)
		}
		if body, err = rewind(req); err != nil {
			return giveUp(err)
		}
		req.Header = req.Header.Clone() // the last attempt's may still be being written
		if resp != nil {
			resp.Body.Close()
		}
		d.logger.LogAttrs(ctx, slog.LevelInfo, "repeating", slog.String("provider", d.api.Provider), slog.String("op", x.op),
			slog.Int("attempt", x.attempts), slog.Duration("wait", wait), slog.String("because", x.failure.Error()))
		if err := sleep(ctx, wait); err != nil {
			closeBody(body)
			x.failure.Err = fmt.Errorf("%w while waiting to try again after: %w", err, x.failure.Err)
			return nil, x.failure
		}
	}
}

// fail records a failure that no answer came with.
func (d *Doer) fail(x *exchange, err error) *upload.Error {
	x.failure = &upload.Error{Provider: d.api.Provider, Op: x.op, Attempts: x.attempts, Err: err}
	return x.failure
}

// dress adds what the configuration says to a request, where it does not say
// otherwise itself.
func (d *Doer) dress(req *http.Request) {
	for name, values := range d.header {
		if _, set := req.Header[name]; !set {
			req.Header[name] = values
		}
	}
}

// begin is the body of the first attempt. One that cannot be had again is sent
// as it is.
func begin(req *http.Request) (io.ReadCloser, error) {
	if req.GetBody == nil {
		return req.Body, nil
	}
	return req.GetBody()
}

// rewind is the body of a further attempt, at its first byte.
func rewind(req *http.Request) (io.ReadCloser, error) {
	if req.GetBody == nil && req.Body != nil && req.Body != http.NoBody {
		return nil, upload.ErrNotReplayable
	}
	return begin(req)
}

func closeBody(body io.Closer) {
	if body != nil {
		body.Close()
	}
}

// backoff is what the server asked for, else a random part of 0.5, 1, 2 s and
// so on (full jitter), and never more than maxWait.
func (d *Doer) backoff(repeat int, asked time.Duration) time.Duration {
	if asked > 0 {
		return min(asked, d.maxWait)
	}
	bound := min(d.maxWait, 500*time.Millisecond<<min(repeat-1, 16))
	return rand.N(bound + 1)
}

// Pause waits as before the nth repeat of a request, for a caller who polls.
// It returns early, with the context's error, where the context ends.
func (d *Doer) Pause(ctx context.Context, n int) error {
	return sleep(ctx, d.backoff(n, 0))
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return Ended(ctx, nil)
	case <-ctx.Done():
		return Ended(ctx, nil)
	}
}

// Ended is how ctx ended, with its cause where that says more; and otherwise
// where ctx has not ended.
func Ended(ctx context.Context, otherwise error) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if err == nil {
		return otherwise
	}
	if cause != nil && cause != err {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}
