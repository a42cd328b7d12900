package wire

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync"
	"time"
)

// limits ends a round trip that takes too long. There are two limits: one on
// the wait from the request's last byte to the beginning of the answer, and the
// Timeout of the caller's http.Client on the whole round trip. Most round trips
// have neither, and a nil *limits.
type limits struct {
	io.ReadCloser // the answer's body

	ctx    context.Context // of the round trip; its cause says which limit ended it
	cancel context.CancelCauseFunc
	stop   context.CancelFunc // of the limit on the whole round trip
	wait   time.Duration      // for an answer
	answer *time.Timer        // ends the wait; nil if it has no limit

	mu       sync.Mutex
	answered bool
}

// limitError says which limit ended a round trip.
type limitError struct{ text string }

func (e *limitError) Error() string { return e.text }

// newLimits returns the limits under ctx, and the context of the round trip. A
// duration of 0 is no limit. If abandons is true, abandon can be called, so the
// limits are never nil.
func newLimits(ctx context.Context, whole, answer time.Duration, abandons bool) (*limits, context.Context) {
	if whole == 0 && answer == 0 && !abandons {
		return nil, ctx
	}
	l := &limits{wait: answer, stop: func() {}}
	if answer > 0 {
		l.answer = time.AfterFunc(math.MaxInt64, l.onLate)
		l.answer.Stop() // until startWait
	}
	if whole > 0 {
		ctx, l.stop = context.WithTimeoutCause(ctx, whole,
			&limitError{fmt.Sprintf("not over after %s, the Timeout of Config.HTTPClient", whole)})
	}
	l.ctx, l.cancel = context.WithCancelCause(ctx)
	return l, l.ctx
}

// startWait starts the wait for an answer, or starts it again.
func (l *limits) startWait() {
	if l == nil || l.answer == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.answered {
		l.answer.Reset(l.wait)
	}
}

func (l *limits) onLate() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.answered {
		l.cancel(&limitError{fmt.Sprintf(
			"no answer within %s after the request was sent (Config.AnswerTimeout)", l.wait)})
	}
}

// onGetConn stops the wait for an answer: the transport is about to send the
// request, perhaps once more.
func (l *limits) onGetConn(string) { l.answer.Stop() }

// endWait ends the wait for an answer. It returns the limit that ended the
// round trip, or nil.
func (l *limits) endWait() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered = true
	if l.answer != nil {
		l.answer.Stop()
	}
	if e, ok := context.Cause(l.ctx).(*limitError); ok {
		return e
	}
	return nil
}

// abandon ends the round trip: the goroutine that read its body has exited.
func (l *limits) abandon() {
	if l != nil {
		l.cancel(&limitError{"the source ended its goroutine"})
	}
}

// release stops the limits.
func (l *limits) release() {
	if l != nil {
		l.cancel(nil)
		l.stop()
	}
}

// Close closes the answer's body. The limits hold until then.
func (l *limits) Close() error {
	defer l.release()
	return l.ReadCloser.Close()
}
