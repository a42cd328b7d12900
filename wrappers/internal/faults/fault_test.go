package faults

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
)

// fault answers one request in a wrong way.
type fault func(*hit)

// hit is one request that a fault answers.
type hit struct {
	w       http.ResponseWriter
	r       *http.Request
	n       int // the number of the request at its place, from 1
	at      place
	lab     *lab
	correct func() // answers correctly
}

// first applies the fault to the first n requests only.
func first(n int, f fault) fault {
	return func(h *hit) {
		if h.n > n {
			h.correct()
			return
		}
		f(h)
	}
}

// inTurn applies the nth fault to the nth request, and none after the last.
func inTurn(faults ...fault) fault {
	return func(h *hit) {
		if h.n > len(faults) {
			h.correct()
			return
		}
		faults[h.n-1](h)
	}
}

// answer answers without reading the body. Header alternates names and values.
func answer(status int, body string, header ...string) fault {
	return func(h *hit) {
		for i := 0; i+1 < len(header); i += 2 {
			h.w.Header().Add(header[i], header[i+1])
		}
		h.w.WriteHeader(status)
		io.WriteString(h.w, body)
	}
}

// afterBody reads the whole body first.
func afterBody(f fault) fault {
	return func(h *hit) {
		io.Copy(io.Discard, h.r.Body)
		f(h)
	}
}

// afterHalf reads half of the body first.
func afterHalf(f fault) fault {
	return func(h *hit) {
		io.CopyN(io.Discard, h.r.Body, h.r.ContentLength/2)
		f(h)
	}
}

// done handles the request correctly but discards the answer, and then applies
// the fault.
func done(f fault) fault {
	return func(h *hit) {
		h.lab.correctlyTo(&voidWriter{header: http.Header{}}, h)
		f(h)
	}
}

// correctlyTo calls the correct handler with w.
func (l *lab) correctlyTo(w http.ResponseWriter, h *hit) { l.correct(h.at)(w, h.r) }

// voidWriter records an answer and sends nothing.
type voidWriter struct {
	header http.Header
	body   strings.Builder
}

func (v *voidWriter) Header() http.Header         { return v.header }
func (v *voidWriter) WriteHeader(int)             {}
func (v *voidWriter) Write(p []byte) (int, error) { return v.body.Write(p) }

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
func reset(h *hit) {
	conn, _ := h.hijack()
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// closed closes the connection in order.
func closed(h *hit) {
	conn, _ := h.hijack()
	conn.Close()
}

// raw reads the body, sends text and closes the connection. It replaces TRACE
// in the text by the header with the trace id, and "\n" by "\r\n".
func raw(text string) fault {
	return afterBody(func(h *hit) {
		conn, _ := h.hijack()
		defer conn.Close()
		io.WriteString(conn, h.onTheWire(text))
	})
}

// rawThenHang does what raw does, and leaves the connection open.
func rawThenHang(text string) fault {
	return afterBody(func(h *hit) {
		conn, _ := h.hijack()
		io.WriteString(conn, h.onTheWire(text))
		hang(h)
	})
}

func (h *hit) onTheWire(text string) string {
	trace := h.at.traceHeader() + ": " + h.w.Header().Get(h.at.traceHeader())
	return strings.NewReplacer("\n", "\r\n", "TRACE", trace).Replace(text)
}

// drip sends the head and then a byte every 5 ms until nobody listens.
func drip(head string) fault {
	return afterBody(func(h *hit) {
		conn, _ := h.hijack()
		io.WriteString(conn, h.onTheWire(head))
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
