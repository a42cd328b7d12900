package bench

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The ways to reach a server.
const (
	plain = "plain"
	tlsH1 = "TLS"
	tlsH2 = "h2" // TLS, and the server offers HTTP/2
)

// sink is the other side of every upload: both providers' interfaces and a bare
// PUT, as cheap as a server that reads its requests can be.
type sink struct {
	keep  func(io.Reader) (int64, error) // takes one file
	delay time.Duration

	describe bool // keep a form's description, too

	check atomic.Bool // take the SHA-256 of each file
	counts

	mu   sync.Mutex
	seen map[string]int // how often each SHA-256 arrived
}

// counts are a server's figures since its start.
type counts struct{ Handshakes, Tokens atomic.Int64 }

// figures are counts in an answer.
type figures struct{ Handshakes, Tokens int64 }

// serve is a server process. It prints its addresses and ends with its input.
func serve(keep string) {
	s := &sink{keep: discard, seen: map[string]int{}}
	switch {
	case keep == "memory":
		s.keep = inMemory()
	case filepath.IsAbs(keep):
		s.keep = onDisk(keep)
	default:
		if dir, found := strings.CutPrefix(keep, "described:"); found {
			s.keep, s.describe = onDisk(dir), true
		}
	}
	s.delay, _ = time.ParseDuration(os.Getenv(envDelay))
	said := server{Base: map[string]string{}}
	for _, way := range []string{plain, tlsH1, tlsH2} {
		ts := httptest.NewUnstartedServer(s.handler())
		ts.Config.ErrorLog = log.New(io.Discard, "", 0)
		ts.EnableHTTP2 = way == tlsH2
		if way == plain {
			ts.Start()
		} else {
			ts.TLS = &tls.Config{VerifyConnection: func(tls.ConnectionState) error { s.Handshakes.Add(1); return nil }}
			ts.StartTLS()
			f, err := os.CreateTemp("", "ca-*.pem")
			if err == nil {
				err = pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw})
				f.Close()
			}
			if err != nil {
				log.Fatal(err)
			}
			said.CA = f.Name() // the same certificate on both ports
		}
		said.Base[way] = ts.URL
	}
	said.Control = httptest.NewServer(s.control()).URL
	_ = json.NewEncoder(os.Stdout).Encode(said)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func (s *sink) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/counts", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, figures{s.Handshakes.Load(), s.Tokens.Load()})
	})
	mux.HandleFunc("/check/{on}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.check.Store(r.PathValue("on") == "on")
		answer(w, 200, s.seen)
		s.seen = map[string]int{}
	})
	return mux
}

func (s *sink) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]http.HandlerFunc{
		"PUT /put/{name}":     s.raw,
		"PUT /upload/{id}":    s.raw,
		"POST /v1/fileUpload": s.ticket,
		"POST /oauth/token":   s.token,
		"POST /api/v1/files":  s.form,
		"POST /openai/files":  s.form,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(s.delay)
			h(w, r)
		})
	}
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	text, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(text)
}

func (s *sink) token(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	answer(w, 200, map[string]any{"access_token": fmt.Sprint("token-", s.Tokens.Add(1)), "token_type": "Bearer",
		"expires_in": 3600})
}

func (s *sink) ticket(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	signature := strings.Repeat("d41d8cd98f00b204e9800998ecf8427e", 2)
	w.Header().Set("X-Trace-Id", "5c0ffee5-0000-4000-8000-5c0ffee50000")
	answer(w, 200, map[string]any{"uploadMethod": "PUT", "fileId": 67890, "uploadUrl": scheme + "://" + r.Host +
		"/upload/67890?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%3Bhost&X-Amz-Signature=" + signature})
}

// take keeps one file.
func (s *sink) take(r io.Reader) (int64, error) {
	if !s.check.Load() {
		return s.keep(r)
	}
	h := sha256.New()
	n, err := s.keep(io.TeeReader(r, h))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[hex.EncodeToString(h.Sum(nil))]++
	return n, err
}

func (s *sink) raw(w http.ResponseWriter, r *http.Request) {
	if _, err := s.take(r.Body); err != nil {
		http.Error(w, err.Error(), 400)
	}
}

func (s *sink) form(w http.ResponseWriter, r *http.Request) {
	name, size := "", int64(0)
	parts, err := r.MultipartReader()
	for err == nil {
		part, next := parts.NextRawPart()
		if err = next; err == nil && part.FileName() != "" {
			name = part.FileName()
			size, err = s.take(part)
			if err == nil && s.describe {
				_, err = s.keep(strings.NewReader(name))
			}
		}
	}
	switch {
	case err != io.EOF:
		http.Error(w, err.Error(), 400)
	case strings.HasPrefix(r.URL.Path, "/openai/"):
		answer(w, 200, map[string]any{"id": "file-40fe58bd", "object": "file", "bytes": size, "created_at": 1700000000,
			"filename": name, "purpose": "assistants", "status": "processed"})
	default:
		answer(w, 201, map[string]any{
			"tempRequestId": "f355aac1-7776-4c0b-8484-20eaa065cb65-99",
			"files": []map[string]any{{"fileName": name, "fileSize": size,
				"fileId": "40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"}},
		})
	}
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func discard(r io.Reader) (int64, error) { return copyTo(io.Discard, r) }

func copyTo(w io.Writer, r io.Reader) (int64, error) {
	buf := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buf)
	return io.CopyBuffer(struct{ io.Writer }{w}, r, buf[:])
}

// inMemory keeps the last thousand files.
func inMemory() func(io.Reader) (int64, error) {
	var mu sync.Mutex
	var kept [1000][]byte
	next := 0
	return func(r io.Reader) (int64, error) {
		content, err := io.ReadAll(r)
		mu.Lock()
		defer mu.Unlock()
		kept[next%len(kept)] = content
		next++
		return int64(len(content)), err
	}
}

// onDisk is the least for an upload that must survive: one fsync, one rename.
func onDisk(dir string) func(io.Reader) (int64, error) {
	var next atomic.Int64
	return func(r io.Reader) (int64, error) {
		f, err := os.CreateTemp(dir, ".aside-")
		if err != nil {
			return 0, err
		}
		n, err := copyTo(f, r)
		if err == nil {
			err = f.Sync()
		}
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err == nil {
			err = os.Rename(f.Name(), filepath.Join(dir, fmt.Sprint("file-", next.Add(1))))
		}
		return n, err
	}
}
