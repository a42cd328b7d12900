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
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	api "github.com/putpost/putpost/gen/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// The documented addresses of the API, for upload.Config's BaseURL. The zero
// Config means [BaseURLKR].
const (
	BaseURLKR  = "https://mail.apigw.ntruss.com/api/v1"     // Korea
	BaseURLSGN = "https://mail.apigw.ntruss.com/api/v1-sgn" // Singapore
	BaseURLJPN = "https://mail.apigw.ntruss.com/api/v1-jpn" // Japan
	BaseURLGov = "https://mail.apigw.gov-ntruss.com/api/v1" // Korea's public sector
)

const (
	provider = "ncloudmailer"
	field    = "fileList"
	lifetime = 24 * time.Hour // of a fileId, by createFile's documentation
)

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

// Upload sends one file (createFile). The result's ID is its fileId, good until
// Expires; TempRequestID is what [Client.DeleteFile] takes.
func (c *Client) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	batch, err := c.CreateFile(ctx, src)
	if err != nil {
		return upload.Result{}, err
	}
	return batch.Files[0], nil
}

// Batch is the files of one createFile request.
type Batch struct {
	TempRequestID string
	TraceID       string
	Expires       time.Time       // 24 hours after the upload by the caller's clock; zero where it was not this call that uploaded
	Files         []upload.Result // in the order in which they were sent
}

// CreateFile sends several files in one request (createFile) and answers in
// their order. That the API takes more than one at a time is what other clients
// do, not what its documentation says. All sources are open while it runs. An
// answer with another number of files, or other sizes, than were sent is
// [upload.ErrUnavailable].
func (c *Client) CreateFile(ctx context.Context, srcs ...upload.Source) (Batch, error) {
	form := wire.Form(field, srcs...)
	b := batch{sent: srcs, expires: time.Now().Add(lifetime)}
	return b.call(c, ctx, "createFile", func(ctx context.Context) (*http.Response, error) {
		return c.api.CreateFileWithBody(ctx, form.ContentType, nil, form.Edit)
	})
}

// GetFile lists the files of one createFile request (getFile). One that is
// unknown or over is [upload.ErrNotFound].
func (c *Client) GetFile(ctx context.Context, tempRequestID string) (Batch, error) {
	return (&batch{}).call(c, ctx, "getFile", func(ctx context.Context) (*http.Response, error) {
		if err := checkID(tempRequestID); err != nil {
			return nil, err
		}
		return c.api.GetFile(ctx, tempRequestID)
	})
}

// DeleteFile deletes the files of one createFile request (deleteFile) and lists
// them. One that is unknown or over is [upload.ErrNotFound]; so may be one that
// an earlier attempt of the same call deleted, whose answer was lost.
func (c *Client) DeleteFile(ctx context.Context, tempRequestID string) (Batch, error) {
	return (&batch{}).call(c, ctx, "deleteFile", func(ctx context.Context) (*http.Response, error) {
		if err := checkID(tempRequestID); err != nil {
			return nil, err
		}
		return c.api.DeleteFile(ctx, tempRequestID)
	})
}

// checkID refuses what, as a path segment, would name another resource.
func checkID(tempRequestID string) error {
	if tempRequestID == "" || tempRequestID == "." || tempRequestID == ".." {
		return fmt.Errorf("%w: %q is no tempRequestId", upload.ErrInvalid, tempRequestID)
	}
	return nil
}

// batch reads the answer that all three operations share.
type batch struct {
	api.AttachFileList
	sent    []upload.Source // what must be in it; nil where nothing was sent
	expires time.Time
}

func (b *batch) call(c *Client, ctx context.Context, op string, send func(context.Context) (*http.Response, error)) (Batch, error) {
	trace, err := c.doer.Call(ctx, op, b.read, send)
	if err != nil {
		return Batch{}, err
	}
	out := Batch{TempRequestID: b.TempRequestID, TraceID: trace, Expires: b.expires}
	for i, f := range b.Files {
		if f.FileName == "" && b.sent != nil {
			f.FileName = upload.BaseName(b.sent[i].Name)
		}
		out.Files = append(out.Files, upload.Result{
			ID: f.FileID, Name: f.FileName, Size: f.FileSize, TraceID: trace,
			TempRequestID: b.TempRequestID, Expires: b.expires,
		})
	}
	return out, nil
}

func (b *batch) read(body []byte) error {
	if err := json.Unmarshal(body, &b.AttachFileList); err != nil {
		return err
	}
	if b.TempRequestID == "" {
		return errors.New("it has no tempRequestId")
	}
	if b.sent != nil && len(b.Files) != len(b.sent) {
		return fmt.Errorf("it lists %d files, and %d were sent", len(b.Files), len(b.sent))
	}
	for i, f := range b.Files {
		if f.FileID == "" {
			return fmt.Errorf("file %d has no fileId", i+1)
		}
		if b.sent != nil && f.FileSize != b.sent[i].Size {
			return fmt.Errorf("file %d has %d bytes, and %d were sent", i+1, f.FileSize, b.sent[i].Size)
		}
	}
	return nil
}
