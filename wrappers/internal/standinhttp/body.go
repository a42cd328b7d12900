package standinhttp

import (
	"io"
	"net/http"
	"time"
)

// body is a request's body that must keep coming.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	armed   time.Time // when the deadline was last set; zero if there is none
	hurried bool      // the deadline stays as it is
	started bool      // something was read, so a caller who waits was told to go on
	ended   bool      // by io.EOF or by err
	err     error     // the error that ended it, if it is not io.EOF
}

func (b *body) Read(p []byte) (int, error) {
	b.started = true
	b.arm()
	n, err := b.ReadCloser.Read(p)
	if err != nil && !b.ended {
		// The deadline stays. At the end of a body net/http takes it off, and
		// after an error net/http must not wait for the rest.
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
		_ = b.control.SetReadDeadline(now.Add(b.stall)) // a writer without deadlines has no connection to hold
		b.armed = now
	}
}
