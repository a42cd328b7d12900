package monitor

import (
	"bufio"
	"net"
	"net/http"
	"strconv"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// response holds an answer back until it was looked at. So nobody acts on it
// before its URLs are known and its faults reported. An answer that is longer
// than contract.Keep goes through from there on.
type response struct {
	http.ResponseWriter
	v     *visit
	fault bool // a fault gives this answer, or spoils it
	inner bool // a fault takes this answer, and gives the one that leaves

	code     int
	body     []byte
	sent     bool // what is held back has left
	cut      bool // there is more than was held back
	hijacked bool
	written  int64 // bytes of the body
}

func (a *response) status() int {
	if a.code == 0 {
		return http.StatusOK
	}
	return a.code
}

func (a *response) WriteHeader(code int) {
	switch {
	case code < 200 && code != http.StatusSwitchingProtocols:
		a.ResponseWriter.WriteHeader(code)
	case a.code == 0:
		a.code = code
	}
}

func (a *response) Write(p []byte) (int, error) {
	a.code = a.status()
	a.written += int64(len(p))
	if !a.sent && len(a.body)+len(p) > contract.Keep {
		a.cut = true
		a.send()
	}
	if a.sent {
		return a.ResponseWriter.Write(p)
	}
	a.body = append(a.body, p...)
	return len(p), nil
}

// whole returns the body, or nil if it was too long to keep.
func (a *response) whole() []byte {
	if a.cut {
		return nil
	}
	if a.body == nil {
		return []byte{}
	}
	return a.body
}

// finish sends what is held back when the handler has returned.
func (a *response) finish(r *http.Request) {
	if a.hijacked || a.sent {
		return
	}
	drain(r)
	a.send()
}

func (a *response) send() {
	a.sent = true
	a.sniff()
	a.v.look(a)
	a.ResponseWriter.WriteHeader(a.status())
	_, _ = a.ResponseWriter.Write(a.body)
}

// sniff names the media type that net/http would guess, so that what is looked
// at is what goes out.
func (a *response) sniff() {
	if _, said := a.Header()["Content-Type"]; !said && len(a.body) > 0 {
		a.Header().Set("Content-Type", http.DetectContentType(a.body))
	}
}

// Flush sends an answer that is whole by its own account: a handler may refuse
// a request and then read on. Of any other it only settles the media type.
func (a *response) Flush() {
	if _, said := a.Header()["Content-Type"]; !said && len(a.body) == 0 {
		a.Header()["Content-Type"] = nil
	}
	a.sniff()
	if length, err := strconv.Atoi(a.Header().Get("Content-Length")); err == nil && length == len(a.body) && !a.sent &&
		!a.hijacked {
		a.send()
	}
	if a.sent {
		_ = http.NewResponseController(a.ResponseWriter).Flush()
	}
}

// Hijack gives the connection away: there is no answer then.
func (a *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil && !a.hijacked {
		a.hijacked = true
		if !a.inner {
			a.v.requestEnded()
			a.v.settle(a, false)
		}
	}
	return conn, buffered, err
}

// Unwrap gives http.ResponseController deadlines and full duplex.
func (a *response) Unwrap() http.ResponseWriter { return a.ResponseWriter }
