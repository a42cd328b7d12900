package wire

import (
	"context"
	"errors"
	"net/url"
)

// foreign returns an error of somebody else's code: one line without what may
// show a secret. While ctx lives, the error is no context.DeadlineExceeded: a
// time limit of a transport's or a token source's is not the caller's.
func foreign(ctx context.Context, err error, secrets *secretSet) error {
	err = withoutURL(err, secrets)
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return ended(ctx, err)
	}
	return &masked{text: err.Error(), is: func(target error) bool {
		return target != context.DeadlineExceeded && errors.Is(err, target)
	}}
}

// withoutURL returns err without what may show a secret: the *url.Error that an
// http.Client puts around a failure, since that prints the whole address, any
// query, and the secrets. It is one line, and still answers errors.Is.
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

// masked stands for an error whose text or chain tells too much: it answers
// errors.Is like the original, and that is all that is left of it.
type masked struct {
	text string
	is   func(error) bool // behind a func, so that no verb of fmt reaches the original
}

func (m *masked) Error() string        { return m.text }
func (m *masked) Is(target error) bool { return m.is(target) }
