// Package standinhttp holds what all stand-ins do around their operations. It
// gives each exchange a trace id, logs why a request was refused, ends a body
// that stops coming, and gets an early refusal through to a caller who is still
// sending. It lets scripts of other origins call the API, and it compares and
// prints credentials safely.
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

// DefaultStall is how long a body may go without a byte unless told otherwise.
const DefaultStall = time.Minute

// Handler calls Next for each request. The request's context holds what the
// functions of this package need.
type Handler struct {
	Next   http.Handler
	Logger *slog.Logger     // gets a warning for each refusal and a debug line for each success; nil is silent
	Now    func() time.Time // the clock of each answer's Date; nil is time.Now

	// Stall ends the reading of a body when no byte of it came for so long. The
	// read fails with os.ErrDeadlineExceeded. A caller who takes nothing of the
	// answer for twice as long loses the connection. Zero means DefaultStall.
	// Stall replaces the server's ReadTimeout and WriteTimeout.
	Stall time.Duration
}

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	// The context is not cancelled with the caller's half of the connection: a
	// caller who has sent all and only listens still gets an answer. The body
	// notices a caller who is gone.
	x := &exchange{
		Context: context.WithoutCancel(r.Context()),
		id:      rand.Text(),
		logger:  cmp.Or(h.Logger, silent),
		control: http.NewResponseController(w),
	}
	now := time.Now
	if h.Now != nil {
		now = h.Now
	}
	w.Header().Set("Date", now().UTC().Format(http.TimeFormat))

	stall := cmp.Or(h.Stall, DefaultStall)

	// The request is copied, because net/http looks at the original's body to
	// decide whether the connection is kept.
	r = r.WithContext(x)
	if r.Body != nil && r.Body != http.NoBody {
		x.body = body{ReadCloser: r.Body, control: x.control, stall: stall}
		x.body.arm() // even if nobody reads it: net/http waits for the rest
		r.Body = &x.body
	}
	x.answer = answer{ResponseWriter: w, control: x.control, stall: 2 * stall} // net/http may wait for a body first
	h.Next.ServeHTTP(&x.answer, r)
	x.answer.arm() // what is left is written when this returns
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

// exchange is what is known of one request and its answer. It is the request's
// context.
type exchange struct {
	context.Context
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

// TraceID returns the name of the exchange: 26 characters that no other
// exchange has. It is empty for a context that comes from no [Handler].
func TraceID(ctx context.Context) string { return exchangeOf(ctx).id }

// BodyError returns the error that reading the request's body failed with, or
// nil. A handler uses it to tell a caller who broke off from a store that
// failed.
func BodyError(ctx context.Context) error { return exchangeOf(ctx).body.err }

// Hurry gives the whole body of the request the time of one Stall. It is for a
// small body, which must not trickle in for days.
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
