package uploadtest

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// Server is a handler on a loopback socket whose every exchange is held to a
// spec, remembered, and open to faults. Get one from [Serve].
type Server struct {
	URL     string // scheme, host and port
	BaseURL string // URL and the path of the spec's first server: the base URL for a client

	t        testing.TB
	contract *contract
	handler  http.Handler

	mu       sync.Mutex
	requests []*Request
	faults   []*injection
	reported map[string]bool
	active   int // requests being answered
}

// Request is one request that a [Server] received.
type Request struct {
	Op     string // the spec's operationId, [Presigned], [Token], or empty
	Method string
	URI    string // path and query as they came
	Header http.Header
	Size   int64  // how much of the body was read, in bytes
	Body   []byte // its beginning, up to 1 MiB
	Files  []File // in a form each file, of a presigned step the body

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

// Serve starts handler on a loopback socket until t ends. Every exchange of an
// operation of spec, an OpenAPI 3.0 document in YAML or JSON, is validated in
// both directions; so are the presigned step and the token call, as far as any
// such call has rules (see the package documentation). A broken rule fails t
// with the one line of a [Violation], once.
//
// The handler is mounted where the spec's servers are: for a server
// https://api.example.com/v1 it receives /v1/... . Bodies stream through; what
// is kept of them is bounded, see [Request] and [File].
func Serve(t testing.TB, handler http.Handler, spec []byte) *Server {
	t.Helper()
	c, err := parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, contract: c, handler: handler, reported: map[string]bool{}}
	ts := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	ts.Config.ErrorLog = log.New(io.Discard, "", 0) // cut connections are the daily bread here
	ts.Start()
	t.Cleanup(func() {
		ts.CloseClientConnections()
		ts.Close()
	})
	s.URL, s.BaseURL = ts.URL, ts.URL+c.bases[0]
	return s
}

// Requests are all requests so far, in the order of their arrival. One that is
// being answered is among them, with what is known of it.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Request, len(s.requests))
	for i, r := range s.requests {
		list[i] = *r
	}
	return list
}

// Files are the files in all requests that were answered by a status of 2xx.
func (s *Server) Files() []File {
	var files []File
	for _, r := range s.Requests() {
		if r.Status/100 == 2 {
			files = append(files, r.Files...)
		}
	}
	return files
}

// serve is what every request goes through.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	var chunk string
	switch {
	case len(r.TransferEncoding) > 0:
		chunk = "chunked: the body's length is not said"
	case r.Header.Get("Content-Length") == "":
		chunk = "no Content-Length"
	}
	x := s.contract.begin(r, r.Host, r.RequestURI, r.ContentLength, chunk)
	if x.body != nil {
		// In a copy: net/http decides by the type of its own request's body whether
		// it may answer before it has read on.
		r = r.WithContext(r.Context())
		r.Body = x.body
	}
	record := &Request{Op: x.op.name, Method: r.Method, URI: r.RequestURI, Header: r.Header.Clone()}
	f := s.enter(record)
	defer s.leave()

	checked := sync.OnceFunc(func() { s.report(x.finishRequest()...) })
	defer checked()
	answered := false
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.noPanic()
		a := &answer{ResponseWriter: w, look: func(a *answer) {
			checked()
			answered = true
			if v := x.finishResponse(a.status(), a.Header(), a.whole()); v != nil {
				s.report(v)
			}
		}}
		s.handler.ServeHTTP(a, r)
		a.finish(r)
	})
	a := &answer{ResponseWriter: w, look: func(a *answer) {
		checked()
		if !answered && x.op.name == Presigned {
			_ = x.finishResponse(a.status(), a.Header(), nil) // a fault may redirect
		}
		s.settle(record, x, a)
	}}
	if f != nil {
		f(handler).ServeHTTP(a, r)
	} else {
		handler.ServeHTTP(a, r)
	}
	if a.hijacked {
		checked()
		s.settle(record, x, a)
	}
	a.finish(r)
}

// drain reads what a handler left of a body, so that it can be looked at, where
// net/http would read it too before the answer goes out.
func drain(r *http.Request) {
	const most = 256 << 10
	if r.ContentLength <= most && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, most)
	}
}

// noPanic keeps a panic of the handler from looking like a cut connection.
func (s *Server) noPanic() {
	if p := recover(); p != nil {
		if p != http.ErrAbortHandler {
			s.t.Errorf("uploadtest: the handler panicked: %v", p)
		}
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) enter(r *Request) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active++
	s.requests = append(s.requests, r)
	for _, f := range s.faults {
		if f.left != 0 && (f.op == "" || f.op == r.Op) {
			f.left--
			return f.fault
		}
	}
	return nil
}

func (s *Server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
}

// settle writes down what became of a request, before its sender can know.
func (s *Server) settle(record *Request, x *exchange, a *answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x.body != nil {
		record.Size, record.Body = x.body.digest.size, bytes.Clone(x.body.digest.head.Bytes())
	}
	switch {
	case x.body != nil && x.body.form != nil:
		record.Files = x.body.files("")
	case x.op.name == Presigned && x.body != nil:
		record.Files = x.body.files(record.Header.Get("Content-Type"))
	case x.op.name == Presigned:
		record.Files = (&body{}).files(record.Header.Get("Content-Type"))
	}
	if !a.hijacked {
		record.Status, record.AnswerHeader, record.Answer = a.status(), a.Header().Clone(), bytes.Clone(a.body.Bytes())
	}
}

// report fails the test by each violation, once however often it happens.
func (s *Server) report(violations ...*Violation) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range violations {
		if line := v.Error(); !s.reported[line] {
			s.reported[line] = true
			s.t.Error(line)
		}
	}
}

// quiet waits until no request is being answered: after a client gave up on
// one, the handler may still be at it.
func (s *Server) quiet() {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		s.mu.Lock()
		active := s.active
		s.mu.Unlock()
		if active == 0 {
			return
		}
	}
	s.t.Errorf("uploadtest: a handler is still at work 5 s after its client has gone")
}

// received counts the requests of an operation.
func (s *Server) received(op string) (n int) {
	for _, r := range s.Requests() {
		if r.Op == op {
			n++
		}
	}
	return n
}

// ops are the operations that were asked for, in the order of their first request.
func (s *Server) ops() []string {
	var ops []string
	for _, r := range s.Requests() {
		if !slices.Contains(ops, r.Op) {
			ops = append(ops, r.Op)
		}
	}
	return ops
}
