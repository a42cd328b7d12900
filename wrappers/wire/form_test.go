package wire_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func TestFormIsWhatMultipartReads(t *testing.T) {
	for _, tt := range []struct {
		name string
		srcs []upload.Source
		want []string // names as they arrive
	}{
		{"one file", []upload.Source{upload.Bytes("a.txt", []byte("hello"))}, []string{"a.txt"}},
		{"empty file", []upload.Source{upload.Bytes("a.txt", nil)}, []string{"a.txt"}},
		{"several files, an empty one among them", []upload.Source{
			upload.Bytes("a.txt", []byte("a")), upload.Bytes("b.txt", nil),
			upload.Bytes("c.txt", bytes.Repeat([]byte("c"), 100_000)),
		}, []string{"a.txt", "b.txt", "c.txt"}},
		{"Korean name", []upload.Source{upload.Bytes("청구서 2026.pdf", []byte("x"))}, []string{"청구서 2026.pdf"}},
		{"quotes in the name", []upload.Source{upload.Bytes(`the "big" one.txt`, []byte("x"))},
			[]string{`the "big" one.txt`}},
		{"directories, both separators", []upload.Source{upload.Bytes(`test\resources/test.txt`, []byte("x"))},
			[]string{"test.txt"}},
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
	form := wire.FormOf(wire.Field{Name: "purpose", Value: "invoice"}, wire.Field{Name: "document", File: &src},
		wire.Field{Name: "last", Value: "one"})
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

// text returns what a form of plain values sends, with B for its boundary.
func text(t *testing.T, form *wire.Body) string {
	t.Helper()
	req, err := request(t, form, "http://127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(form.ContentType)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), params["boundary"], "B")
}

func TestValueHasNoFilenameAndAContentTypeOnlyWhereGiven(t *testing.T) {
	got := text(t, wire.FormOf(
		wire.Field{Name: "model", Value: "m"},
		wire.Field{Name: "session", Value: `{"a":1}`, ContentType: "application/json"},
		wire.Field{Name: "left out"},
		wire.Field{Name: "empty", ContentType: "text/plain"},
	))
	want := "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"session\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n" +
		"--B\r\nContent-Disposition: form-data; name=\"empty\"\r\nContent-Type: text/plain\r\n\r\n\r\n" +
		"--B--\r\n"
	if got != want {
		t.Errorf("the form is\n%q, want\n%q", got, want)
	}
}
