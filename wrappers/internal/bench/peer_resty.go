package main

import (
	"context"
	"fmt"
	"os"

	"github.com/go-resty/resty/v2"
)

func answered(resp *resty.Response, err error) error {
	if err == nil && resp.IsError() {
		err = fmt.Errorf("%s %s: %s", resp.Request.Method, resp.Request.RawRequest.URL.Path, resp.Status())
	}
	return err
}

// restyMultipart is its README's way with a file on disk.
func restyMultipart(t task) (func(context.Context) error, error) {
	client := resty.NewWithClient(stockClient(t))
	return func(ctx context.Context) error {
		return answered(client.R().SetContext(ctx).SetFile("fileList", t.File).Post(t.Base + "/api/v1/files"))
	}, nil
}

// restyTwoCalls sends the file's bytes with their length, which its README
// recommends.
func restyTwoCalls(t task) (func(context.Context) error, error) {
	client := resty.NewWithClient(stockClient(t))
	return func(ctx context.Context) error {
		var ticket struct {
			UploadURL string `json:"uploadUrl"`
		}
		err := answered(client.R().SetContext(ctx).SetAuthToken(token).SetHeader("Content-Type", "application/json").
			SetBody(`{"contentType":"` + mediaType + `"}`).SetResult(&ticket).Post(t.Base + "/v1/fileUpload"))
		if err != nil {
			return err
		}
		content, err := os.ReadFile(t.File)
		if err != nil {
			return err
		}
		return answered(client.R().SetContext(ctx).SetHeader("Content-Type", mediaType).
			SetBody(content).SetContentLength(true).Put(ticket.UploadURL))
	}, nil
}
