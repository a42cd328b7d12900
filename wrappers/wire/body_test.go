package wire_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// request makes a request whose body is b, as a generated client does.
func request(t *testing.T, b *wire.Body, url string) (*http.Request, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req, b.Edit(t.Context(), req)
}

func TestFormIsWhatMultipartReads(t *testing.T) {
	for _, tt := range []struct {
		name string
		srcs []upload.Source
		want []string // names as they arrive
	}{
		{"one file", []upload.Source{upload.Bytes("a.txt", []byte("hello"))}, []string{"a.txt"}},
		{"empty file", []upload.Source{upload.Bytes("a.txt", nil)}, []string{"a.txt"}},
		{"several files, an empty one among them", []upload.Source{
			upload.Bytes("a.txt", []byte("a")), upload.Bytes("b.txt", nil), upload.Bytes("c.txt", bytes.Repeat([]byte("c"), 100_000)),
		}, []string{"a.txt", "b.txt", "c.txt"}},
		{"Korean name", []upload.Source{upload.Bytes("청구서 2026.pdf", []byte("x"))}, []string{"청구서 2026.pdf"}},
		{"quotes in the name", []upload.Source{upload.Bytes(`the "big" one.txt`, []byte("x"))}, []string{`the "big" one.txt`}},
		{"directories, both separators", []upload.Source{upload.Bytes(`test\resources/test.txt`, []byte("x"))}, []string{"test.txt"}},
		{"percent signs stay as they are", []upload.Source{upload.Bytes(`100%22.txt`, []byte("x"))}, []string{`100%22.txt`}},
		{"a file that ends like a boundary", []upload.Source{upload.Bytes("a.txt", []byte("x\r\n--"))}, []string{"a.txt"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := wire.Form("fileList", tt.srcs...)
			req, err := request(t, form, "http://127.0.0.1")
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the first body, then the one to send again
				raw, err := io.ReadAll(req.Body)
				if err != nil {
					t.Fatal(err)
				}
				if int64(len(raw)) != form.Length || req.ContentLength != form.Length {
					t.Errorf("read %d bytes, Length %d, Content-Length %d: want all alike", len(raw), form.Length, req.ContentLength)
				}
				_, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
				if err != nil {
					t.Fatal(err)
				}
				parts := multipart.NewReader(bytes.NewReader(raw), params["boundary"])
				for i, src := range tt.srcs {
					part, err := parts.NextRawPart()
					if err != nil {
						t.Fatalf("part %d: %v", i, err)
					}
					_, disposition, _ := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
					if disposition["filename"] != tt.want[i] || part.FormName() != "fileList" {
						t.Errorf("part %d is %q in %q, want %q in fileList", i, disposition["filename"], part.FormName(), tt.want[i])
					}
					if got := part.Header.Get("Content-Type"); got != src.ContentType {
						t.Errorf("part %d has type %q, want %q", i, got, src.ContentType)
					}
					got, _ := io.ReadAll(part)
					rc, _ := src.Open()
					want, _ := io.ReadAll(rc)
					if !bytes.Equal(got, want) {
						t.Errorf("part %d holds %d bytes %.20q, want %d bytes", i, len(got), got, len(want))
					}
				}
				if _, err := parts.NextRawPart(); err != io.EOF {
					t.Errorf("after the last part: %v, want io.EOF", err)
				}
				if req.Body, err = req.GetBody(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestFormOfMixesValuesAndFiles(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		f, h, err := r.FormFile("document")
		if err != nil {
			t.Error(err)
			return
		}
		b, _ := io.ReadAll(f)
		got = r.FormValue("purpose") + " " + h.Filename + " " + string(b) + " " + r.FormValue("last")
	}))
	defer srv.Close()
	src := upload.Bytes("a.txt", []byte("hello"))
	form := wire.FormOf(wire.Field{Name: "purpose", Value: "invoice"}, wire.Field{Name: "document", File: &src}, wire.Field{Name: "last", Value: "one"})
	req, err := request(t, form, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if want := "invoice a.txt hello one"; got != want {
		t.Errorf("the server got %q, want %q", got, want)
	}
}

func TestBodyRefusesWhatCannotBeSent(t *testing.T) {
	ok := upload.Bytes("a.txt", []byte("x"))
	with := func(edit func(*upload.Source)) upload.Source { s := ok; edit(&s); return s }
	for _, tt := range []struct {
		name string
		body *wire.Body
		says string
	}{
		{"no Open", wire.Raw(upload.Source{Name: "a"}), "no Open"},
		{"negative size", wire.Raw(with(func(s *upload.Source) { s.Size = -1 })), "-1 bytes"},
		{"a word for a content type", wire.Raw(with(func(s *upload.Source) { s.ContentType = "pdf" })), "no media type"},
		{"a content type with a line break", wire.Raw(with(func(s *upload.Source) { s.ContentType = "text/plain;\r\n x=y" })), "no media type"},
		{"no name in a form", wire.Form("f", with(func(s *upload.Source) { s.Name = "dir/" })), "no name"},
		{"NUL in a name", wire.Form("f", with(func(s *upload.Source) { s.Name = "a\x00b" })), "control"},
		{"line break in a name", wire.Form("f", with(func(s *upload.Source) { s.Name = "a\nb" })), "control"},
		{"name that is not UTF-8", wire.Form("f", with(func(s *upload.Source) { s.Name = "a\xff" })), "UTF-8"},
		{"form without parts", wire.Form("f"), "without parts"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := request(t, tt.body, "http://127.0.0.1")
			if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || strings.ContainsAny(err.Error(), "\r\n") {
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
				src := c.source("a.bin", size, func() (io.Reader, error) { return wrap(bytes.NewReader(data[:tt.n])), nil })
				for shape, body := range map[string]*wire.Body{"raw": wire.Raw(src), "form": wire.Form("f", src)} {
					req, err := request(t, body, "http://127.0.0.1")
					if err != nil {
						t.Fatal(err)
					}
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
						t.Errorf("%s: all %d bytes were handed out, so a server would take the body for whole", shape, len(got))
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
	req, err := request(t, wire.Raw(upload.Bytes("empty", nil)), "http://127.0.0.1")
	if err != nil || req.Body != http.NoBody || req.ContentLength != 0 {
		t.Errorf("body %v, length %d, error %v: want http.NoBody, since any other goes out chunked", req.Body, req.ContentLength, err)
	}
	var c counted
	grown := c.source("empty", 0, func() (io.Reader, error) { return strings.NewReader("x"), nil })
	if _, err := request(t, wire.Raw(grown), "http://127.0.0.1"); !errors.Is(err, upload.ErrInvalid) {
		t.Errorf("an empty file that grew: error %v, want ErrInvalid", err)
	}
	if c.opened != 1 || c.closed != 1 {
		t.Errorf("opened %d times, closed %d times, want once each", c.opened, c.closed)
	}
}

func TestSourceThatCannotBeOpenedKeepsItsCause(t *testing.T) {
	var first counted
	body := wire.Form("f",
		first.source("a", 1, func() (io.Reader, error) { return strings.NewReader("a"), nil }),
		upload.Source{Name: "b", Size: 1, Open: func() (io.ReadCloser, error) {
			return nil, &fs.PathError{Op: "open", Path: "b", Err: fs.ErrPermission}
		}})
	req, err := request(t, body, "http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = req.GetBody(); !errors.Is(err, upload.ErrInvalid) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v, want ErrInvalid and fs.ErrPermission", err)
	}
	if first.opened != first.closed {
		t.Errorf("the source before it was opened %d times and closed %d times", first.opened, first.closed)
	}
}

func TestLargeBodyAsksForContinue(t *testing.T) {
	for size, want := range map[int64]string{1<<20 - 1: "", 1 << 20: "100-continue"} {
		req, err := request(t, wire.Raw(upload.ReaderAt("a", strings.NewReader(""), size)), "http://127.0.0.1")
		if err != nil || req.Header.Get("Expect") != want {
			t.Errorf("%d bytes: Expect %q, error %v, want %q", size, req.Header.Get("Expect"), err, want)
		}
	}
}
