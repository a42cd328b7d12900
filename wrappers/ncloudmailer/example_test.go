package ncloudmailer_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// startMailer starts a stand-in for NAVER.
func startMailer() *httptest.Server {
	h, err := standin.New(standin.Config{AccessKey: "test-access-key", SecretKey: "test-secret-key"})
	if err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(h)
}

func Example() {
	mailer := startMailer() // in NAVER's place: a program leaves BaseURL empty
	defer mailer.Close()
	ctx := context.Background()

	keys := ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}
	client, err := ncloudmailer.New(keys, upload.Config{BaseURL: mailer.URL + "/api/v1"})
	if err != nil {
		log.Fatal(err)
	}
	src, err := upload.File("testdata/createFile.response")
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Upload(ctx, src)
	if err != nil {
		log.Fatal(err)
	}
	// res.ID goes into attachFileIds of POST /mails.
	fmt.Println(res.Name, res.ID != "", time.Until(res.Expires).Round(time.Hour))
	// Output: createFile.response true 24h0m0s
}

func ExampleClient_CreateFile() {
	mailer := startMailer()
	defer mailer.Close()
	client, err := ncloudmailer.New(testKeys, upload.Config{BaseURL: mailer.URL + "/api/v1"})
	if err != nil {
		log.Fatal(err)
	}

	batch, err := client.CreateFile(context.Background(),
		upload.Bytes("견적서.pdf", []byte("%PDF-1.7")),
		upload.Bytes("terms.txt", []byte("net 30 days")),
	)
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range batch.Files {
		fmt.Println(file.Name, file.Size)
	}
	// Output:
	// 견적서.pdf 8
	// terms.txt 11
}

func ExampleClient_DeleteFile() {
	mailer := startMailer()
	defer mailer.Close()
	ctx := context.Background()
	client, err := ncloudmailer.New(testKeys, upload.Config{BaseURL: mailer.URL + "/api/v1"})
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Upload(ctx, upload.Bytes("invoice.pdf", []byte("%PDF-1.7")))
	if err != nil {
		log.Fatal(err)
	}

	// The request has an id of its own. It differs from the file's.
	deleted, err := client.DeleteFile(ctx, res.TempRequestID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("deleted", deleted.Files[0].Name)
	_, err = client.GetFile(ctx, res.TempRequestID)
	fmt.Println("gone:", errors.Is(err, upload.ErrNotFound))
	// Output:
	// deleted invoice.pdf
	// gone: true
}

// The generated client can be used by itself. A request editor signs.
func ExampleCredentials_Sign() {
	mailer := startMailer()
	defer mailer.Close()
	keys := ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}
	sign := func(ctx context.Context, req *http.Request) error {
		keys.Sign(req, time.Now())
		return nil
	}

	client, err := api.NewClientWithResponses(mailer.URL+"/api/v1", api.WithRequestEditorFn(sign))
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.GetFileWithResponse(context.Background(), "f355aac1-7776-4c0b-8484-20eaa065cb65-99")
	if err != nil {
		log.Fatal(err)
	}
	// The signature is good, or the status would be 401. There is no such file.
	fmt.Println(answer.StatusCode(), answer.JSON400.Error.Message)
	// Output: 400 Resource not found
}
