package bench

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ways are the ways to reach a server. h2 is TLS with HTTP/2.
var ways = []string{"plain", "TLS", "h2"}

// sink is the server of every upload: both providers' APIs and a bare PUT, at
// the lowest cost. A handler that panics ends its connection.
type sink struct {
	find  func(*http.Request) (name string, content io.Reader) // the file in a form
	keep  func(io.Reader) int64                                // takes one file
	names bool                                                 // a form's file name is kept as another file
	delay time.Duration                                        // before each answer

	handshakes, tokens atomic.Int64
}

// newSink makes a sink that keeps files in memory ("bare:memory"), in a folder
// ("bare:/dir", or "named:/dir" with their names), or not at all ("nothing").
// Then it checks the files.
func newSink(keep string) *sink {
	switch kind, where, _ := strings.Cut(keep, ":"); {
	case where == "memory":
		return &sink{find: parse, keep: inMemory}
	case kind == "nothing": // the clients are measured: M must not cost their server more than a PUT
		return &sink{find: skim, keep: compare}
	default:
		return &sink{find: parse, keep: onDisk(where), names: kind == "named"}
	}
}

// serve serves s until the process ends, and returns the address of each way.
func (s *sink) serve() (urls []string) {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{"PUT /put/{name}": s.raw, "PUT /upload/{id}": s.raw,
		"POST /v1/fileUpload": s.ticket, "POST /oauth/token": s.token,
		"POST /api/v1/files": s.form, "POST /openai/files": s.form} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(s.delay)
			w.Header().Set("Content-Type", "application/json")
			handle(w, r)
		})
	}
	for _, way := range ways {
		ts := httptest.NewUnstartedServer(mux)
		ts.Config.ErrorLog = log.New(io.Discard, "", 0)
		ts.EnableHTTP2 = way == "h2"
		ts.TLS = &tls.Config{VerifyConnection: func(tls.ConnectionState) error { s.handshakes.Add(1); return nil }}
		if way == "plain" {
			ts.Start()
		} else {
			ts.StartTLS()
		}
		urls = append(urls, ts.URL)
	}
	return urls
}

func (s *sink) token(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":3600}`, s.tokens.Add(1))
}

func (s *sink) ticket(w http.ResponseWriter, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	w.Header().Set("X-Trace-Id", "5c0ffee5-0000-4000-8000-5c0ffee50000")
	fmt.Fprintf(w, `{"uploadMethod":"PUT","fileId":67890,"uploadUrl":"%s://%s/upload/67890?X-Amz-Algorithm=`+
		`AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%%3Bhost&X-Amz-Signature=%s"}`,
		scheme, r.Host, strings.Repeat("d41d8cd98f00b204e9800998ecf8427e", 2))
}

func (s *sink) raw(_ http.ResponseWriter, r *http.Request) { s.keep(r.Body) }

func (s *sink) form(w http.ResponseWriter, r *http.Request) {
	name, content := s.find(r)
	size := s.keep(content)
	if s.names {
		s.keep(strings.NewReader(name))
	}
	must(io.Copy(io.Discard, r.Body))
	if strings.HasPrefix(r.URL.Path, "/openai/") {
		fmt.Fprintf(w, `{"id":"file-40fe58bd","object":"file","bytes":%d,"created_at":1700000000,"filename":%q,`+
			`"purpose":"user_data","status":"processed"}`, size, name)
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"tempRequestId":"f355aac1-7776-4c0b-8484-20eaa065cb65-99","files":[{"fileName":%q,"fileSize":%d,`+
		`"fileId":"40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"}]}`, name, size)
}

// parse finds the file in any form.
func parse(r *http.Request) (name string, content io.Reader) {
	for parts := must(r.MultipartReader()); ; {
		if part := must(parts.NextRawPart()); part.FileName() != "" {
			return part.FileName(), part
		}
	}
}

// skim finds the file in a form whose file is named by its size, as in
// 16384.pdf. It costs little more than a body without a form.
func skim(r *http.Request) (name string, content io.Reader) {
	lines := bufio.NewReader(r.Body)
	for line := ""; name == "" || line != "\r\n"; {
		line = must(lines.ReadString('\n'))
		if _, after, found := strings.Cut(line, `filename="`); found {
			name, _, _ = strings.Cut(after, `"`)
		}
	}
	size := strings.TrimSuffix(name[strings.LastIndex(name, "-")+1:], ".pdf")
	return name, io.LimitReader(lines, must(strconv.ParseInt(size, 10, 64)))
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func copyTo(w io.Writer, r io.Reader) int64 {
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	return must(io.CopyBuffer(struct{ io.Writer }{w}, r, buf[:]))
}

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	sums       sync.Map // of contents, by their lengths
)

// compare keeps nothing, and fails unless r has the content of [file].
func compare(r io.Reader) int64 {
	sum := crc32.New(castagnoli)
	n := copyTo(sum, r)
	want, known := sums.Load(n)
	if !known {
		of := crc32.New(castagnoli)
		must(io.Copy(of, content(n)))
		want, _ = sums.LoadOrStore(n, of.Sum32())
	}
	if want != sum.Sum32() {
		log.Panicf("%d bytes arrived that are not a file's", n)
	}
	return n
}

var memory sync.Map

func inMemory(r io.Reader) int64 {
	content := must(io.ReadAll(r))
	memory.Store(&content, nil)
	return int64(len(content))
}

// onDisk does the least for a durable upload: one fsync, one rename.
func onDisk(dir string) func(io.Reader) int64 {
	var next atomic.Int64
	return func(r io.Reader) int64 {
		f := must(os.CreateTemp(dir, ".aside-"))
		n := copyTo(f, r)
		check(errors.Join(f.Sync(), f.Close(), os.Rename(f.Name(),
			filepath.Join(dir, fmt.Sprint("file-", next.Add(1))))))
		return n
	}
}
