package standinhttp

import (
	"io"
	"log/slog"
	"net/http"
	"time"
)

// lingerTime and lingerSize limit how much of a refused body is read and thrown
// away.
const (
	lingerTime = 5 * time.Second
	lingerSize = 64 << 20
)

// Refuse sends the answer and logs the reason. The caller never sees the
// reason. Refuse sends the answer at once, even if the body was not read. After
// the handler returns, [Handler] reads and discards the rest of the body for a
// while, so that a caller who sends all before reading gets the answer.
func Refuse(w http.ResponseWriter, r *http.Request, a Answer, reason error) {
	x := exchangeOf(r.Context())
	x.refused = true
	level := slog.LevelWarn
	if a.Status >= 500 && r.Context().Err() == nil { // a caller who left is not our failure
		level = slog.LevelError
	}
	// The query is left out, because it may hold a signature. The path is
	// escaped, because slog lets some control characters through.
	Log(r.Context()).LogAttrs(r.Context(), level, "refused", slog.Int("status", a.Status),
		slog.String("method", r.Method), slog.String("path", r.URL.EscapedPath()), slog.Any("reason", reason))

	if x.body.ReadCloser != nil && !x.body.ended && r.ProtoMajor == 1 {
		// The rest of the body must not be read as the next request. Without
		// this header net/http waits for the rest of a short body before it
		// answers.
		w.Header().Set("Connection", "close")
		x.linger = true
	}
	a.Write(w)
}

// linger sends the answer and reads on for a while. If the connection were
// closed at once, the system would reset it, and a caller who is still sending
// would see the reset instead of the answer. net/http does the same, but not
// for a caller who sent "Connection: close".
func linger(x *exchange, r *http.Request) {
	if x.control.Flush() != nil || x.control.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	if r.Header.Get("Expect") != "" && !x.body.started {
		return // the caller waits for "100 Continue" and sends nothing
	}
	_, _ = io.CopyN(io.Discard, x.body.ReadCloser, lingerSize)
}
