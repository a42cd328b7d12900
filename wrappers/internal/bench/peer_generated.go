package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	mailapi "github.com/putpost/putpost/gen/ncloudmailer"
	officeapi "github.com/putpost/putpost/gen/twentyfourseven"
)

// generatedPipe uses the generated client as its documentation shows: a body
// that is a reader, the form written into it through a pipe. It goes out
// chunked, since a generated client knows no length. It is not signed: the sink
// does not ask.
func generatedPipe(t task) (func(context.Context) error, error) {
	client, err := mailapi.NewClientWithResponses(t.Base+"/api/v1", mailapi.WithHTTPClient(stockClient(t)))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		body, contentType, err := pipedForm(t.File)
		if err != nil {
			return err
		}
		resp, err := client.CreateFileWithBodyWithResponse(ctx, contentType, body)
		if err != nil {
			return err
		}
		if resp.JSON201 == nil {
			return fmt.Errorf("createFile: %s", resp.Status())
		}
		return nil
	}, nil
}

// generatedTwoCalls asks through the generated client and sends with what net/http
// makes of a file that nobody told it the length of.
func generatedTwoCalls(t task) (func(context.Context) error, error) {
	stock := stockClient(t)
	client, err := officeapi.NewClientWithResponses(t.Base+"/v1", officeapi.WithHTTPClient(stock),
		officeapi.WithRequestEditorFn(func(_ context.Context, req *http.Request) error {
			req.Header.Set("Authorization", "Bearer "+token)
			return nil
		}))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		resp, err := client.FileUploadWithResponse(ctx, officeapi.FileUploadRequest{ContentType: mediaType})
		if err != nil {
			return err
		}
		if resp.JSON200 == nil {
			return fmt.Errorf("fileUpload: %s", resp.Status())
		}
		f, err := os.Open(t.File)
		if err != nil {
			return err
		}
		defer f.Close()
		req, err := http.NewRequestWithContext(ctx, resp.JSON200.UploadMethod, resp.JSON200.UploadURL, f)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", mediaType)
		return finish(stock.Do(req))
	}, nil
}
