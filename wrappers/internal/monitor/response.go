package monitor

import (
	"bufio"
	"bytes"
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
	look func(*response) // once, before anything leaves
	gone func(*response) // when the connection is given away; may be nil

	code     int
	body     bytes.Buffer
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
	if !a.sent && a.body.Len()+len(p) > contract.Keep {
		a.cut = true
		a.send()
	}
	if a.sent {
		return a.ResponseWriter.Write(p)
	}
	return a.body.Write(p)
}

// whole returns the body, or nil if it was too long to keep.
func (a *response) whole() []byte {
	if a.cut {
		return nil
	}
	return append([]byte{}, a.body.Bytes()...)
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
	a.look(a)
	a.ResponseWriter.WriteHeader(a.status())
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
}

// sniff names the media type that net/http would guess, so that what is looked
// at is what goes out.
func (a *response) sniff() {
	if _, said := a.Header()["Content-Type"]; !said && a.body.Len() > 0 {
		a.Header().Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
}

// Flush sends an answer that is whole by its own account: a handler may refuse
// a request and then read on. Of any other it only settles the media type.
func (a *response) Flush() {
	if _, said := a.Header()["Content-Type"]; !said && a.body.Len() == 0 {
		a.Header()["Content-Type"] = nil
	}
	a.sniff()
	if length, err := strconv.Atoi(a.Header().Get("Content-Length")); err == nil && length == a.body.Len() && !a.sent &&
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
		if a.gone != nil {
			a.gone(a)
		}
	}
	return conn, buffered, err
}

// Unwrap gives http.ResponseController deadlines and full duplex.
func (a *response) Unwrap() http.ResponseWriter { return a.ResponseWriter }
