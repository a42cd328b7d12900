package wire

import (
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
)

// API is what is fixed about one provider's interface.
type API struct {
	Provider    string   // the first word of every error
	BaseURL     string   // used where upload.Config has none
	TraceHeader string   // the response header with the trace id; empty if there is none
	Secret      []string // request headers that authenticate, beside Authorization: refused in upload.Config.Header, kept out of every message

	// Hide names what else no message may repeat, such as a secret that is
	// sent in a body. It is a func so that printing the API does not show it.
	Hide func() []string

	// Table says what an answer means. What it does not list means what HTTP
	// says; the zero Table works.
	Table Table

	// Read finds the provider's own code and words in an answer that is no
	// success. Nil, or an empty code and message, leaves a short excerpt of
	// the body as the message.
	Read func(Answer) (code, message string)

	// Repeatable says that POST and PATCH are sent again as well, since a
	// duplicate does no harm. Without it only a 429 is repeated of these, which
	// says that nothing was done. Other methods are always repeatable by what
	// HTTP says of them.
	Repeatable bool
}

// Answer is a response that is no success, as far as it was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 64 KiB
}

// Table is what one provider's answers mean, for the decision to repeat a
// request and for the error that the caller sees. The first row that fits counts.
type Table []Row

// Row fits an answer of Status that has Code and, in its words, Text; an empty
// Code or Text fits any.
type Row struct {
	Status int
	Code   string
	Text   string // compared without regard to case
	Kind   error  // one of upload's
	Again  bool   // the same request may succeed later
}

// Meaning is the kind of an answer and whether the request is worth repeating.
func (t Table) Meaning(status int, code, message string) (kind error, again bool) {
	for _, row := range t {
		if row.Status == status && (row.Code == "" || row.Code == code) &&
			strings.Contains(strings.ToLower(message), strings.ToLower(row.Text)) {
			return row.Kind, row.Again
		}
	}
	switch {
	case status == http.StatusUnauthorized:
		return upload.ErrUnauthorized, false
	case status == http.StatusForbidden:
		return upload.ErrForbidden, false
	case status == http.StatusNotFound:
		return upload.ErrNotFound, false
	case status == http.StatusRequestTimeout:
		return upload.ErrUnavailable, true
	case status == http.StatusRequestEntityTooLarge:
		return upload.ErrTooLarge, false
	case status == http.StatusTooManyRequests:
		return upload.ErrRateLimited, true
	case status >= 400 && status < 500:
		return upload.ErrInvalid, false
	}
	return upload.ErrUnavailable, status >= 500
}
