package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ending is the reason for which the program itself ended something: a signal
// or a time limit. It is the cause of a context.
type ending struct{ kind, words string }

func (l *ending) Error() string { return l.words }

// errInterrupted is the ending by a signal.
var errInterrupted = &ending{"interrupted", "interrupted"}

func stalled(d time.Duration) *ending {
	return &ending{"stalled", fmt.Sprintf("stalled for %s (--stall)", d)}
}

func tooLong(d time.Duration, flag string) *ending {
	return &ending{"timeout", fmt.Sprintf("not done after %s (%s)", d, flag)}
}

// told returns err in words. The end of a context is the way in which the
// program stops itself. The reader wants to know the reason.
func told(err error) string {
	words := err.Error()
	if l, ok := errors.AsType[*ending](err); ok {
		for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
			words = strings.ReplaceAll(words, ended.Error()+": "+l.words, l.words)
		}
	}
	return strings.ReplaceAll(words, context.Canceled.Error(), errInterrupted.Error())
}

// within returns ctx with the time limit d. If d is 0, there is no limit.
func within(ctx context.Context, d time.Duration, flag string) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, tooLong(d, flag))
}
