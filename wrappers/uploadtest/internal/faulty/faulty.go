// Package faulty spoils requests and answers on their way between a client and
// a server.
package faulty

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
)

// ReadAll reads r to its end, into a buffer that is large enough for size bytes.
func ReadAll(r io.Reader, size int64) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, max(0, size)+bytes.MinRead))
	_, err := b.ReadFrom(r)
	return b.Bytes(), err
}

// Torn returns a body that ends with an error, if that is not nil.
func Torn(b []byte, err error) io.ReadCloser {
	end := ReaderFunc(func([]byte) (int, error) { return 0, cmp.Or(err, io.EOF) })
	return io.NopCloser(io.MultiReader(bytes.NewReader(b), end))
}

// Peek returns the body of a request, and leaves it there.
func Peek(r *http.Request) []byte {
	b, err := ReadAll(r.Body, r.ContentLength)
	r.Body = Torn(b, err)
	return b
}

type pair struct {
	io.Reader
	io.Closer
}

// ReadCloser returns a reader and what closes it.
func ReadCloser(r io.Reader, c io.Closer) io.ReadCloser { return pair{Reader: r, Closer: c} }

type TripFunc func(*http.Request) (*http.Response, error)

func (f TripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Trips puts a function in a transport's place.
func Trips(
	trip func(http.RoundTripper, *http.Request) (*http.Response, error),
) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return TripFunc(func(r *http.Request) (*http.Response, error) { return trip(next, r) })
	}
}

// RequestTo spoils the requests to paths that hold a text.
func RequestTo(path string, spoil func(*http.Request)) func(http.RoundTripper) http.RoundTripper {
	return Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		if strings.Contains(r.URL.Path, path) {
			r = r.Clone(r.Context())
			spoil(r)
		}
		return next.RoundTrip(r)
	})
}

// Rewrite spoils a body.
func Rewrite(r *http.Request, spoil func([]byte) []byte) {
	b, _ := ReadAll(r.Body, r.ContentLength)
	r.Body.Close()
	b = spoil(b)
	r.Body, r.GetBody, r.ContentLength = io.NopCloser(bytes.NewReader(b)), nil, int64(len(b))
}

func Rewritten(spoil func([]byte) []byte) func(*http.Request) {
	return func(r *http.Request) { Rewrite(r, spoil) }
}

func Replace(old, new string) func(*http.Request) {
	return func(r *http.Request) {
		Rewrite(r, func(b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(new), 1) })
	}
}

func Header(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
}

// Second spoils the second request to a path and all that follow it.
func Second(spoil func(*http.Request)) func(*http.Request) {
	var n atomic.Int32
	return func(r *http.Request) {
		if n.Add(1) > 1 {
			spoil(r)
		}
	}
}

// Status spoils the answers of one status to paths that hold a text.
func Status(code int, path string, spoil func(*http.Response)) func(http.RoundTripper) http.RoundTripper {
	return Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil && resp.StatusCode == code && strings.Contains(r.URL.Path, path) {
			spoil(resp)
		}
		return resp, err
	})
}

// Arrival spoils the requests to paths that hold a text.
func Arrival(path string, spoil func(*http.Request)) func(http.Handler) http.Handler {
	return Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, path) {
			r = r.Clone(r.Context())
			spoil(r)
		}
		next.ServeHTTP(w, r)
	})
}

// Reply spoils the answers to paths that hold a text.
func Reply(path string, spoil func(*httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	return Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, path) {
			next.ServeHTTP(w, r)
			return
		}
		Respelled(spoil)(next).ServeHTTP(w, r)
	})
}

// Serves puts a function in a handler's place.
func Serves(serve func(http.Handler, http.ResponseWriter, *http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(next, w, r) })
	}
}

// Refuses answers some requests by a status, and leaves the others to the handler.
func Refuses(status int, such func(*http.Request) bool) func(http.Handler) http.Handler {
	return Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if such(r) {
			w.WriteHeader(status)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// On spoils the answers of one status.
func On(code int, spoil func(*httptest.ResponseRecorder)) func(*httptest.ResponseRecorder) {
	return func(rec *httptest.ResponseRecorder) {
		if rec.Code == code {
			spoil(rec)
		}
	}
}

// Code answers with another status.
func Code(status int) func(*httptest.ResponseRecorder) {
	return func(rec *httptest.ResponseRecorder) { rec.Code = status }
}

// Bare answers with another status and with nothing else.
func Bare(status int) func(*httptest.ResponseRecorder) {
	return func(rec *httptest.ResponseRecorder) {
		*rec = *httptest.NewRecorder()
		rec.Code = status
	}
}

func Body(text string) func(*httptest.ResponseRecorder) {
	return func(rec *httptest.ResponseRecorder) { rec.Body = bytes.NewBufferString(text) }
}

func Said(old, new string) func(*httptest.ResponseRecorder) {
	return func(rec *httptest.ResponseRecorder) {
		rec.Body = bytes.NewBuffer(bytes.Replace(rec.Body.Bytes(), []byte(old), []byte(new), 1))
	}
}

// Swallowed hides from a handler that a body broke off.
func Swallowed(r *http.Request) {
	body := r.Body
	r.Body = ReadCloser(ReaderFunc(func(p []byte) (int, error) {
		n, err := body.Read(p)
		if err == io.ErrUnexpectedEOF {
			err = io.EOF
		}
		return n, err
	}), body)
}

type ReaderFunc func([]byte) (int, error)

func (f ReaderFunc) Read(p []byte) (int, error) { return f(p) }

// Respelled is a fault that lets the handler answer and changes what it said.
func Respelled(change func(*httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			change(answer)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Del("Content-Length")
			w.WriteHeader(answer.Code)
			_, _ = answer.Body.WriteTo(w)
		})
	}
}
