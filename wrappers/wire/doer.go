package wire

import (
	"log/slog"
	"net/http"
	"time"
)

// Doer sends the requests of a generated client, each in as many attempts as it
// takes. It is the client's HttpRequestDoer. It works below the generated code,
// so that each attempt gets the body from its first byte, and its own
// credentials.
//
// [Doer.Do] returns the last attempt's response with its body unread, or an
// [*upload.Error] if there was none. [Doer.Call] makes an *upload.Error of a
// refusal too. Get a Doer from [NewDoer] and share it: it is safe for
// concurrent use.
type Doer struct {
	BaseURL string // for the generated client; no slash at its end

	api           API
	client        http.RoundTripper
	base          *http.Transport // at the bottom of client; nil if none was found
	authorizes    bool            // client adds an Authorization header of its own
	guarded       bool            // headers that client adds must not hold credentials
	timeout       time.Duration   // of one round trip; 0 is none
	answerTimeout time.Duration   // 0 if there is none, or the transport itself has one
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
	for name, values := range d.header { // unless the request has its own value
		if _, set := req.Header[name]; !set {
			req.Header[name] = values
		}
	}
	// The source is opened here, before the transport begins. If it cannot be
	// opened, the server never hears of it.
	var err error
	if x.body, err = begin(req); err != nil {
		return nil, d.fail(x, ended(ctx, err))
	}
	d.repeat(x)
	if x.resp != nil {
		if x.typed {
			d.readAhead(x)
		}
		return x.resp, nil
	}
	return nil, x.failure
}
