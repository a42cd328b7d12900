package wire_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// show returns a server that prints what it was sent, and how to stop it.
func show() (url string, stop func()) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		form, err := r.MultipartReader()
		if err != nil {
			content, _ := io.ReadAll(r.Body)
			fmt.Printf("%s %s, %d bytes: %s\n", r.Method, r.Header.Get("Content-Type"), r.ContentLength, content)
			return
		}
		for {
			part, err := form.NextPart()
			if err != nil {
				return
			}
			content, _ := io.ReadAll(part)
			fmt.Printf("%s %q %s: %s\n", part.FormName(), part.FileName(), part.Header.Get("Content-Type"), content)
		}
	}))
	return srv.URL, srv.Close
}

// send does what a generated client does with a request editor.
func send(url string, edit func(context.Context, *http.Request) error) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	if err := edit(req.Context(), req); err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func ExampleForm() {
	url, stop := show()
	defer stop()
	form := wire.Form("document", upload.Bytes("a.txt", []byte("A")), upload.Bytes("b.txt", []byte("B")))
	fmt.Println(send(url, form.Edit))
	// Output:
	// document "a.txt" text/plain: A
	// document "b.txt" text/plain: B
	// <nil>
}

// A file that may be missing is a nil File: its field is left out.
func ExampleFormOf() {
	url, stop := show()
	defer stop()
	image := upload.Bytes("a.png", []byte("A"))
	var mask *upload.Source
	form := wire.FormOf(
		wire.Field{Name: "prompt", Value: "a cat"},
		wire.Field{Name: "options", Value: `{"n":2}`, ContentType: "application/json"},
		wire.Field{Name: "image", File: &image},
		wire.Field{Name: "mask", File: mask},
	)
	fmt.Println(send(url, form.Edit))
	// Output:
	// prompt "" : a cat
	// options "" application/json: {"n":2}
	// image "a.png" image/png: A
	// <nil>
}

// A model is the generated type of a form's schema, with string/binary mapped
// to upload.Source.
func ExampleFormFrom() {
	url, stop := show()
	defer stop()
	type model struct {
		File  upload.Source `json:"file"`
		Tags  []string      `json:"tags"`
		Title *string       `json:"title,omitempty"`
	}
	form := wire.FormFrom(model{File: upload.Bytes("a.txt", []byte("A")), Tags: []string{"x", "y"}}, nil)
	fmt.Println(send(url, form.Edit))
	fmt.Println(wire.FormFrom(model{}, nil).Err())
	// Output:
	// tags "" : x
	// tags "" : y
	// file "a.txt" text/plain: A
	// <nil>
	// field "file": invalid: the file is not set, and it is required
}

func ExampleRaw() {
	url, stop := show()
	defer stop()
	src := upload.ReaderAt("a.csv", bytes.NewReader([]byte("1,2\n")), 3)
	fmt.Println(send(url, wire.Raw(src).Edit))
	fmt.Println(send(url, wire.Raw(src, "application/octet-stream").Edit)) // all that the API accepts
	// Output:
	// POST text/csv, 3 bytes: 1,2
	// <nil>
	// POST application/octet-stream, 3 bytes: 1,2
	// <nil>
}
