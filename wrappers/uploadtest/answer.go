package uploadtest

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strconv"
)

// answer holds an answer back until it was looked at, so that nobody acts on it
// before its URLs are known and its faults reported. What is longer than keep goes
// through from there on.
type answer struct {
	http.ResponseWriter
	look func(*answer) // once, before anything leaves

	code     int
	body     bytes.Buffer
	sent     bool // what is held back has left
	cut      bool // there is more than was held back
	hijacked bool
}

func (a *answer) status() int {
	if a.code == 0 {
		return http.StatusOK
	}
	return a.code
}

func (a *answer) WriteHeader(code int) {
	switch {
	case code < 200 && code != http.StatusSwitchingProtocols:
		a.ResponseWriter.WriteHeader(code)
	case a.code == 0:
		a.code = code
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.code = a.status()
	if !a.sent && a.body.Len()+len(p) > keep {
		a.cut = true
		a.send()
	}
	if a.sent {
		return a.ResponseWriter.Write(p)
	}
	return a.body.Write(p)
}

// whole is the body, or nil if it was too long to keep.
func (a *answer) whole() []byte {
	if a.cut {
		return nil
	}
	return append([]byte{}, a.body.Bytes()...)
}

// finish sends what is held back when the handler has returned.
func (a *answer) finish(r *http.Request) {
	if a.hijacked || a.sent {
		return
	}
	drain(r)
	a.send()
}

func (a *answer) send() {
	a.sent = true
	a.sniff()
	a.look(a)
	a.ResponseWriter.WriteHeader(a.status())
	_, _ = a.ResponseWriter.Write(a.body.Bytes())
}

// sniff names the media type that net/http would guess, so that what is looked
// at is what goes out.
func (a *answer) sniff() {
	if _, said := a.Header()["Content-Type"]; !said && a.body.Len() > 0 {
		a.Header().Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
}

// Flush sends an answer that is whole by its own account: a handler may refuse a
// request and then read on. Of any other it only settles the media type.
func (a *answer) Flush() {
	if _, said := a.Header()["Content-Type"]; !said && a.body.Len() == 0 {
		a.Header()["Content-Type"] = nil
	}
	a.sniff()
	if length, err := strconv.Atoi(a.Header().Get("Content-Length")); err == nil && length == a.body.Len() && !a.sent && !a.hijacked {
		a.send()
	}
	if a.sent {
		_ = http.NewResponseController(a.ResponseWriter).Flush()
	}
}

// Hijack gives the connection away: there is no answer then.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	a.hijacked = a.hijacked || err == nil
	return conn, buffered, err
}

// Unwrap gives http.ResponseController deadlines and full duplex.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
