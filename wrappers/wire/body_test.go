package wire_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// request makes a request whose body is b, as a generated client does.
func request(t *testing.T, b *wire.Body) (*http.Request, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1", nil)
	must(t, err)
	return req, b.Edit(t.Context(), req)
}

// sending is request for a body that can be sent.
func sending(t *testing.T, b *wire.Body) *http.Request {
	t.Helper()
	req, err := request(t, b)
	must(t, err)
	return req
}

func TestBodyRefusesWhatCannotBeSent(t *testing.T) {
	ok := upload.Bytes("a.txt", []byte("x"))
	with := func(edit func(*upload.Source)) upload.Source { s := ok; edit(&s); return s }
	typed := func(contentType string) *wire.Body {
		return wire.Raw(with(func(s *upload.Source) { s.ContentType = contentType }))
	}
	for _, tt := range []struct {
		name string
		body *wire.Body
		says string
	}{
		{"no Open", wire.Raw(upload.Source{Name: "a"}), "no Open"},
		{"negative size", wire.Raw(with(func(s *upload.Source) { s.Size = -1 })), "the size is -1 bytes"},
		{"a word for a content type", typed("pdf"), "no media type"},
		{"the content type /", typed("/"), "no media type"},
		{"the content type /pdf", typed("/pdf"), "no media type"},
		{"a content type with a blank", typed("te xt/plain"), "no media type"},
		{"a content type with a line break", typed("text/plain;\r\n x=y"), "no media type"},
		{"no name in a form", wire.Form("f", with(func(s *upload.Source) { s.Name = "dir/" })), "no name"},
		{"NUL in a name", wire.Form("f", with(func(s *upload.Source) { s.Name = "a\x00b" })), "control"},
		{"line break in a name", wire.Form("f", with(func(s *upload.Source) { s.Name = "a\nb" })), "control"},
		{"name that is not UTF-8", wire.Form("f", with(func(s *upload.Source) { s.Name = "a\xff" })), "UTF-8"},
		{"form without parts", wire.Form("f"), "without parts: give it a file"},
		{"form of parts that are left out", wire.FormOf(wire.Field{Name: "f"}), "without parts"},
		{"no name of a field", wire.FormOf(wire.Field{Value: "x"}), "has no name"},
		{"quotes in the name of a field", wire.FormOf(wire.Field{Name: `a"b`, Value: "x"}), `field "a\"b"`},
		{"line break in the name of a field", wire.Form("a\r\nb", ok), `field "a\r\nb"`},
		{"a word for the content type of a value", wire.FormOf(wire.Field{Name: "f", Value: "x", ContentType: "json"}),
			`field "f"`},
		{"a file of no source", wire.FormOf(wire.Field{Name: "f", File: &upload.Source{}}), `field "f"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := request(t, tt.body)
			if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), tt.says) ||
				strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("error %v, want one line, ErrInvalid, saying %q", err, tt.says)
			}
			if req.Body != nil {
				t.Error("the request got a body")
			}
		})
	}
}

// counted counts what is opened and closed.
type counted struct{ opened, closed int }

func (c *counted) source(name string, size int64, open func() (io.Reader, error)) upload.Source {
	return upload.Source{Name: name, Size: size, Open: func() (io.ReadCloser, error) {
		r, err := open()
		if err != nil {
			return nil, err
		}
		c.opened++
		return &closer{r, c}, nil
	}}
}

type closer struct {
	io.Reader
	c *counted
}

func (c *closer) Close() error { c.c.closed++; return nil }

func TestSizeIsPinned(t *testing.T) {
	const size = 10_000
	data := bytes.Repeat([]byte("x"), size+1)
	readers := map[string]func(io.Reader) io.Reader{
		"plain":                  func(r io.Reader) io.Reader { return r },
		"one byte a read":        iotest.OneByteReader,
		"end with the last data": iotest.DataErrReader,
	}
	for kind, wrap := range readers {
		for _, tt := range []struct {
			name string
			n    int
			says string
		}{
			{"as described", size, ""},
			{"grew by one byte", size + 1, "more than its size"},
			{"shrank by one byte", size - 1, "1 bytes before"},
			{"vanished", 0, "10000 bytes before"},
		} {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				var c counted
				src := c.source("a.bin", size, func() (io.Reader, error) {
					return wrap(bytes.NewReader(data[:tt.n])), nil
				})
				for shape, body := range map[string]*wire.Body{"raw": wire.Raw(src), "form": wire.Form("f", src)} {
					req := sending(t, body)
					got, err := io.ReadAll(req.Body)
					req.Body.Close()
					req.Body.Close()
					if tt.says == "" {
						if err != nil || int64(len(got)) != body.Length {
							t.Errorf("%s: %d bytes and %v, want %d and no error", shape, len(got), err, body.Length)
						}
						continue
					}
					if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
						t.Errorf("%s: error %v, want ErrInvalid saying %q", shape, err, tt.says)
					}
					if int64(len(got)) >= body.Length {
						t.Errorf("%s: all %d bytes were handed out, so a server would take the body for whole",
							shape, len(got))
					}
				}
				if c.opened != 2 || c.closed != 2 {
					t.Errorf("opened %d times, closed %d times, want 2 and 2", c.opened, c.closed)
				}
			})
		}
	}
}

func TestEmptyBodyIsNoBody(t *testing.T) {
	req, err := request(t, wire.Raw(upload.Bytes("empty", nil)))
	if err != nil || req.Body != http.NoBody || req.ContentLength != 0 {
		t.Errorf("body %v, length %d, error %v: want http.NoBody, since any other goes out chunked", req.Body,
			req.ContentLength, err)
	}
	var c counted
	grown := c.source("empty", 0, func() (io.Reader, error) { return strings.NewReader("x"), nil })
	if _, err := request(t, wire.Raw(grown)); !errors.Is(err, upload.ErrInvalid) {
		t.Errorf("an empty file that grew: error %v, want ErrInvalid", err)
	}
	if c.opened != 1 || c.closed != 1 {
		t.Errorf("opened %d times, closed %d times, want once each", c.opened, c.closed)
	}
}

func TestSourceThatCannotBeOpenedKeepsItsCause(t *testing.T) {
	var first, last counted
	one := func() (io.Reader, error) { return strings.NewReader("a"), nil }
	body := wire.Form("f", first.source("a", 1, one),
		upload.Source{Name: "b", Size: 1, Open: func() (io.ReadCloser, error) {
			return nil, &fs.PathError{Op: "open", Path: "b", Err: fs.ErrPermission}
		}}, last.source("c", 1, one))
	req := sending(t, body)
	if _, err := req.GetBody(); !errors.Is(err, upload.ErrInvalid) || !errors.Is(err, fs.ErrPermission) ||
		!strings.Contains(err.Error(), `"b"`) {
		t.Errorf("error %v, want ErrInvalid and fs.ErrPermission, naming the source", err)
	}
	if first.opened != first.closed || last.opened != 0 {
		t.Errorf("the source before it was opened %d times and closed %d times, the one after it opened %d times",
			first.opened, first.closed, last.opened)
	}
}

func TestRawTypeIsWhatTheCallerPassesThenTheSourcesThenTheAPIs(t *testing.T) {
	png := upload.Source{Name: "a", ContentType: "image/png", Size: 1, Open: upload.Bytes("a", []byte("x")).Open}
	for _, tt := range []struct {
		name     string
		passed   string
		accepted []string
		want     string
	}{
		{"nothing is said", "", nil, "image/png"},
		{"the caller passes one", "image/x-other", nil, "image/x-other"},
		{"the API accepts it", "", []string{"image/jpeg", "image/png"}, "image/png"},
		{"the API accepts its kind", "", []string{"text/plain", "image/*"}, "image/png"},
		{"the API accepts anything", "", []string{"application/octet-stream", "*/*"}, "image/png"},
		{"the API accepts one other", "", []string{"application/octet-stream"}, "application/octet-stream"},
		{"the API accepts another kind", "", []string{"video/*"}, "image/png"},
		{"the letters' case differs", "", []string{"IMAGE/PNG"}, "image/png"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1", nil)
			if tt.passed != "" {
				req.Header.Set("Content-Type", tt.passed)
			}
			must(t, wire.Raw(png, tt.accepted...).Edit(t.Context(), req))
			if got := req.Header.Get("Content-Type"); got != tt.want {
				t.Errorf("Content-Type %q, want %q", got, tt.want)
			}
		})
	}
}

// Only the body knows its boundary.
func TestFormTypeIsTheFormsOwn(t *testing.T) {
	form := wire.Form("file", upload.Bytes("a", []byte("x")))
	for _, passed := range []string{"", "multipart/form-data", form.ContentType} {
		req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1", nil)
		req.Header.Set("Content-Type", passed)
		if err := form.Edit(t.Context(), req); err != nil || req.Header.Get("Content-Type") != form.ContentType {
			t.Errorf("passed %q: %q, %v", passed, req.Header.Get("Content-Type"), err)
		}
	}
}

func TestLargeBodyAsksForContinue(t *testing.T) {
	for size, want := range map[int64]string{1<<20 - 1: "", 1 << 20: "100-continue"} {
		req, err := request(t, wire.Raw(upload.ReaderAt("a", strings.NewReader(""), size)))
		if err != nil || req.Header.Get("Expect") != want {
			t.Errorf("%d bytes: Expect %q, error %v, want %q", size, req.Header.Get("Expect"), err, want)
		}
	}
}
