package faults

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/uploadtest"
)

// fault answers one request in a wrong way.
type fault func(*hit)

// hit is one request that a fault answers.
type hit struct {
	w    http.ResponseWriter
	r    *http.Request
	n    int // the number of the request at its place, from 1
	lab  *lab
	next http.Handler // the stand-in
}

// correct answers correctly. As a fault it is none.
func correct(h *hit) { h.next.ServeHTTP(h.w, h.r) }

// first applies the fault to the first n requests only.
func first(n int, f fault) fault { return inTurn(slices.Repeat([]fault{f}, n)...) }

// inTurn applies the nth fault to the nth request, and none after the last.
func inTurn(faults ...fault) fault {
	return func(h *hit) { append(faults, correct)[min(h.n-1, len(faults))](h) }
}

// trace returns the header line with the trace id of the fault's answer. Only
// the API's trace id must become an error's.
func (h *hit) trace() (name, value string) {
	h.lab.mu.Lock()
	defer h.lab.mu.Unlock()
	h.lab.traced = "trace-of-a-fault"
	if h.lab.at == presigned {
		h.lab.traced = "not-the-api's"
	}
	return h.lab.at.traceHeader(), h.lab.traced
}

// answer answers without reading the body. Header alternates names and values.
func answer(status int, body string, header ...string) fault {
	return func(h *hit) {
		h.w.Header().Set(h.trace())
		uploadtest.Answer(status, body, header...)(nil).ServeHTTP(h.w, h.r)
	}
}

// afterBody reads the whole body first.
func afterBody(f fault) fault {
	return func(h *hit) {
		io.Copy(io.Discard, h.r.Body)
		f(h)
	}
}

// afterHalf reads half of the body first. The caller then waits for no 100
// Continue any more, so the kit's answer must read on.
func afterHalf(f fault) fault {
	return func(h *hit) {
		io.CopyN(io.Discard, h.r.Body, h.r.ContentLength/2)
		h.r.Header.Del("Expect")
		f(h)
	}
}

// done handles the request correctly but discards the answer, and then applies
// the fault.
func done(f fault) fault {
	return func(h *hit) {
		h.next.ServeHTTP(httptest.NewRecorder(), h.r)
		f(h)
	}
}

// hang does nothing until the row is over.
func hang(h *hit) { <-h.lab.release }

func (h *hit) hijack() (net.Conn, *bufio.ReadWriter) {
	conn, rw, err := http.NewResponseController(h.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	h.lab.mu.Lock()
	h.lab.hijacks = append(h.lab.hijacks, conn)
	h.lab.mu.Unlock()
	return conn, rw
}

// reset ends the connection with a TCP reset.
func reset(h *hit) { uploadtest.ResetBefore(nil).ServeHTTP(h.w, h.r) }

// closed closes the connection in order.
func closed(h *hit) {
	conn, _ := h.hijack()
	conn.Close()
}

// raw reads the body, sends text and closes the connection. It replaces TRACE
// in the text by the header with the trace id, and "\n" by "\r\n".
func raw(text string) fault { return rawThen(text, func(*hit, net.Conn) {}) }

// rawThenHang does what raw does, and leaves the connection open.
func rawThenHang(text string) fault { return rawThen(text, func(h *hit, _ net.Conn) { hang(h) }) }

// drip sends the head and then a byte every 5 ms until nobody listens.
func drip(head string) fault {
	return rawThen(head, func(h *hit, conn net.Conn) {
		for {
			select {
			case <-h.lab.release:
				return
			case <-tick():
			}
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
		}
	})
}

func rawThen(text string, then func(*hit, net.Conn)) fault {
	return afterBody(func(h *hit) {
		conn, _ := h.hijack()
		defer conn.Close()
		name, value := h.trace()
		io.WriteString(conn, strings.NewReplacer("\n", "\r\n", "TRACE", name+": "+value).Replace(text))
		then(h, conn)
	})
}
