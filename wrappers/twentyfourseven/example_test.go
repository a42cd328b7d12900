package twentyfourseven_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// startOffice starts a stand-in for 24SevenOffice.
func startOffice() *httptest.Server {
	h, err := standin.New(standin.Config{Token: "test-token", ClientID: "test-client-id",
		ClientSecret: "test-client-secret"})
	if err != nil {
		log.Fatal(err)
	}
	return httptest.NewServer(h)
}

func Example() {
	office := startOffice() // in 24SevenOffice's place: a program leaves TokenURL and BaseURL empty
	defer office.Close()
	ctx := context.Background()

	app := twentyfourseven.ClientCredentials{
		ClientID: "test-client-id", ClientSecret: "test-client-secret", Organization: "1234", TokenURL: office.URL +
			"/oauth/token",
	}
	client, err := twentyfourseven.New(app.TokenSource(ctx), upload.Config{BaseURL: office.URL + "/v1"})
	if err != nil {
		log.Fatal(err)
	}
	src, err := upload.File("testdata/fileUpload.response")
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Upload(ctx, src)
	if err != nil {
		log.Fatal(err)
	}
	status, err := client.Wait(ctx, res.ID) // POST /transactions takes a documentId, not a fileId
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Name, status.Status, status.DocumentID != 0)
	// Output: fileUpload.response Completed true
}

// Any token works as long as it is valid, wherever it comes from.
func ExampleNew() {
	office := startOffice()
	defer office.Close()

	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"})
	client, err := twentyfourseven.New(tokens, upload.Config{BaseURL: office.URL + "/v1"})
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Upload(context.Background(), upload.Bytes("invoice.pdf", []byte("%PDF-1.7")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.Name, res.Size)
	// Output: invoice.pdf 8
}

// The document is the only way to read an upload back.
func ExampleClient_Download() {
	office := startOffice()
	defer office.Close()
	ctx := context.Background()
	client, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"}),
		upload.Config{BaseURL: office.URL + "/v1"})
	if err != nil {
		log.Fatal(err)
	}
	res, err := client.Upload(ctx, upload.Bytes("hello.txt", []byte("hello\n")))
	if err != nil {
		log.Fatal(err)
	}
	status, err := client.Wait(ctx, res.ID)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Download(ctx, status.DocumentID, os.Stdout, 10<<20); err != nil { // at most 10 MiB
		log.Fatal(err)
	}
	// Output: hello
}

func ExampleClient_Status() {
	office := startOffice()
	defer office.Close()
	client, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"}),
		upload.Config{BaseURL: office.URL + "/v1"})
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.Status(context.Background(), "never-issued")
	fmt.Println(errors.Is(err, upload.ErrNotFound))
	// Output: true
}
