package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// Call turns every failure into an *upload.Error, a refusal too.
func ExampleDoer_Call() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/gone") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, `{"tempRequestId":"t-1","files":[]}`)
	}))
	defer srv.Close()
	doer, err := wire.NewDoer(wire.API{Provider: "example"}, upload.Config{BaseURL: srv.URL})
	if err != nil {
		panic(err)
	}
	client, err := api.NewClient(doer.BaseURL, api.WithHTTPClient(doer))
	if err != nil {
		panic(err)
	}
	for _, id := range []string{"t-1", "gone"} {
		var list api.AttachFileList
		read := func(body []byte) error { return json.Unmarshal(body, &list) }
		_, err := doer.Call(context.Background(), "getFile", read, func(ctx context.Context) (*http.Response, error) {
			return client.GetFile(ctx, id)
		})
		fmt.Printf("%q %v %t\n", list.TempRequestID, err, errors.Is(err, upload.ErrNotFound))
	}
	// Output:
	// "t-1" <nil> false
	// "" example: getFile: not found (status 404 Not Found) true
}

// A token that a 401 refused is renewed once, and the request is sent again.
func ExampleAPI_renew() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("the server got", r.Header.Get("Authorization"))
		if r.Header.Get("Authorization") != "Bearer new" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer srv.Close()
	token := "old" // a program that sends from several goroutines guards it
	authorize := func(req *http.Request) error {
		req.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
	doer, err := wire.NewDoer(wire.API{
		Provider:  "example",
		Authorize: authorize,
		Renew: func(req *http.Request) (bool, error) {
			token = "new"
			return true, authorize(req)
		},
	}, upload.Config{BaseURL: srv.URL})
	if err != nil {
		panic(err)
	}
	client, err := api.NewClient(doer.BaseURL, api.WithHTTPClient(doer))
	if err != nil {
		panic(err)
	}
	resp, err := client.GetFile(context.Background(), "t-1")
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output:
	// the server got Bearer old
	// the server got Bearer new
	// 200
}

// The API has answered with a URL to send the bytes to. The presigned host gets
// none of the API's credentials.
func ExamplePresigned() {
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		fmt.Println(r.Method, r.Header.Get("Content-Type"), r.Header.Get("X-Amz-Acl"), string(content),
			len(r.Header["Authorization"]))
		w.Header().Set("ETag", `"abc"`)
	}))
	defer store.Close()
	doer, err := wire.NewDoer(wire.API{
		Provider:  "example",
		BaseURL:   "http://127.0.0.1:1",
		Authorize: func(req *http.Request) error { req.Header.Set("Authorization", "Bearer token"); return nil },
	}, upload.Config{})
	if err != nil {
		panic(err)
	}
	body := wire.Raw(upload.Bytes("a.txt", []byte("A")))
	answer, err := doer.Presigned().Send(context.Background(), wire.Target{
		Method: "PUT",
		URL:    store.URL + "/key?signature=s",
		Header: http.Header{"X-Amz-Acl": {"private"}}, // nil where the API hands out none
	}, body)
	fmt.Println(answer.Get("ETag"), err)
	// Output:
	// PUT text/plain private A 0
	// "abc" <nil>
}
