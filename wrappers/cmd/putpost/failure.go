package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

// failure is the JSON object of a file that failed.
type failure struct {
	Provider string `json:"provider"`
	Path     string `json:"path,omitempty"`
	RawPath  []byte `json:"rawPath,omitempty"`
	ID       string `json:"id,omitempty"` // the file was sent all the same
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
		f.Op, f.Status, f.Code, f.Message, f.TraceID, f.Attempts = e.Op, e.Status, e.Code, e.Message, e.TraceID, e.Attempts
	}
	f.Message = oneLine(cmp.Or(f.Message, told(err)))
	return f
}

// kinds are the words of --json for errors. The first that fits counts.
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

// isShared reports whether every other file would fail with err, too.
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
