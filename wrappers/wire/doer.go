package wire

import (
	"log/slog"
	"net/http"
	"time"
)

// Doer sends what a generated client built, in as many attempts as it takes. It
// is the client's HttpRequestDoer. It works below the generated code, so that
// each attempt gets a body that begins at its first byte, and credentials of
// its own.
//
// [Doer.Do] returns the last attempt's response, its body unread, or an
// [*upload.Error] where there was none. [Doer.Call] makes one of both. Get a
// Doer from [NewDoer] and share it: it is safe for concurrent use.
type Doer struct {
	BaseURL string // for the generated client; no slash at its end

	api           API
	client        http.RoundTripper
	base          *http.Transport // at the bottom of client; nil if none was found
	authorizes    bool            // client adds an Authorization header of its own
	guarded       bool            // what client adds must not hold credentials
	timeout       time.Duration   // of one round trip; 0 is none
	answerTimeout time.Duration   // as Config says; 0 where there is none, or the transport has it
	agent         string          // the User-Agent, also of the presigned step
	header        http.Header     // of API calls
	attempts      int
	maxWait       time.Duration
	logger        *slog.Logger
	redirect      func(from, next *http.Request) error // prepares next or refuses it; nil: no redirect is followed
}

// Do implements the generated client's HttpRequestDoer.
func (d *Doer) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{Context: ctx}
	}
	x.req = req
	for name, values := range d.header { // where the request does not say otherwise itself
		if _, set := req.Header[name]; !set {
			req.Header[name] = values
		}
	}
	// The source is opened here and not when the transport first reads: what
	// cannot be opened is never announced to a server.
	var err error
	if x.body, err = begin(req); err != nil {
		return nil, d.fail(x, ended(ctx, err))
	}
	d.repeat(x)
	if x.resp != nil {
		if x.typed {
			d.bound(x)
		}
		return x.resp, nil
	}
	return nil, x.failure
}
