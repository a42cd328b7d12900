package wire

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// repeat sends the request until it succeeds, fails for good, or was sent as
// often as configured. It waits between the repeats.
func (d *Doer) repeat(x *exchange) {
	d.renew(x)
	for n := 1; n < d.attempts && x.mayPass; n++ {
		if d.prepare(x, d.backoff(n, x.failure.RetryAfter)) {
			d.renew(x)
		}
	}
}

// prepare makes the exchange ready for one more attempt, and waits. If it
// returns false, there is no further attempt, and the failure says why.
func (d *Doer) prepare(x *exchange, wait time.Duration) bool {
	body, err := rewind(x.req)
	if err != nil {
		x.add(err)
		return false
	}
	x.body = body
	x.req.Header = x.req.Header.Clone() // the transport may still write the old one
	if x.resp != nil {
		x.resp.Body.Close()
		x.resp = nil
	}
	ctx := x.req.Context()
	d.logger.LogAttrs(ctx, slog.LevelInfo, "repeating",
		slog.String("provider", d.api.Provider), slog.String("op", x.op), slog.Int("attempt", x.attempts),
		slog.Duration("wait", wait), slog.String("because", x.failure.Error()))
	if err := sleep(ctx, wait); err != nil {
		closeBody(x.body)
		x.failure.Err = fmt.Errorf("%w while waiting to try again after: %w", err, x.failure.Err)
		x.mayPass = false
		return false
	}
	return true
}

// backoff returns the wait before the given repeat: the time that the server
// asked for, else a random part of 0.5, 1, 2 s and so on (full jitter). It is
// never more than maxWait.
func (d *Doer) backoff(repeat int, asked time.Duration) time.Duration {
	if asked > 0 {
		return min(asked, d.maxWait)
	}
	bound := min(d.maxWait, 500*time.Millisecond<<min(repeat-1, 16))
	return rand.N(bound + 1)
}

// Pause waits as before the nth repeat of a request, for a caller that polls.
// If ctx ends first, it returns ctx's error.
func (d *Doer) Pause(ctx context.Context, n int) error {
	return sleep(ctx, d.backoff(n, 0))
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ended(ctx, nil)
	case <-ctx.Done():
		return ended(ctx, nil)
	}
}
