package monitor

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// handler is one provider's handler, watched.
type handler struct {
	m        *Monitor
	provider string
	contract *contract.Contract
	next     http.Handler
}

// visit is one request on its way through.
type visit struct {
	*handler
	x         *contract.Exchange
	record    *entry
	outer     response
	asked     sync.Once
	responded bool // the handler gave its answer
}

type visitKey struct{}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{handler: h, x: h.contract.Begin(r, h.m.cfg.Watch)}
	fault := v.enter(r)
	r = v.x.Watching(context.WithValue(r.Context(), visitKey{}, v), r)
	a := &v.outer
	a.ResponseWriter, a.v = w, v
	defer v.end(a)
	if fault == nil {
		v.answer(a, r)
		return
	}
	a.fault = true
	fault.Fault(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.answer(&response{ResponseWriter: w, v: v, inner: true}, r)
	})).ServeHTTP(a, r)
	a.finish(r)
}

// answer has the handler itself give the answer.
func (v *visit) answer(a *response, r *http.Request) {
	defer v.m.noPanic()
	v.next.ServeHTTP(a, r)
	a.finish(r)
}

// look is called when an answer is about to leave. One that the handler gave is
// held to the contract. Of one that a fault gave or spoiled, what it says is
// kept: it may redirect, or hand out other URLs.
func (v *visit) look(a *response) {
	v.requestEnded()
	if !a.fault {
		v.responded = true
		v.found(v.x.FinishResponse(a.status(), a.Header(), a.whole()))
	} else if v.x.Op() == contract.Presigned && !v.responded {
		v.x.FinishResponse(a.status(), a.Header(), nil)
	} else if v.x.Operation() != nil && a.status()/100 == 2 {
		v.x.Learn(a.Header(), a.whole())
	}
	if !a.inner {
		v.settle(a, v.responded)
	}
}

// enter records a request and returns the fault that it meets.
func (v *visit) enter(r *http.Request) *Injection {
	record := &entry{Exchange: Exchange{
		Time: time.Now(), Provider: v.provider, Op: v.x.Op(), FileIDs: v.x.FileIDs(),
		Method: r.Method, Path: r.URL.EscapedPath(),
	}}
	if v.m.cfg.Watch.Head > 0 {
		record.URI, record.Header = r.RequestURI, r.Header.Clone()
	}
	v.record = record
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.active++
	m.history.add(record)
	fault := m.meet(v.provider, v.x.Op())
	if fault != nil {
		record.Fault, record.FaultID = fault.Kind, fault.ID
	}
	return fault
}

// requestEnded reports what is wrong with the request, once.
func (v *visit) requestEnded() {
	v.asked.Do(func() { v.found(v.x.FinishRequest()) })
}

func (v *visit) found(violations []*contract.Violation) {
	if len(violations) == 0 {
		return
	}
	v.m.mu.Lock()
	for _, broken := range violations {
		v.record.Violations = append(v.record.Violations, *broken)
	}
	v.m.mu.Unlock()
	if report := v.m.cfg.Report; report != nil {
		for _, broken := range violations {
			report(broken)
		}
	}
}

// settle writes down what became of a request, before its sender can know.
func (v *visit) settle(a *response, responded bool) {
	size, head := v.x.Received()
	files := v.x.Files()
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	r := v.record
	r.Received, r.Files, r.FileIDs, r.Responded = size, files, v.x.FileIDs(), responded
	r.Duration, r.Sent = time.Since(r.Time), a.written
	if r.Over = a.hijacked; !a.hijacked {
		r.Status = a.status()
		if name := v.contract.TraceHeader; name != "" {
			r.TraceID = a.Header().Get(name)
		}
		if r.TraceID == "" && r.Op == contract.Presigned {
			r.TraceID = a.Header().Get("X-Amz-Request-Id") // a storage service's
		}
	}
	if m.cfg.Watch.Head > 0 {
		r.Body, r.Fields = bytes.Clone(head), v.x.Fields()
		if !a.hijacked {
			r.AnswerHeader, r.Answer = a.Header().Clone(), bytes.Clone(a.body)
		}
	}
	m.history.measure(r)
}

// end closes the record of an exchange.
func (v *visit) end(a *response) {
	v.requestEnded()
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.active--
	r := v.record
	r.Duration, r.Sent, r.Over = time.Since(r.Time), a.written, true
	m.history.measure(r)
	if !r.gone {
		m.ended++
		r.Ended = m.ended
		m.wake()
	}
}

// noPanic keeps a panic of the handler from looking like a cut connection.
func (m *Monitor) noPanic() {
	if p := recover(); p != nil {
		if p != http.ErrAbortHandler && m.cfg.Panicked != nil {
			m.cfg.Panicked(p)
		}
		panic(http.ErrAbortHandler)
	}
}

// drain reads what a handler left of a body, so that it can be looked at, where
// net/http would read it too before the answer goes out.
func drain(r *http.Request) {
	const most = 256 << 10
	if r.ContentLength <= most && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, most)
	}
}
