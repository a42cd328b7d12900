// Package standinhttp is what every stand-in needs around its routes: a trace id,
// the reason of a refusal in the log, a body that must keep coming, an early
// refusal that reaches a caller who is still sending, answers for what is no
// operation, and secrets that are compared and printed as they should be.
//
//	h := standinhttp.Handler{Next: mux, Logger: logger}
//	...
//	standinhttp.Refuse(w, r, http.StatusUnauthorized, errors.New("no token"))
//	standinhttp.WriteJSON(w, http.StatusUnauthorized, problem)
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

// Handler calls Next for each request with what the functions of this package
// need in the request's context.
type Handler struct {
	Next   http.Handler
	Logger *slog.Logger     // gets a line for each refusal; nil is silent
	Now    func() time.Time // what the Date of each answer says; nil is time.Now

	// Stall ends the reading of a body of which nothing came for so long, with
	// os.ErrDeadlineExceeded, and the connection of a caller who takes nothing
	// of the answer for twice as long. Zero means DefaultStall. It takes the
	// place of the server's ReadTimeout and WriteTimeout.
	Stall time.Duration
}

func (h Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &state{
		id:      rand.Text(),
		logger:  cmp.Or(h.Logger, slog.New(slog.DiscardHandler)),
		control: http.NewResponseController(w),
	}
	now := time.Now
	if h.Now != nil {
		now = h.Now
	}
	w.Header().Set("Date", now().UTC().Format(http.TimeFormat))

	stall := cmp.Or(h.Stall, DefaultStall)

	// A copy: net/http looks at the body of the request that it made when it
	// decides what becomes of the connection. And a context that does not end
	// with the caller's half of it: one who has said all and only listens still
	// gets his answer, and one who is gone is noticed by the body.
	r = r.WithContext(context.WithValue(context.WithoutCancel(r.Context()), stateKey{}, x))
	if r.Body != nil && r.Body != http.NoBody {
		x.body = &body{ReadCloser: r.Body, control: x.control, stall: stall}
		x.body.arm() // also for one that is not read: net/http waits for its rest
		r.Body = x.body
	}
	a := &answer{ResponseWriter: w, control: x.control, stall: 2 * stall} // net/http may wait for a body first
	h.Next.ServeHTTP(a, r)
	a.arm() // what is left is written when this returns
	if x.linger {
		linger(x, r)
	}
}

type stateKey struct{}

// state is what is known of one exchange.
type state struct {
	id      string
	logger  *slog.Logger
	control *http.ResponseController
	body    *body // nil if the request has none
	linger  bool
}

func of(ctx context.Context) *state {
	x, _ := ctx.Value(stateKey{}).(*state)
	if x == nil {
		x = &state{logger: slog.New(slog.DiscardHandler)}
	}
	return x
}

// TraceID names the exchange: 26 characters that no other exchange has. It is
// empty for a context that comes from no [Handler].
func TraceID(ctx context.Context) string { return of(ctx).id }

// BodyError is what reading the request's body failed with, or nil if it has
// not failed. So a handler can tell a caller that broke off from a store that
// failed, whatever stands between them.
func BodyError(ctx context.Context) error {
	if b := of(ctx).body; b != nil {
		return b.err
	}
	return nil
}

// Hurry gives the request's body the time of one Stall to be there as a whole,
// for one that is small and must not trickle in for days.
func Hurry(ctx context.Context) {
	if b := of(ctx).body; b != nil {
		b.arm()
		b.hurried = true
	}
}

// Log is the exchange's logger: each line carries the trace id.
func Log(ctx context.Context) *slog.Logger {
	x := of(ctx)
	return x.logger.With("traceId", x.id)
}

// Refuse says that the request is about to be answered with this status, and
// why. The reason goes to the log, never to the caller. It is called before the
// header is written; what is written, by [Write], has a Content-Length. Then the answer
// leaves at once, however much of the body was not read, and the rest of the
// body is thrown away for a while, so that a caller that sends all before it
// listens gets to hear it.
func Refuse(w http.ResponseWriter, r *http.Request, status int, reason error) {
	x := of(r.Context())
	level := slog.LevelWarn
	if status >= 500 && r.Context().Err() == nil { // if the caller is gone, nothing of ours has failed
		level = slog.LevelError
	}
	// Not the query: it may hold a signature. And escaped, since slog lets some
	// control characters through.
	Log(r.Context()).LogAttrs(r.Context(), level, "refused", slog.Int("status", status),
		slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()), slog.Any("reason", reason))

	if x.body == nil || x.body.ended || r.ProtoMajor != 1 {
		return
	}
	// What is left of the body must not be taken for the next request; and
	// otherwise net/http waits for the rest of a short one before it answers.
	w.Header().Set("Connection", "close")
	x.linger = true
}
