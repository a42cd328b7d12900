package standinhttp

import (
	"io"
	"net/http"
	"time"
)

const (
	// lingerTime and lingerSize bound how much of a refused body is thrown away.
	lingerTime = 5 * time.Second
	lingerSize = 64 << 20

	// netHTTPDiscards is what net/http throws away of a body on its own.
	netHTTPDiscards = 256 << 10
)

// body is a request's body that must keep coming.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	armed   time.Time // when the deadline was last set; zero if there is none
	hurried bool      // the deadline stays as it is
	started bool      // something was asked for, and so a waiting caller told to go on
	ended   bool      // io.EOF or err
	err     error     // what ended it, if not io.EOF
}

func (b *body) Read(p []byte) (int, error) {
	b.started = true
	b.arm()
	n, err := b.ReadCloser.Read(p)
	if err != nil && !b.ended {
		// The deadline stays as it is: at the end of a body net/http takes it
		// off, and after an error it must not wait for the rest.
		b.ended = true
		if err != io.EOF {
			b.err = err
		}
	}
	return n, err
}

// arm moves the deadline, but not for each small read: a fourth of the time
// more or less does not matter.
func (b *body) arm() {
	if now := time.Now(); !b.ended && !b.hurried && now.Sub(b.armed) > b.stall/4 {
		_ = b.control.SetReadDeadline(now.Add(b.stall)) // where the writer cannot, no connection is held either
		b.armed = now
	}
}

// answer is an answer that must keep going out: a caller that sends requests and
// takes no answers would hold the connection for ever.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	armed   time.Time
}

func (a *answer) Write(p []byte) (int, error) {
	a.arm()
	return a.ResponseWriter.Write(p)
}

// arm moves the deadline as that of a body. net/http takes it off in the end.
func (a *answer) arm() {
	if now := time.Now(); now.Sub(a.armed) > a.stall/4 {
		_ = a.control.SetWriteDeadline(now.Add(a.stall))
		a.armed = now
	}
}

// Unwrap gives http.ResponseController the rest.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// linger sends the answer off and goes on reading for a while. Closing the
// connection at once would make the system reset it, and a caller that is still
// sending would see that instead of the answer.
func linger(x *state, r *http.Request) {
	if x.control.Flush() != nil || x.control.SetReadDeadline(time.Now().Add(lingerTime)) != nil {
		return
	}
	switch {
	case r.Header.Get("Expect") != "" && !x.body.started: // it waits, and sends nothing
	case 0 <= r.ContentLength && r.ContentLength <= netHTTPDiscards:
	default:
		_, _ = io.CopyN(io.Discard, x.body.ReadCloser, lingerSize)
	}
}
