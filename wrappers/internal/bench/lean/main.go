// Command lean is the smallest program that uploads one file with the library.
package main

import (
	"context"
	"errors"
	"log"
	"os"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

func main() {
	way, base, path := os.Args[1], os.Args[2], os.Args[3]
	var client upload.Uploader
	var err error
	if way == "M" {
		keys := ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}
		client, err = ncloudmailer.New(keys, upload.Config{BaseURL: base + "/api/v1"})
	} else {
		token := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"})
		client, err = twentyfourseven.New(token, upload.Config{BaseURL: base + "/v1"})
	}
	src, failed := upload.File(path)
	if err = errors.Join(err, failed); err == nil {
		_, err = client.Upload(context.Background(), src)
	}
	if err != nil {
		log.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // so that the peak of its memory can be read
}
