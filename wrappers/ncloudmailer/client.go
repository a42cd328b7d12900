// Package ncloudmailer uploads files to NAVER Cloud Outbound Mailer, where
// mails refer to them by their fileId for 24 hours.
//
//	keys := ncloudmailer.Credentials{AccessKey: key, SecretKey: secret}
//	client, err := ncloudmailer.New(keys, upload.Config{})
//	src, err := upload.File("invoice.pdf")
//	res, err := client.Upload(ctx, src)
//
// The result's ID goes into attachFileIds of POST /mails.
//
// # What is repeated
//
// createFile is repeated after a network error, 408, 429 and 5xx. upload.Retry
// says how often and how long the waits are. A repeated upload may store the
// file twice: NAVER deletes the unused copy after 24 hours. An exceeded quota
// (429 with code 400) and a missing default project (500 with code 77301) are
// not repeated. Each attempt is signed anew.
//
// NAVER documents 10 MB a file. This package sets no limit.
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

// Client uploads with one pair of keys. It is safe for concurrent use.
type Client struct {
	api        *api.Client
	doer       *wire.Doer
	createFile *http.Request // without a form; a template, so that its address is parsed once
}

var _ upload.Uploader = (*Client)(nil)

// New returns a client that signs with cred. A setting that cannot be used is
// [upload.ErrInvalid]. To choose the language of NAVER's messages, put the header
// x-ncp-lang (ko-KR, en-US or zh-CN) into cfg.Header.
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
	createFile, err := api.NewCreateFileRequestWithBody(client.Server, "", nil)
	if err != nil {
		return nil, err
	}
	return &Client{api: client, doer: doer, createFile: createFile}, nil
}
