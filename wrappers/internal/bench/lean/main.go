// Command lean is a small program that uploads one file with the library. It
// prints the peak of its memory in KiB.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

func main() {
	log.SetFlags(0)
	provider, base, path := os.Args[1], os.Args[2], os.Args[3]
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
		log.Fatal(err)
	}
	src, err := upload.File(path)
	if err == nil {
		_, err = client.Upload(context.Background(), src)
	}
	if err != nil {
		log.Fatal(err)
	}
	// Not getrusage, whose peak begins with that of the parent process.
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Println(strings.Fields(peak)[0])
}
