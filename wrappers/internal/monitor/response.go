package monitor

import (
	"bufio"
	"net"
	"net/http"
	"strconv"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// response holds an answer back until it was checked. So its URLs are known,
// and its violations reported, before the client can act on it. If an answer is
// longer than contract.Keep, the rest is not held back.
type response struct {
	http.ResponseWriter
	v     *visit
	fault bool // a fault gives this answer, or changes it
	inner bool // a fault gets this answer, and sends another

	code     int
	body     []byte
	sent     bool // the held part has been sent
	cut      bool // the body is longer than the held part
	returned bool // the handler has returned
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
	if a.v.record.Method != http.MethodHead {
		a.written += int64(len(p))
	}
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

// finish sends the held part when the handler has returned.
func (a *response) finish(r *http.Request) {
	if a.hijacked || a.sent {
		return
	}
	if !a.v.x.Came() {
		drain(r)
	}
	a.returned = true
	a.send()
}

func (a *response) send() {
	a.sent = true
	a.sniff()
	a.v.checkResponse(a)
	a.ResponseWriter.WriteHeader(a.status())
	_, _ = a.ResponseWriter.Write(a.body)
}

// sniff sets the media type that net/http would guess, so that the checked
// header is the one that is sent.
func (a *response) sniff() {
	if _, said := a.Header()["Content-Type"]; !said && len(a.body) > 0 {
		a.Header().Set("Content-Type", http.DetectContentType(a.body))
	}
}

// Flush sends an answer that has its full Content-Length, since a handler may
// refuse a request and then read on. For any other answer it only sets the
// media type.
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

// Hijack hands over the connection. There is no answer then.
func (a *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err == nil && !a.hijacked {
		a.hijacked = true
		if !a.inner {
			a.v.report(a.v.x.CheckRequest(false))
			a.v.recordOutcome(a)
		}
	}
	return conn, buffered, err
}

// Unwrap lets http.ResponseController set deadlines and full duplex.
func (a *response) Unwrap() http.ResponseWriter { return a.ResponseWriter }
