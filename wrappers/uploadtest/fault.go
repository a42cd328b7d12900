package uploadtest

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/putpost/putpost/wrappers/internal/monitor"
)

// Fault stands in front of a handler and spoils one request: it answers in the
// handler's place, or it calls next and spoils what goes in or comes out.
// [Answer] makes one, [ResetBefore], [ResetMiddle] and [ResetAfter]
// are others, and five lines make your own.
type Fault = monitor.Fault

// Faults that stand ready.
var (
	// ResetBefore resets the connection before the body is read.
	ResetBefore Fault = monitor.ResetBefore
	// ResetMiddle resets the connection in the middle of the body, which ends
	// with io.ErrUnexpectedEOF for the handler.
	ResetMiddle Fault = monitor.ResetMiddle
	// ResetAfter lets the handler do its work and resets the connection in
	// place of its answer.
	ResetAfter Fault = monitor.ResetAfter
)

// Answer returns a fault that answers at once, without a look at the request's
// body. Header alternates names and values.
func Answer(status int, body string, header ...string) Fault {
	return monitor.Answer(status, body, header...)
}

// Injection is a fault that was injected into a [Server].
type Injection struct {
	s  *Server
	id int64
}

// Inject has the next requests of an operation, as many as times says, go
// through fault; -1 times is for ever. Op is the spec's operationId,
// [Presigned] or [Token], and empty for any request; any other name fails the
// test. Of several faults that fit, the one injected first holds until it is
// used up. Requests are still held to the spec. An answer that a fault gives
// itself is not.
func (s *Server) Inject(op string, times int, fault Fault) *Injection {
	s.t.Helper()
	where := cmp.Or(op, "any request")
	if _, file, line, ok := runtime.Caller(1); ok {
		where += fmt.Sprintf(", %s:%d", filepath.Base(file), line)
	}
	f, err := s.monitor.Inject(monitor.Injection{Op: op, Times: times, Kind: where, Fault: fault})
	if err != nil {
		s.t.Errorf("uploadtest: Inject: %v", err)
	}
	return &Injection{s: s, id: f.ID}
}

// Remove takes the fault back: no request meets it any more.
func (i *Injection) Remove() { i.s.monitor.Remove(i.id) }

// Unmet fails the test for each fault that was injected, not taken back, and
// met by no request.
func (s *Server) Unmet() {
	s.t.Helper()
	for _, f := range s.monitor.Injections() {
		if f.Met() == 0 {
			s.t.Errorf("uploadtest: no request met the fault that was injected (%s)", f.Kind)
		}
	}
}
