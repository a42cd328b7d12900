package uploadtest

import (
	"net/http"
	"net/url"

	"github.com/putpost/putpost/wrappers/internal/monitor"
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

// File is one file that a [Server] received.
type File struct {
	Field       string // the form's field; empty where the body was the file
	Name        string // as it stood in the form, directories included
	ContentType string
	Size        int64  // bytes
	SHA256      string // of all bytes, in lower-case hex
	Body        []byte // the beginning, up to 1 MiB
}

func requestOf(x monitor.Exchange) Request {
	r := Request{
		Op: x.Op, Method: x.Method, URI: x.URI, Header: x.Header, Size: x.Received, Body: x.Body, Fields: x.Fields,
		Status: x.Status, AnswerHeader: x.AnswerHeader, Answer: x.Answer,
	}
	for _, f := range x.Files {
		r.Files = append(r.Files, File(f))
	}
	return r
}

// Requests returns the requests so far, in the order of their arrival: the last
// 10,000, with at most 256 MiB of their bodies. One that is being answered is
// among them, with what is known of it.
func (s *Server) Requests() []Request {
	var list []Request
	for _, x := range s.monitor.Exchanges() {
		list = append(list, requestOf(x))
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
