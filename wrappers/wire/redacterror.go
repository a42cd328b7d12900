package wire

import (
	"context"
	"errors"
	"net/url"
)

// redactError makes an error of other code fit to show: one line without
// secrets. While ctx is live, the result is no context.DeadlineExceeded,
// because a time limit of a transport or a token source is not the caller's.
func redactError(ctx context.Context, err error, secrets *secretSet) error {
	err = withoutURL(err, secrets)
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return ended(ctx, err)
	}
	return &masked{text: err.Error(), is: func(target error) bool {
		return target != context.DeadlineExceeded && errors.Is(err, target)
	}}
}

// withoutURL returns err without addresses and secrets. The *url.Error of an
// http.Client prints the whole address, so it is taken off. The result is one
// line, and still answers errors.Is.
func withoutURL(err error, secrets *secretSet) error {
	if ue, ok := err.(*url.Error); ok {
		err = ue.Err
	}
	text := err.Error()
	short := clean(text, 512, secrets) // net/http repeats what a server wrote, however long
	if _, found := errors.AsType[*url.Error](err); found || short != text {
		return &masked{text: short, is: func(target error) bool { return errors.Is(err, target) }}
	}
	return err
}

// masked replaces an error whose text or chain shows too much. It keeps only
// the answers to errors.Is.
type masked struct {
	text string
	is   func(error) bool // behind a func, so that no verb of fmt reaches the original
}

func (m *masked) Error() string        { return m.text }
func (m *masked) Is(target error) bool { return m.is(target) }
