package wire_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// A generated client, here gen/ncloudmailer without its wrapper, gets its body
// from a form and its attempts from a Doer.
func Example() {
	first := true
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if first { // a fault that passes
			first = false
			io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, file, err := r.FormFile("fileList")
		if err != nil {
			return
		}
		fmt.Println("the server got", file.Filename, "in a body of", r.ContentLength, "bytes, chunked:",
			r.TransferEncoding != nil)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"tempRequestId":"t-1","files":[{"fileName":"hello.txt","fileSize":5,"fileId":"f-1"}]}`)
	}))
	defer srv.Close()

	doer, err := wire.NewDoer(wire.API{Provider: "example", Repeatable: true}, upload.Config{BaseURL: srv.URL})
	if err != nil {
		panic(err)
	}
	client, err := api.NewClientWithResponses(doer.BaseURL, api.WithHTTPClient(doer))
	if err != nil {
		panic(err)
	}

	form := wire.Form("fileList", upload.Bytes("hello.txt", []byte("hello")))
	resp, err := client.CreateFileWithBodyWithResponse(context.Background(), form.ContentType, nil, form.Edit)
	if err != nil {
		panic(err)
	}
	fmt.Println(resp.StatusCode(), resp.JSON201.Files[0].FileID)
	// Output:
	// the server got hello.txt in a body of 168 bytes, chunked: false
	// 201 f-1
}
