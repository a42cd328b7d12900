// Command lean is the least program that uploads a file with the library. The
// benchmark looks at how much memory it takes.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

func main() {
	if err := send(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	io.Copy(io.Discard, os.Stdin) // stays until it was looked at
}

func send(provider, base, path string) error {
	var client upload.Uploader
	var err error
	if provider == "ncloudmailer" {
		client, err = ncloudmailer.New(ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"},
			upload.Config{BaseURL: base + "/api/v1"})
	} else {
		client, err = twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"}),
			upload.Config{BaseURL: base + "/v1"})
	}
	if err != nil {
		return err
	}
	src, err := upload.File(path)
	if err != nil {
		return err
	}
	res, err := client.Upload(context.Background(), src)
	if err == nil {
		_, err = fmt.Println(res.ID)
	}
	return err
}
