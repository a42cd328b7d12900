package standinhttp

import (
	"io"
	"net/http"
	"time"
)

// body is a request's body with a read deadline.
type body struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	armed   time.Time // when the deadline was last set; zero if there is none
	hurried bool      // the deadline stays as it is
	started bool      // Read was called, so the server has sent 100 Continue if it was asked to
	ended   bool      // Read returned an error or io.EOF
	err     error     // the error that ended it, if it is not io.EOF
}

func (b *body) Read(p []byte) (int, error) {
	b.started = true
	b.arm()
	n, err := b.ReadCloser.Read(p)
	if err != nil && !b.ended {
		// The deadline stays. net/http removes it at the end of a body. After
		// an error it keeps net/http from waiting for the rest.
		b.ended = true
		if err != io.EOF {
			b.err = err
		}
	}
	return n, err
}

// arm moves the deadline. To save time, it does so only after a fourth of
// stall.
func (b *body) arm() {
	if now := time.Now(); !b.ended && !b.hurried && now.Sub(b.armed) > b.stall/4 {
		_ = b.control.SetReadDeadline(now.Add(b.stall)) // fails only for a test's writer without a connection
		b.armed = now
	}
}
