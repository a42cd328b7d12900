package wire

import "net/http"

// API describes one provider's interface: all that does not depend on the
// caller.
type API struct {
	Provider    string // the first word of every error
	BaseURL     string // used where upload.Config has none
	TraceHeader string // the response header with the trace id; empty if there is none

	// Secret names the request headers that authenticate, beside
	// Authorization. They are refused in upload.Config.Header and kept out of
	// every message.
	Secret []string

	// Authorize puts the credentials on a request, before each attempt. Nil
	// means that the API takes none.
	Authorize func(*http.Request) error

	// Renew is called with a request whose credentials a 401 refused. If it
	// puts other credentials on the request, it returns true, and one more
	// attempt is made with these, unless nothing is to be sent twice.
	Renew func(*http.Request) (bool, error)

	// Hide returns other secrets that no message may show, such as one that is
	// sent in a body. It is a func, so that printing the API does not show
	// them.
	Hide func() []string

	// Table gives answers their meaning. An answer that no row fits has the
	// meaning that HTTP gives its status. The zero Table works.
	Table Table

	// Read finds the provider's own code and words in an answer that is no
	// success. Nil, or an empty code and message, leaves a short excerpt of
	// the body as the message.
	Read func(Answer) (code, message string)

	// Repeatable says that POST and PATCH are sent again as well, since a
	// duplicate does no harm. Otherwise a POST or PATCH is repeated only if it
	// has the header Idempotency-Key, or after a 429, since nothing was done
	// then. All other methods are repeatable.
	Repeatable bool

	// EarlySuccess says that a 2xx counts although it came before the whole
	// body was sent, as from a server that knows the file by a checksum in a
	// header. Without it, such an answer is an error.
	EarlySuccess bool
}
