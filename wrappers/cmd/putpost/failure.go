package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

// failure is the JSON object of a file that failed.
type failure struct {
	about           // with an ID if the file was sent all the same
	Kind     string `json:"kind"`
	Op       string `json:"op,omitempty"`
	Status   int    `json:"status,omitempty"` // of HTTP
	Code     string `json:"code,omitempty"`
	Message  string `json:"message"`
	TraceID  string `json:"traceId,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
}

func failureOf(err error) failure {
	f := failure{Kind: kindOf(err)}
	if e, ok := errors.AsType[*upload.Error](err); ok {
		f.Op, f.Status, f.Code, f.Message = e.Op, e.Status, e.Code, e.Message
		f.TraceID, f.Attempts = e.TraceID, e.Attempts
	}
	f.Message = oneLine(cmp.Or(f.Message, message(err)))
	return f
}

// kinds maps errors to the kinds of --json. The first match counts.
var kinds = []struct {
	err  error
	kind string
}{
	{context.Canceled, "interrupted"},
	{context.DeadlineExceeded, "timeout"},
	{errOutput, "output"},
	{journal.ErrUnwritable, "journal"},
	{upload.ErrNotReplayable, "notReplayable"},
	{upload.ErrUnauthorized, "unauthorized"},
	{upload.ErrForbidden, "forbidden"},
	{upload.ErrNotFound, "notFound"},
	{upload.ErrTooLarge, "tooLarge"},
	{upload.ErrRateLimited, "rateLimited"},
	{upload.ErrExpired, "expired"},
	{upload.ErrUnavailable, "unavailable"},
}

// kindOf returns the kind of err for --json. A file that cannot be read is
// invalid, as in package upload.
func kindOf(err error) string {
	if l, ok := errors.AsType[*ending](err); ok {
		return l.kind
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k.kind
		}
	}
	return "invalid"
}

// isShared reports whether err would make every other file fail, too.
func isShared(err error) bool {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var e *upload.Error
	switch {
	case errors.Is(err, errOutput), errors.Is(err, journal.ErrUnwritable), errors.Is(err, upload.ErrUnauthorized):
		return true
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &certificate):
		return true
	}
	return errors.As(err, &e) && e.Op == upload.OpToken && kindOf(err) != errInterrupted.kind
}

// ending is the reason why the program itself stopped an operation: a signal or
// a time limit. It is the cause of a context.
type ending struct{ kind, words string }

func (l *ending) Error() string { return l.words }

// Lasting reports whether another attempt would end in the same way. A server
// that stalls does so for all files.
func (l *ending) Lasting() bool { return l.kind == "stalled" }

// errInterrupted is the reason after a signal.
var errInterrupted = &ending{"interrupted", "interrupted"}

func stalled(d time.Duration) *ending {
	return &ending{"stalled", fmt.Sprintf("stalled for %s (--stall)", d)}
}

func tooLong(d time.Duration, flag string) *ending {
	return &ending{"timeout", fmt.Sprintf("not done after %s (%s)", d, flag)}
}

// message returns the text of err, with the reason instead of the context error
// by which the program stopped itself.
func message(err error) string {
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
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, d, tooLong(d, flag))
}

// reason removes the path and the kind from an error of upload.File.
func reason(err error) error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		errs := many.Unwrap()
		return errs[len(errs)-1]
	}
	return err
}

// cause removes the path from err, because the path is printed before it.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
