package upload_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

// The zero Config works. This one sets every field.
func ExampleConfig() {
	transport := upload.NewTransport() // for a proxy or certificates of one's own
	transport.MaxConnsPerHost = 64

	cfg := upload.Config{
		BaseURL:       ncloudmailer.BaseURLSGN,
		HTTPClient:    &http.Client{Transport: transport},
		AnswerTimeout: 2 * time.Minute,
		Header:        http.Header{"x-ncp-lang": {"ko-KR"}},
		UserAgent:     "invoices/2.1",
		Retry:         upload.Retry{Attempts: 6, MaxWait: 10 * time.Second},
		Logger:        slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	keys := ncloudmailer.Credentials{AccessKey: "key", SecretKey: "secret"}
	_, err := ncloudmailer.New(keys, cfg)
	fmt.Println(err)

	// Headers that the client must set itself cannot be changed.
	cfg.Header = http.Header{"Content-Type": {"text/plain"}}
	_, err = ncloudmailer.New(keys, cfg)
	fmt.Println(err)
	// Output:
	// <nil>
	// ncloudmailer: invalid: field Header: Content-Type is set by the client itself and cannot be configured
}

// client stands for any provider's client, and reads what it is given.
var client upload.Uploader = uploader(func(ctx context.Context, src upload.Source) (upload.Result, error) {
	rc, err := src.Open()
	if err != nil {
		return upload.Result{}, err
	}
	defer rc.Close()
	size, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, rc, make([]byte, 400))
	return upload.Result{ID: "id-of-" + src.Name, Name: src.Name, Size: size}, err
})

func ExampleTrack() {
	src := upload.Bytes("scan.tiff", make([]byte, 1000))
	src = upload.Track(src, func(sent, total int64) {
		fmt.Printf("%d of %d bytes\n", sent, total)
	})
	if _, err := client.Upload(context.Background(), src); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0 of 1000 bytes
	// 400 of 1000 bytes
	// 800 of 1000 bytes
	// 1000 of 1000 bytes
}

// A source that can be read only once makes one attempt. Its size must be
// known.
func ExampleReader() {
	response := &http.Response{Body: io.NopCloser(strings.NewReader("id,amount\n1,250\n")), ContentLength: 16}

	src := upload.Reader("report.csv", response.Body, response.ContentLength)
	res, err := client.Upload(context.Background(), src)
	fmt.Println(res.Name, res.Size, err)

	_, err = client.Upload(context.Background(), src)
	fmt.Println(errors.Is(err, upload.ErrNotReplayable))
	// Output:
	// report.csv 16 <nil>
	// true
}

func ExampleFile() {
	_, err := upload.File("missing.pdf")
	fmt.Println(errors.Is(err, os.ErrNotExist), errors.Is(err, upload.ErrInvalid))
	// Output: true true
}

// The kinds say what to do. The fields hold what to log.
func ExampleError() {
	err := error(&upload.Error{
		Provider: "ncloudmailer", Op: "createFile", Status: 429, Code: "410", Message: "Throttle Limited",
		TraceID: "4f2a", Attempts: 4, Err: upload.ErrRateLimited,
	})

	switch {
	case errors.Is(err, upload.ErrRateLimited), errors.Is(err, upload.ErrUnavailable):
		fmt.Println("later:", err)
	case errors.Is(err, upload.ErrUnauthorized):
		fmt.Println("look at the credentials:", err)
	}
	if f, ok := errors.AsType[*upload.Error](err); ok {
		fmt.Println("the provider's support wants to know:", f.TraceID)
	}
	// Output:
	// later: ncloudmailer: createFile: rate limited: Throttle Limited (status 429 Too Many Requests, code 410, trace id 4f2a, 4 attempts)
	// the provider's support wants to know: 4f2a
}
