// Package twentyfourseven uploads files to 24SevenOffice, now also called
// Finago Office: POST /fileUpload answers with a presigned URL, and the bytes
// are sent there.
//
//	app := twentyfourseven.ClientCredentials{ClientID: id, ClientSecret: secret, Organization: org}
//	client, err := twentyfourseven.New(app.TokenSource(ctx), upload.Config{})
//	src, err := upload.File("invoice.pdf")
//	res, err := client.Upload(ctx, src)
//	st, err := client.Wait(ctx, res.ID)
//	n, err := client.Download(ctx, st.DocumentID, w, 0)
//
// The result's ID is the fileId. Wait gives the documentId that it becomes.
// POST /transactions takes the documentId. Download reads the document back.
//
// # What is repeated
//
// Both steps are repeated after a network error, 408, 429 and 5xx. upload.Retry
// says how often and how long the waits are. A fileId that is never used does
// no harm, and the presigned URL takes the same bytes again. If the presigned
// URL has run out, the upload starts anew, once. After a 401 the client asks
// for a new token, once. Nothing else is sent twice.
//
// The API's rate limits, and how long a presigned URL lives, are not published.
package twentyfourseven

import (
	"fmt"
	"net/http"

	"golang.org/x/oauth2"

	api "github.com/putpost/putpost/gen/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// BaseURL is the address of the API.
const BaseURL = "https://rest.api.24sevenoffice.com/v1"

const provider = "twentyfourseven"

// Client uploads for the organization of its tokens. It is safe for concurrent
// use.
type Client struct {
	api        *api.Client
	doer       *wire.Doer
	fileUpload *http.Request // with an empty body; a template, so that its address is parsed once
	presigned  *wire.Presigned
	restart    bool // asks for a new presigned URL if one ran out
}

var _ upload.Uploader = (*Client)(nil)

// New returns a client that authenticates with tokens. They come from
// [ClientCredentials], or from any other oauth2.TokenSource. A setting that
// cannot be used is [upload.ErrInvalid].
//
// The TokenSource of ClientCredentials learns of a refused token, and ends its
// call with the caller's context. Any other source must renew its tokens by
// itself.
func New(tokens oauth2.TokenSource, cfg upload.Config) (*Client, error) {
	if tokens == nil {
		return nil, fmt.Errorf("%s: %w: there is no token source", provider, upload.ErrInvalid)
	}
	authorize, renew := bearer(tokens, cfg)
	doer, err := wire.NewDoer(wire.API{
		Provider:    provider,
		BaseURL:     BaseURL,
		TraceHeader: "X-Trace-Id",
		Authorize:   authorize,
		Renew:       renew,
		Read:        readError,
		Repeatable:  true,
	}, cfg)
	if err != nil {
		return nil, err
	}
	client, err := api.NewClient(doer.BaseURL, api.WithHTTPClient(doer))
	if err != nil {
		return nil, err
	}
	fileUpload, err := api.NewFileUploadRequest(client.Server, api.FileUploadRequest{})
	if err != nil {
		return nil, err
	}
	presigned := doer.Presigned()
	if err := presigned.Err(); err != nil {
		return nil, err
	}
	return &Client{
		api: client, doer: doer, fileUpload: fileUpload, presigned: presigned, restart: cfg.Retry.Attempts != 1,
	}, nil
}
