package main

import (
	"context"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// What the loopback servers take, the program's own stand-ins among them.
const (
	token     = "test-token"
	accessKey = "test-access-key"
	secretKey = "test-secret-key"
)

// mailer is configured with nothing but the address: it goes out over the
// library's own transport, and everything that it does by default is on.
func mailer(t task) (upload.Uploader, error) {
	return ncloudmailer.New(ncloudmailer.Credentials{AccessKey: accessKey, SecretKey: secretKey}, upload.Config{BaseURL: t.Base + "/api/v1"})
}

func office(t task) (upload.Uploader, error) {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token})
	return twentyfourseven.New(tokens, upload.Config{BaseURL: t.Base + "/v1"})
}

// officeWithTokens fetches its tokens itself.
func officeWithTokens(ctx context.Context, t task) (upload.Uploader, error) {
	credentials := twentyfourseven.ClientCredentials{
		ClientID: "test-client-id", ClientSecret: "test-client-secret", Organization: "1",
		TokenURL: t.Base + "/oauth/token",
	}
	return twentyfourseven.New(credentials.TokenSource(ctx), upload.Config{BaseURL: t.Base + "/v1"})
}

func putpostForm(t task) (func(context.Context) error, error) {
	client, err := mailer(t)
	return sendFile(client, t.File), err
}

func putpostPresigned(t task) (func(context.Context) error, error) {
	client, err := office(t)
	return sendFile(client, t.File), err
}

// sendFile is a user's whole call: the file is described anew each time, as if
// it were another one.
func sendFile(u upload.Uploader, path string) func(context.Context) error {
	return func(ctx context.Context) error {
		src, err := upload.File(path)
		if err != nil {
			return err
		}
		_, err = u.Upload(ctx, src)
		return err
	}
}
