package upload

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The kinds of failure, a closed set for errors.Is. A failure that the context
// ended has context.Canceled or context.DeadlineExceeded instead of a kind, or
// beside the kind of the attempt before.
var (
	// ErrInvalid: a source or setting was refused before anything was sent,
	// the source failed or changed while it was sent, or the provider refused
	// the request as wrong. Sending the same again cannot help.
	ErrInvalid = errors.New("invalid")
	// ErrUnauthorized: the credentials were refused.
	ErrUnauthorized = errors.New("credentials refused")
	// ErrForbidden: the credentials are good, but not for this.
	ErrForbidden = errors.New("not permitted")
	// ErrNotFound: the resource that the request names does not exist.
	ErrNotFound = errors.New("not found")
	// ErrTooLarge: the file is larger than the other side takes.
	ErrTooLarge = errors.New("too large")
	// ErrRateLimited: too many requests, still after the last attempt.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: there is no usable answer. The network or the service
	// failed, or the answer could not be read.
	ErrUnavailable = errors.New("unavailable")
	// ErrExpired: the presigned URL ran out before the file was there, and so
	// did a second URL.
	ErrExpired = errors.New("presigned URL expired")
	// ErrNotReplayable: the request would have been sent again, but the source
	// can be read only once. errors.Is also finds the first failure's kind.
	ErrNotReplayable = errors.New("source cannot be read a second time")
)

// The Op of a failure in a step that no spec names.
const (
	OpPresigned = "presigned" // sending the file to the URL that the API answered with
	OpToken     = "token"     // fetching a token
)

// Error is the failure that every client returns. Test its kind with errors.Is,
// and read its fields with errors.As. It holds no secret and no query of a URL.
//
// A client sets Lasting where it does not send again what its kind lets pass,
// such as after a 429 with a code that says: the quota of this month is used up.
type Error struct {
	Provider   string        // "twentyfourseven", "ncloudmailer"
	Op         string        // the spec's operationId, [OpPresigned] or [OpToken]
	Status     int           // HTTP status of the last attempt's answer; 0 if there was none
	Code       string        // the provider's own error code, where it sent one
	Message    string        // the provider's own words, one line, shortened
	TraceID    string        // the API's trace id, also when the presigned step failed
	Attempts   int           // how often the request was sent or tried
	RetryAfter time.Duration // the wait that the last answer asked for; 0 if none
	Lasting    bool          // the same request cannot succeed later, although its kind alone may pass
	Err        error         // the kind and the cause
}

// Temporary reports whether the same request may succeed later: the network or
// the service failed, there were too many requests, or the presigned URL ran
// out. It returns false for a failure that lasts, such as refused credentials,
// a certificate that is not trusted, or a host that does not exist.
func (e *Error) Temporary() bool {
	return !e.Lasting &&
		(errors.Is(e.Err, ErrUnavailable) || errors.Is(e.Err, ErrRateLimited) || errors.Is(e.Err, ErrExpired))
}

// Error returns one line: the provider, the operation, the reason, and the
// facts that the provider's support will ask for.
func (e *Error) Error() string {
	list := func(separator string, texts ...string) string {
		return strings.Join(slices.DeleteFunc(texts, func(s string) bool { return s == "" }), separator)
	}
	when := func(known bool, format string, args ...any) string {
		if !known {
			return ""
		}
		return strings.TrimRight(fmt.Sprintf(format, args...), " ") // a status without a name
	}
	facts := list(", ",
		when(e.Status != 0, "status %d %s", e.Status, http.StatusText(e.Status)),
		when(e.Code != "", "code %s", e.Code),
		when(e.TraceID != "", "trace id %s", e.TraceID),
		when(e.Attempts > 1, "%d attempts", e.Attempts),
		when(e.RetryAfter > 0, "retry after %s", e.RetryAfter))
	reason := "failed"
	if e.Err != nil {
		reason = e.Err.Error()
	}
	return list(": ", e.Provider, e.Op, reason, e.Message) + when(facts != "", " (%s)", facts)
}

// Unwrap gives errors.Is and errors.As the kind and the cause.
func (e *Error) Unwrap() error { return e.Err }
