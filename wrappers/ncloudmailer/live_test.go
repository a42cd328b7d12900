package ncloudmailer_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// TestLive uploads to NAVER itself, or to the address in the environment. It
// reads the same variables as the program.
func TestLive(t *testing.T) {
	if os.Getenv("PUTPOST_LIVE") == "" {
		t.Skip("uploads to a real service: make contract-live runs it")
	}
	baseURL := os.Getenv("NCLOUD_MAILER_BASE_URL")
	keys := ncloudmailer.Credentials{AccessKey: os.Getenv("NCLOUD_ACCESS_KEY"),
		SecretKey: os.Getenv("NCLOUD_SECRET_KEY")}
	if baseURL == "" || keys.AccessKey == "" || keys.SecretKey == "" {
		t.Skip("it runs where the environment has NCLOUD_MAILER_BASE_URL (" + ncloudmailer.BaseURLKR +
			" is the real one of Korea), NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY")
	}

	stranger := ncloudmailer.Credentials{AccessKey: keys.AccessKey, SecretKey: "uploadtest-wrong-secret-key"}
	uploadtest.Live(t, baseURL, standintest.Spec(t, "ncloudmailer"), func(hc *http.Client) uploadtest.Service {
		connect := func(keys ncloudmailer.Credentials) *ncloudmailer.Client {
			client, err := ncloudmailer.New(keys, upload.Config{BaseURL: baseURL, HTTPClient: hc})
			must(t, err)
			return client
		}
		client := connect(keys)
		return uploadtest.Service{
			Uploader: client,
			Stranger: connect(stranger),
			Find: func(ctx context.Context, res upload.Result) error {
				batch, err := client.GetFile(ctx, res.TempRequestID)
				return compare(batch, res, err)
			},
			Unknown: upload.Result{TempRequestID: "00000000-0000-0000-0000-000000000000-99"},
			Delete: func(ctx context.Context, res upload.Result) error {
				batch, err := client.DeleteFile(ctx, res.TempRequestID)
				return compare(batch, res, err)
			},
			Secrets: []string{keys.AccessKey, keys.SecretKey, stranger.SecretKey},
		}
	})
}

// compare checks that an answer is about the one file of res.
func compare(batch ncloudmailer.Batch, res upload.Result, err error) error {
	if err != nil {
		return err
	}
	if batch.TempRequestID != res.TempRequestID || len(batch.Files) != 1 {
		return fmt.Errorf("the answer has the tempRequestId %s and %d files", batch.TempRequestID, len(batch.Files))
	}
	if f := batch.Files[0]; f.ID != res.ID || f.Name != res.Name || f.Size != res.Size {
		return fmt.Errorf("the answer has the file %q of %d bytes under the id %s", f.Name, f.Size, f.ID)
	}
	return nil
}
