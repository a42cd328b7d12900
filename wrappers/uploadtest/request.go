package uploadtest

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Request is one request that a [Server] received.
type Request struct {
	Op     string // the spec's operationId, [Presigned], [Token], or empty
	Method string
	URI    string // path and query as they came
	Header http.Header
	Size   int64      // the number of bytes of the body that were read
	Body   []byte     // its beginning, up to 1 MiB
	Fields url.Values // of a form, beside its files
	Files  []File     // the files of a form, or the body if that is the file

	Status       int // the answer's; 0 before there is one, or if the connection was cut
	AnswerHeader http.Header
	Answer       []byte // the answer's body, up to 1 MiB

	time   time.Time // of its arrival
	broken []Violation
}

// File is one file that a [Server] received. Field is its field in the form, or
// empty if the body is the file. Name is the name that was sent, directories
// included. Size is the number of bytes. SHA256 is the hash of all bytes in
// lower-case hex. Body holds the first 1 MiB.
type File = contract.File

// Requests returns the requests so far, in the order of their arrival. It keeps
// the last 10,000, and at most 256 MiB of their bodies. A request that has no
// answer yet is among them, as far as it is known.
func (s *Server) Requests() []Request {
	var list []Request
	for _, x := range s.monitor.Exchanges() {
		list = append(list, Request{
			x.Op, x.Method, x.URI, x.Header, x.Received, x.Body, x.Fields, x.Files, x.Status, x.AnswerHeader, x.Answer,
			x.Time, x.Violations,
		})
	}
	return list
}

// Files returns the files of all requests that were answered with a 2xx.
func (s *Server) Files() []File {
	var files []File
	for _, r := range s.Requests() {
		if r.Status/100 == 2 {
			files = append(files, r.Files...)
		}
	}
	return files
}

// broke reports whether a request broke a rule of the contract. The Server has
// told so, and a property need not tell it again.
func (r Request) broke(rule string) bool {
	return slices.ContainsFunc(r.broken, func(v Violation) bool { return v.Rule == rule })
}

// asks reports whether a request changes nothing, but asks for something.
func (r Request) asks() bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// opsOf returns the operations of requests, in the order of their first one.
func opsOf(requests []Request) []string {
	var ops []string
	for _, r := range requests {
		if r.Op != "" && !slices.Contains(ops, r.Op) {
			ops = append(ops, r.Op)
		}
	}
	return ops
}
