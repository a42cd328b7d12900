// Package ncloudmailer uploads files to NAVER Cloud Outbound Mailer, where mails
// refer to them by their fileId for 24 hours.
//
//	client, err := ncloudmailer.New(ncloudmailer.Credentials{AccessKey: key, SecretKey: secret}, upload.Config{})
//	src, err := upload.File("invoice.pdf")
//	res, err := client.Upload(ctx, src) // res.ID goes into attachFileIds of POST /mails
//
// # What is repeated
//
// createFile is repeated after a network error, 408, 429 and 5xx, waiting as
// upload.Retry says: a duplicate is an orphan that NAVER deletes after 24
// hours. Not repeated are an exceeded quota (429 with code 400) and a missing
// default project (500 with code 77301). Each attempt is signed anew.
//
// NAVER documents 10 MB a file; nothing here enforces it.
package ncloudmailer

import (
	"fmt"
	"net/http"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

const provider = "ncloudmailer"

// Client is safe for concurrent use.
type Client struct {
	api  *api.Client
	doer *wire.Doer
}

var _ upload.Uploader = (*Client)(nil)

// New is a client that signs with cred. A setting that cannot be used is
// [upload.ErrInvalid]. The header x-ncp-lang (ko-KR, en-US or zh-CN), for the
// language of NAVER's messages, goes into cfg.Header.
func New(cred Credentials, cfg upload.Config) (*Client, error) {
	if cred.AccessKey == "" || cred.SecretKey == "" {
		return nil, fmt.Errorf("%s: %w: Credentials needs both AccessKey and SecretKey", provider, upload.ErrInvalid)
	}
	keys := newSigner(cred)
	doer, err := wire.NewDoer(wire.API{
		Provider:    provider,
		BaseURL:     BaseURLKR,
		TraceHeader: "X-Ncp-Trace-Id",
		Secret:      []string{headerTimestamp, headerAccessKey, headerSignature},
		Table:       table,
		Read:        readError,
		Repeatable:  true,
		Authorize: func(req *http.Request) error { // a func, so that printing the client prints no key
			keys.sign(req, time.Now())
			return nil
		},
	}, cfg)
	if err != nil {
		return nil, err
	}
	client, err := api.NewClient(doer.BaseURL, api.WithHTTPClient(doer))
	if err != nil {
		return nil, err
	}
	return &Client{api: client, doer: doer}, nil
}
