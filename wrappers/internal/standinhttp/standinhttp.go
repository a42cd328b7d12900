// Package standinhttp does for all stand-ins what surrounds their operations.
// It gives each exchange a trace id, logs why a request was refused, and ends a
// stalled body. It delivers an early refusal to a caller who is still sending,
// and lets scripts of other origins call the API. It compares and prints
// credentials safely.
//
//	h := standinhttp.Handler{Next: mux, Logger: logger}
//	...
//	standinhttp.Refuse(w, r, standinhttp.JSON(401, problem), errors.New("no token"))
package standinhttp

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"time"
)

// DefaultStall is the default of [Handler.Stall].
const DefaultStall = time.Minute

// Handler calls Next for each request. The request's context holds what the
// functions of this package need.
type Handler struct {
	Next   http.Handler
	Logger *slog.Logger     // gets a warning for each refusal and a debug line for each success; nil logs nothing
	Now    func() time.Time // the clock of each answer's Date; nil is the server's

	// Stall is how long a body may go without a byte. Then its Read fails with
	// os.ErrDeadlineExceeded. A caller who reads nothing of the answer for
	// twice as long loses the connection. Zero means DefaultStall. Stall
	// replaces the server's ReadTimeout and WriteTimeout.
	Stall time.Duration
}

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	// net/http cancels the context when the caller closes his half of the
	// connection. But a caller who has sent all may do so and still read the
	// answer. So the handler gets a context without the cancel, and notices by
	// the body when the caller has left.
	x := &exchange{
		Context: context.WithoutCancel(r.Context()),
		id:      rand.Text(),
		logger:  cmp.Or(h.Logger, silent),
		control: http.NewResponseController(w),
	}
	if h.Now != nil {
		w.Header().Set("Date", h.Now().UTC().Format(http.TimeFormat))
	}
	stall := cmp.Or(h.Stall, DefaultStall)

	// The request is copied, because net/http decides by the original's body
	// whether to keep the connection.
	r = r.WithContext(x)
	x.request = r
	if r.Body != nil && r.Body != http.NoBody {
		x.body = body{ReadCloser: r.Body, control: x.control, stall: stall}
		x.body.arm() // even if the handler does not read it, because net/http waits for the rest
		r.Body = &x.body
	}
	x.answer = answer{ResponseWriter: w, control: x.control, stall: 2 * stall} // net/http may wait for a body first
	h.Next.ServeHTTP(&x.answer, r)
	x.answer.arm() // net/http writes the rest after this returns
	if x.linger {
		linger(x, r)
	}
	if !x.refused && x.logger.Enabled(r.Context(), slog.LevelDebug) {
		Log(r.Context()).LogAttrs(r.Context(), slog.LevelDebug, "served",
			slog.Int("status", cmp.Or(x.answer.status, http.StatusOK)),
			slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()),
			slog.Float64("durationMs", float64(time.Since(begun).Microseconds())/1000))
	}
}

type exchangeKey struct{}

// exchange is the state of one request and its answer. It is the request's
// context.
type exchange struct {
	context.Context
	request *http.Request
	id      string
	logger  *slog.Logger
	control *http.ResponseController
	body    body // without a reader if the request has none
	answer  answer
	refused bool
	linger  bool // a refusal left a part of the body unread
}

func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

var silent = slog.New(slog.DiscardHandler)

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	if x == nil {
		x = &exchange{logger: silent}
	}
	return x
}

// TraceID returns the unique id of the exchange: 26 characters. It is empty for
// a context that is not from a [Handler].
func TraceID(ctx context.Context) string { return exchangeOf(ctx).id }

// Request returns the request that [Handler] gave to Next. It is nil for a
// context that is not from a Handler.
func Request(ctx context.Context) *http.Request { return exchangeOf(ctx).request }

// Origin returns the address in the request itself, such as https://host. It is
// empty if the request has no host. Origin ignores headers that a proxy or a
// caller may have added.
func Origin(r *http.Request) string {
	switch {
	case r.Host == "":
		return ""
	case r.TLS != nil:
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// BodyError returns the error of reading the request's body, or nil. A handler
// uses it to distinguish a caller who broke off from a store that failed.
func BodyError(ctx context.Context) error { return exchangeOf(ctx).body.err }

// Hurry limits the time for the whole body of the request to Stall. Without
// this limit a small body may take days.
func Hurry(ctx context.Context) {
	if b := &exchangeOf(ctx).body; b.ReadCloser != nil {
		b.arm()
		b.hurried = true
	}
}

// Log returns the logger of the exchange. Each of its lines has the trace id.
func Log(ctx context.Context) *slog.Logger {
	x := exchangeOf(ctx)
	return x.logger.With("traceId", x.id)
}
