package monitor

import (
	"net/http"
	"net/url"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Exchange is one request that arrived and its answer.
type Exchange struct {
	ID       int64 // counts from 1
	Time     time.Time
	Provider string
	Op       string // the operationId, [contract.Presigned], [contract.Token], or empty
	Method   string
	Path     string // escaped, without the query

	Status   int // 0 before the answer, or if the connection was cut
	Duration time.Duration
	Sent     int64 // bytes of the answer's body
	Received int64 // bytes of the request's body that were read
	TraceID  string
	FileIDs  []string
	Refusal  string // why the handler refused it, as its log says: see [Refusals]
	Fault    string // the kind of the fault that was injected
	FaultID  int64  // 0: none
	Over     bool   // all of the above is final
	Ended    int64  // place in the order in which exchanges end, from 1; 0: not over

	Violations []contract.Violation
	Files      []contract.File // without their contents unless [Config.Watch] keeps them

	// Only where [Config.Watch] has a Head:
	URI          string     // path and query as they came
	Fields       url.Values // of a form, beside its files
	Header       http.Header
	Body         []byte // its beginning
	AnswerHeader http.Header
	Answer       []byte // the answer's body, up to [contract.Keep]
}

// size estimates the memory of an exchange, in bytes.
func (x *Exchange) size() int64 {
	const fixed = 1 << 10
	n := fixed + len(x.Path) + len(x.URI) + len(x.Refusal) + len(x.Body) + len(x.Answer) + len(x.TraceID)
	for _, id := range x.FileIDs {
		n += len(id) + 16
	}
	for _, f := range x.Files {
		n += 256 + len(f.Name) + len(f.ContentType) + len(f.Field) + len(f.Body)
	}
	for _, v := range x.Violations {
		n += 256 + len(v.Detail) + len(v.At)
	}
	for _, header := range []map[string][]string{x.Header, x.AnswerHeader, x.Fields} {
		for name, values := range header {
			n += len(name)
			for _, v := range values {
				n += len(v) + 16
			}
		}
	}
	return int64(n)
}
