package uploadtest

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/monitor"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/apispec"
)

// Fault stands in front of a handler and spoils one request. It answers in the
// handler's place, or it calls next and spoils the request or the answer.
// [Answer] makes one, and [ResetBefore], [ResetMiddle] and [ResetAfter] are
// others. A fault of your own takes five lines.
type Fault = monitor.Fault

// The faults that cut a connection.
var (
	// ResetBefore resets the connection before the body is read.
	ResetBefore Fault = monitor.ResetBefore
	// ResetMiddle resets the connection in the middle of the body. The
	// handler's read of the body ends with io.ErrUnexpectedEOF.
	ResetMiddle Fault = monitor.ResetMiddle
	// ResetAfter lets the handler do its work, and resets the connection in
	// place of its answer.
	ResetAfter Fault = monitor.ResetAfter
)

// Answer returns a fault that answers at once and does not read the request's
// body. Header alternates names and values.
func Answer(status int, body string, header ...string) Fault {
	return monitor.Answer(status, body, header...)
}

// Injection is a fault that was injected into a [Server].
type Injection struct {
	s  *Server
	id int64
}

// Inject sends the next requests of an operation through fault. Times is the
// number of requests; -1 means all of them. Op is the spec's operationId,
// [Presigned] or [Token], and empty means any request. Any other name fails the
// test. If several faults fit a request, it meets the one that was injected
// first and is not used up. Requests are still held to the spec, but an answer
// that a fault itself gives is not.
func (s *Server) Inject(op string, times int, fault Fault) *Injection {
	s.t.Helper()
	where := cmp.Or(op, "any request")
	if _, file, line, ok := runtime.Caller(1); ok {
		where += fmt.Sprintf(", %s:%d", filepath.Base(file), line)
	}
	if known := s.contract.Names(); op != "" && !slices.Contains(known, op) {
		slices.Sort(known)
		s.t.Errorf("uploadtest: Inject: no operation is called %s; the operations are %s", apispec.Quoted(op),
			strings.Join(known, ", "))
		return &Injection{s: s}
	}
	f := s.monitor.Inject(monitor.Injection{Op: op, Times: times, Kind: where, Fault: fault})
	return &Injection{s: s, id: f.ID}
}

// Remove takes the fault back: no later request meets it.
func (i *Injection) Remove() { i.s.monitor.Remove(i.id) }

// Unmet fails the test for each fault that no request has met. A fault that was
// taken back does not count.
func (s *Server) Unmet() {
	s.t.Helper()
	for _, f := range s.monitor.Injections() {
		if f.Met == 0 {
			s.t.Errorf("uploadtest: no request met the fault that was injected (%s)", f.Kind)
		}
	}
}
