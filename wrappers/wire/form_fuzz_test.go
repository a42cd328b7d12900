package wire_test

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// For any name and any content, the form equals the output of mime/multipart
// byte for byte. It has the announced length, and is the same at each reading.
func FuzzForm(f *testing.F) {
	f.Add("test.txt", "text/plain", []byte("upload test file"), uint8(0))
	f.Add(`test\resources\test.txt`, "text/plain", []byte("upload test file"), uint8(1))
	f.Add(`the "big" one.pdf`, "application/pdf", []byte("\r\n--"), uint8(2))
	f.Add("청구서 2026.pdf", "application/pdf; name=\"a b\"", []byte{}, uint8(3))
	f.Add("100%22%0d%0a.txt", "", bytes.Repeat([]byte("--a29b1180\r\n"), 20), uint8(4))
	f.Add("a\r\nX-Injected: 1", "text/plain\r\nX-Injected: 1", []byte("x"), uint8(0))
	f.Add("\xff", "a/b", []byte("x"), uint8(0))
	f.Add("a/", "a/b", []byte("x"), uint8(0))
	f.Add("long.bin", "a/b", bytes.Repeat([]byte("c"), 300_000), uint8(0))
	f.Fuzz(func(t *testing.T, name, contentType string, content []byte, how uint8) {
		readers := []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r }, iotest.DataErrReader, iotest.HalfReader, iotest.OneByteReader,
		}
		src := upload.Source{Name: name, ContentType: contentType, Size: int64(len(content)),
			Open: func() (io.ReadCloser, error) {
				return io.NopCloser(readers[int(how)%len(readers)](bytes.NewReader(content))), nil
			}}
		cut := len(content) / 3
		second := upload.Source{Name: "second.bin", Size: int64(cut), Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(content[:cut])), nil
		}}
		form := wire.Form("fileList", src, second)
		base := upload.BaseName(name)
		if err := form.Err(); err != nil {
			_, _, noType := mime.ParseMediaType(contentType)
			control := strings.ContainsFunc(base+contentType, unicode.IsControl)
			if base != "" && utf8.ValidString(base) && !control &&
				(contentType == "" || noType == nil && strings.Contains(contentType, "/")) {
				t.Fatalf("%q of the type %q is refused: %v", name, contentType, err)
			}
			if !errors.Is(err, upload.ErrInvalid) {
				t.Fatalf("refused with %v, which is not ErrInvalid", err)
			}
			return
		}
		if contentType == "" {
			contentType = upload.OctetStream
		}
		_, params, err := mime.ParseMediaType(form.ContentType)
		must(t, err)
		var want bytes.Buffer
		w := multipart.NewWriter(&want)
		must(t, w.SetBoundary(params["boundary"]))
		for _, p := range []struct {
			name, contentType string
			content           []byte
		}{{base, contentType, content}, {"second.bin", upload.OctetStream, content[:cut]}} {
			part, err := w.CreatePart(textproto.MIMEHeader{
				"Content-Disposition": {multipart.FileContentDisposition("fileList", p.name)},
				"Content-Type":        {p.contentType},
			})
			must(t, err)
			_, _ = part.Write(p.content)
		}
		_ = w.Close()

		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", nil)
		must(t, err)
		must(t, form.Edit(t.Context(), req))
		if req.ContentLength != int64(want.Len()) || form.Length != req.ContentLength {
			t.Fatalf("Content-Length %d and Length %d, want %d", req.ContentLength, form.Length, want.Len())
		}
		again, err := req.GetBody()
		must(t, err)
		for i, body := range []io.ReadCloser{req.Body, again} {
			got, err := io.ReadAll(body)
			if err != nil || body.Close() != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want.Bytes()) {
				t.Fatalf("reading %d gives %q, want %q", i, got, want.Bytes())
			}
		}
	})
}
