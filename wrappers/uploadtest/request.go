package uploadtest

import (
	"net/http"
	"net/url"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

// Request is one request that a [Server] received.
type Request struct {
	Op     string // the spec's operationId, [Presigned], [Token], or empty
	Method string
	URI    string // path and query as they came
	Header http.Header
	Size   int64      // how much of the body was read, in bytes
	Body   []byte     // its beginning, up to 1 MiB
	Fields url.Values // of a form, beside its files
	Files  []File     // the files of a form, or the body of an operation that takes a file so

	Status       int // what was answered; 0 while nothing was, or the connection was cut
	AnswerHeader http.Header
	Answer       []byte // the answer's body, up to 1 MiB
}

// File is one file that a [Server] received: the Field of its form, which is
// empty if the body was the file, its Name as it stood there, directories
// included, its ContentType, its Size in bytes, the SHA256 of all bytes in
// lower-case hex, and in Body their beginning, up to 1 MiB.
type File = contract.File

// Requests returns the requests so far, in the order of their arrival: the last
// 10,000, with at most 256 MiB of their bodies. One that is being answered is
// among them, with what is known of it.
func (s *Server) Requests() []Request {
	var list []Request
	for _, x := range s.monitor.Exchanges() {
		list = append(list, Request{
			x.Op, x.Method, x.URI, x.Header, x.Received, x.Body, x.Fields, x.Files, x.Status, x.AnswerHeader, x.Answer,
		})
	}
	return list
}

// Files returns the files in all requests that were answered by a status of
// 2xx.
func (s *Server) Files() []File {
	var files []File
	for _, r := range s.Requests() {
		if r.Status/100 == 2 {
			files = append(files, r.Files...)
		}
	}
	return files
}
