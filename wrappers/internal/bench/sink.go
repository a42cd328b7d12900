package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
)

// sink is the other side of every upload: both providers' interfaces and a bare
// PUT, as cheap as a server can be, since it shares the machine with what is
// measured. It counts the bytes of a form by its framing and parses it only
// while it checks.
type sink struct {
	buffers sync.Pool

	mu     sync.Mutex
	tokens int            // fetched so far
	check  bool           // whether arriving bytes are hashed
	seen   map[string]int // how often each SHA-256 arrived
}

func newSink() *sink {
	return &sink{buffers: sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}, seen: map[string]int{}}
}

func (s *sink) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /put/{name}", s.raw)
	mux.HandleFunc("PUT /upload/{id}", s.raw)
	mux.HandleFunc("POST /v1/fileUpload", s.ticket)
	mux.HandleFunc("POST /api/v1/files", s.form)
	mux.HandleFunc("POST /openai/files", s.form)
	mux.HandleFunc("POST /oauth/token", s.token)
	return mux
}

// control is what the measuring process asks of the sink, on a port of its own.
func (s *sink) control(count func() connections) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /check/{on}", func(_ http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.check, s.seen = r.PathValue("on") == "on", map[string]int{}
	})
	mux.HandleFunc("GET /seen", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, http.StatusOK, s.seen)
	})
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) {
		c := count()
		s.mu.Lock()
		defer s.mu.Unlock()
		c.Tokens = s.tokens
		answer(w, http.StatusOK, c)
	})
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
	s.mu.Lock()
	s.tokens++
	n := s.tokens
	s.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"access_token": fmt.Sprintf("token-%d", n), "token_type": "Bearer", "expires_in": 3600})
}

func (s *sink) ticket(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	w.Header().Set("X-Trace-Id", "5c0ffee5-0000-4000-8000-5c0ffee50000")
	answer(w, http.StatusOK, map[string]any{
		"uploadMethod": "PUT",
		"uploadUrl":    scheme + "://" + r.Host + "/upload/67890?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%3Bhost&X-Amz-Signature=d41d8cd98f00b204e9800998ecf8427ed41d8cd98f00b204e9800998ecf8427e",
		"fileId":       67890,
	})
}

// hasher is nil where nothing is checked.
func (s *sink) hasher() hash.Hash {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.check {
		return nil
	}
	return sha256.New()
}

func (s *sink) arrived(h hash.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[hex.EncodeToString(h.Sum(nil))]++
}

func (s *sink) raw(w http.ResponseWriter, r *http.Request) {
	buf := s.buffers.Get().(*[]byte)
	defer s.buffers.Put(buf)
	h := s.hasher()
	for {
		n, err := r.Body.Read(*buf)
		if h != nil {
			h.Write((*buf)[:n])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	if h != nil {
		s.arrived(h)
	}
}

func (s *sink) form(w http.ResponseWriter, r *http.Request) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name, size := "", int64(0)
	if h := s.hasher(); h != nil {
		name, size, err = parseForm(r.Body, params["boundary"], h)
		if err == nil {
			s.arrived(h)
		}
	} else {
		buf := s.buffers.Get().(*[]byte)
		defer s.buffers.Put(buf)
		name, size, err = measureForm(r.Body, params["boundary"], *buf)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(r.URL.Path, "/openai/") {
		answer(w, http.StatusOK, map[string]any{"id": "file-40fe58bd", "object": "file", "bytes": size, "created_at": 1700000000, "filename": name, "purpose": "assistants", "status": "processed"})
		return
	}
	answer(w, http.StatusCreated, map[string]any{
		"tempRequestId": "f355aac1-7776-4c0b-8484-20eaa065cb65-99",
		"files":         []map[string]any{{"fileName": name, "fileSize": size, "fileId": "40fe58bd-91fe-4f89-a62e-705a7c17d65e-99"}},
	})
}

// measureForm takes the length of the one part of a form by what is around it.
// A form with more fields gets a wrong size, which only its own client could see.
func measureForm(body io.Reader, boundary string, buf []byte) (name string, size int64, err error) {
	var total, head int64
	for filled := 0; ; {
		n, err := body.Read(buf[filled:])
		total += int64(n)
		if head == 0 {
			filled += n
			if i := bytes.Index(buf[:filled], []byte("\r\n\r\n")); i >= 0 {
				head, filled = int64(i)+4, 0
				_, after, _ := strings.Cut(string(buf[:i]), `filename="`)
				name, _, _ = strings.Cut(after, `"`)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", 0, err
		}
		if filled == len(buf) {
			return "", 0, fmt.Errorf("the form's first part has no end of its header in %d bytes", filled)
		}
	}
	return name, total - head - int64(len("\r\n--"+boundary+"--\r\n")), nil
}

// parseForm hashes the part that has a file name.
func parseForm(body io.Reader, boundary string, h hash.Hash) (name string, size int64, err error) {
	for parts := multipart.NewReader(body, boundary); ; {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return name, size, nil
		}
		if err != nil {
			return "", 0, err
		}
		if p.FileName() == "" {
			continue
		}
		name = p.FileName()
		if size, err = io.Copy(h, p); err != nil {
			return "", 0, err
		}
	}
}
