package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ending is why the program itself ended something: a signal or a time limit. It
// is the cause of a context.
type ending struct{ kind, words string }

func (l *ending) Error() string { return l.words }

// duration is a time limit on the command line.
type duration time.Duration

// UnmarshalText is how kong reads a flag.
func (d *duration) UnmarshalText(text []byte) error {
	read, err := time.ParseDuration(string(text))
	if err != nil || read <= 0 {
		return fmt.Errorf("%q is no time like 90s, 5m or 2h", text)
	}
	*d = duration(read)
	return nil
}

// errInterrupted is the user's own wish.
var errInterrupted = &ending{"interrupted", "interrupted"}

func stalled(d time.Duration) *ending {
	return &ending{"stalled", fmt.Sprintf("stalled for %s (--stall)", d)}
}

func tooLong(d time.Duration, flag string) *ending {
	return &ending{"timeout", fmt.Sprintf("not done after %s (%s)", d, flag)}
}

// told is err in words. A context that has ended is how the program stops
// itself: what is told is why.
func told(err error) string {
	words := err.Error()
	if l, ok := errors.AsType[*ending](err); ok {
		for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
			words = strings.ReplaceAll(words, ended.Error()+": "+l.words, l.words)
		}
	}
	return strings.ReplaceAll(words, context.Canceled.Error(), errInterrupted.Error())
}

// within is ctx with a time limit, where d is one.
func within(ctx context.Context, d time.Duration, flag string) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, d, tooLong(d, flag))
}
