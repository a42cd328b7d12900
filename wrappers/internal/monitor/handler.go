package monitor

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// handler records and checks the exchanges of one provider's handler.
type handler struct {
	m        *Monitor
	provider string
	contract *contract.Contract
	next     http.Handler
}

// visit is one request on its way through a handler. It is the request's
// context.
type visit struct {
	context.Context
	*handler
	x      *contract.Exchange
	record *entry
	outer  response
	waits  bool // the record has the check, and all that it needs
}

type visitKey struct{}

func (v *visit) Value(key any) any {
	if key == (visitKey{}) {
		return v
	}
	return v.Context.Value(key)
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := h.contract.Begin(r, h.m.cfg.Watch)
	if x.Op() == "" && h.m.settle() { // an answer may have handed out its URL
		x = h.contract.Begin(r, h.m.cfg.Watch)
	}
	v := &visit{Context: r.Context(), handler: h, x: x}
	fault := v.enter(r)
	r = v.x.Watching(v, r)
	a := &v.outer
	a.ResponseWriter, a.v = w, v
	defer v.end()
	if fault == nil {
		v.answer(a, r)
		return
	}
	a.fault = true
	fault.Fault(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, lost := w.(discard) // nobody gets this answer
		v.answer(&response{ResponseWriter: w, v: v, inner: true, fault: lost}, r)
	})).ServeHTTP(a, r)
	a.finish(r)
}

// answer calls the watched handler itself.
func (v *visit) answer(a *response, r *http.Request) {
	defer v.m.reportPanic()
	v.next.ServeHTTP(a, r)
	a.finish(r)
}

// checkResponse is called before an answer is sent. If the handler gave it, it
// is held to the contract. If a fault gave or changed it, only its URLs are
// noted, since it may redirect or hand out others.
func (v *visit) checkResponse(a *response) {
	v.waits = v.mayWait(a)
	if !v.waits {
		v.report(v.x.CheckRequest(false))
		if !a.fault {
			v.report(v.x.FinishResponse(a.status(), a.Header(), a.whole()))
		} else if v.x.Op() == contract.Presigned {
			v.x.FinishResponse(a.status(), a.Header(), nil)
		} else if v.x.Operation() != nil && a.status()/100 == 2 {
			v.x.Learn(a.Header(), a.whole())
		}
	}
	if !a.inner {
		v.recordOutcome(a)
	}
}

// mostWaiting limits the bytes of both bodies that wait with a check.
const mostWaiting = 8 << 10

// mayWait reports whether the check may wait until somebody looks at the
// exchange, since mostly nobody does. It may wait if nobody is told of
// violations, the URLs of the answer are known without it, nothing changes any
// more, and it needs little memory.
func (v *visit) mayWait(a *response) bool {
	cfg, c := v.m.cfg, v.contract
	return cfg.Report == nil && cfg.Watch.Head == 0 && (!c.HandsOut || c.Issued != nil) && v.x.Operation() != nil &&
		!a.fault && !a.inner && a.returned && v.x.Came() && v.x.Holds()+len(a.body) <= mostWaiting
}

// enter records a request and returns the fault that it meets.
func (v *visit) enter(r *http.Request) *Injection {
	record := &entry{Exchange: Exchange{
		Time: time.Now(), Provider: v.provider, Op: v.x.Op(), FileIDs: v.x.FileIDs(),
		Method: r.Method, Path: r.URL.EscapedPath(),
	}}
	if v.m.cfg.Watch.Head != 0 {
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

func (v *visit) report(violations []*contract.Violation) {
	if len(violations) == 0 {
		return
	}
	v.m.mu.Lock()
	for _, broken := range violations {
		v.record.Violations = append(v.record.Violations, *broken)
	}
	v.m.mu.Unlock()
	if v.m.cfg.Report != nil {
		for _, broken := range violations {
			v.m.cfg.Report(broken)
		}
	}
}

// recordOutcome completes the record of a request before the answer is sent.
func (v *visit) recordOutcome(a *response) {
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	v.recordRequest()
	r := v.record
	r.FileIDs, r.Duration, r.Sent = v.x.FileIDs(), time.Since(r.Time), a.written
	if r.Over = a.hijacked; !a.hijacked {
		r.Status = a.status()
		if name := v.contract.TraceHeader; name != "" {
			r.TraceID = a.Header().Get(name)
		}
		if r.TraceID == "" && r.Op == contract.Presigned {
			r.TraceID = a.Header().Get("X-Amz-Request-Id") // from a storage service
		}
	}
	if m.cfg.Watch.Head != 0 && !a.hijacked {
		r.AnswerHeader, r.Answer = a.Header().Clone(), bytes.Clone(a.body)
	}
	if v.waits {
		v.x.Park(r.Status, a.Header(), a.body)
		r.check = v.x
	}
	m.history.measure(r)
}

// recordRequest completes the record of what has come of the body. The caller
// holds the monitor's lock.
func (v *visit) recordRequest() {
	r := v.record
	var head []byte
	r.Received, head = v.x.Received()
	if v.x.Checked() {
		r.Files = v.x.Files()
	}
	if v.m.cfg.Watch.Head != 0 {
		r.Body = head
		if v.x.Checked() {
			r.Fields = v.x.Fields()
		}
	}
}

// end marks the exchange as over. If the answer was sent before the body had
// come, the rest of the body has come by now, or the caller has given up.
func (v *visit) end() {
	early := !v.waits && !v.x.Checked()
	if !v.waits {
		v.report(v.x.CheckRequest(true))
	}
	m := v.m
	m.mu.Lock()
	defer m.mu.Unlock()
	m.active--
	r := v.record
	if early {
		v.recordRequest()
		m.history.measure(r)
	}
	r.Duration, r.Sent, r.Over = time.Since(r.Time), v.outer.written, true
	if !r.dropped {
		m.ended++
		r.Ended = m.ended
		m.wake()
	}
}

// reportPanic is deferred. It reports a panic of the handler. Without the
// report a panic would look like a cut connection.
func (m *Monitor) reportPanic() {
	if p := recover(); p != nil {
		if p != http.ErrAbortHandler && m.cfg.Panicked != nil {
			m.cfg.Panicked(p)
		}
		panic(http.ErrAbortHandler)
	}
}

// drain reads the rest of a body for the contract's check. It reads only what
// net/http would also read before it sends the answer.
func drain(r *http.Request) {
	const most = 256 << 10
	if r.ContentLength <= most && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, most)
	}
}
