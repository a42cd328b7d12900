package twentyfourseven_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// TestLive uploads to 24SevenOffice itself, or to the address in the
// environment. It reads the same variables as the program.
func TestLive(t *testing.T) {
	if os.Getenv("PUTPOST_LIVE") == "" {
		t.Skip("uploads to a real service: make contract-live runs it")
	}
	const how = "TWENTYFOURSEVEN_BASE_URL (" + twentyfourseven.BaseURL +
		" is the real one) with TWENTYFOURSEVEN_TOKEN, or with " +
		"TWENTYFOURSEVEN_CLIENT_ID, TWENTYFOURSEVEN_CLIENT_SECRET and TWENTYFOURSEVEN_ORGANIZATION"
	baseURL, token := os.Getenv("TWENTYFOURSEVEN_BASE_URL"), os.Getenv("TWENTYFOURSEVEN_TOKEN")
	app := twentyfourseven.ClientCredentials{
		ClientID:     os.Getenv("TWENTYFOURSEVEN_CLIENT_ID"),
		ClientSecret: os.Getenv("TWENTYFOURSEVEN_CLIENT_SECRET"),
		Organization: os.Getenv("TWENTYFOURSEVEN_ORGANIZATION"),
		TokenURL:     os.Getenv("TWENTYFOURSEVEN_TOKEN_URL"),
	}
	if baseURL == "" || token == "" && (app.ClientID == "" || app.ClientSecret == "" || app.Organization == "") {
		t.Skip("it runs where the environment has " + how)
	}

	const wrongToken, wrongSecret = "uploadtest-wrong-token", "uploadtest-wrong-secret"
	var client *twentyfourseven.Client
	var invoice string
	uploadtest.Live(t, baseURL, standintest.Spec(t, "twentyfourseven"), func(hc *http.Client) uploadtest.Service {
		ctx := context.WithValue(t.Context(), oauth2.HTTPClient, hc)
		connect := func(token string, app twentyfourseven.ClientCredentials) *twentyfourseven.Client {
			tokens := app.TokenSource(ctx)
			if token != "" {
				tokens = oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
			}
			client, err := twentyfourseven.New(tokens, upload.Config{BaseURL: baseURL, HTTPClient: hc})
			must(t, err)
			return client
		}
		client = connect(token, app)
		stranger := app
		stranger.ClientSecret = wrongSecret
		if token != "" {
			token = wrongToken
		}
		return uploadtest.Service{
			Uploader: client,
			Stranger: connect(token, stranger),
			Find: func(ctx context.Context, res upload.Result) error {
				st, err := client.Status(ctx, res.ID)
				if err == nil && st.FileID != res.ID {
					err = fmt.Errorf("the answer is about the fileId %q", st.FileID)
				}
				if res.Name == "invoice.pdf" {
					invoice = res.ID
				}
				return err
			},
			Unknown: upload.Result{ID: "0"},
			Secrets: []string{os.Getenv("TWENTYFOURSEVEN_TOKEN"), app.ClientSecret, wrongToken, wrongSecret},
		}
	})

	t.Run("an invoice becomes a document", func(t *testing.T) {
		if invoice == "" {
			t.Skip("it was not uploaded")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if st, err := client.Wait(ctx, invoice); err != nil || st.DocumentID == 0 ||
			strings.TrimSpace(st.Status) == "" {
			t.Errorf("got %+v, %v", st, err)
		} else if n, err := client.Download(ctx, st.DocumentID, io.Discard, 10<<20); err != nil || n == 0 {
			t.Errorf("the download has %d bytes, %v", n, err)
		}
	})
}
