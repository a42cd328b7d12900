package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// stockClient is net/http as it comes, but for the idle connections: its default
// of two a host would have every peer open connections all the time, and make
// the comparison with it too easy. All Go peers get it, so that what differs is
// what they do with it.
func stockClient(t task) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, max(2, t.Concurrency)
	return &http.Client{Transport: transport}
}

// finish reads an answer to its end, so that the connection can be used again.
func finish(resp *http.Response, err error) error {
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	return success(resp)
}

func success(resp *http.Response) error {
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s", resp.Request.Method, resp.Request.URL.Path, resp.Status)
	}
	return nil
}

// putFile is the bare transport: a file with its length.
func putFile(ctx context.Context, client *http.Client, url, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, f)
	if err != nil {
		return err
	}
	req.ContentLength = info.Size()
	req.Header.Set("Content-Type", mediaType)
	return finish(client.Do(req))
}

const mediaType = "application/pdf" // of the files sent

func netHTTPPut(t task) (func(context.Context) error, error) {
	client := stockClient(t)
	return func(ctx context.Context) error { return putFile(ctx, client, t.Base+"/put/file", t.File) }, nil
}

// netHTTPTwoCalls asks for a presigned URL and sends the file there.
func netHTTPTwoCalls(t task) (func(context.Context) error, error) {
	client := stockClient(t)
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Base+"/v1/fileUpload", strings.NewReader(`{"contentType":"`+mediaType+`"}`))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if err := success(resp); err != nil {
			return err
		}
		var ticket struct {
			UploadURL string          `json:"uploadUrl"`
			FileID    json.RawMessage `json:"fileId"`
		}
		if err := json.NewDecoder(resp.Body).Decode(&ticket); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		return putFile(ctx, client, ticket.UploadURL, t.File)
	}, nil
}

// netHTTPBuffer builds the whole form in memory, as most clients do.
func netHTTPBuffer(t task) (func(context.Context) error, error) {
	client := stockClient(t)
	return func(ctx context.Context) error {
		f, err := os.Open(t.File)
		if err != nil {
			return err
		}
		defer f.Close()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		part, err := form.CreateFormFile("fileList", filepath.Base(t.File))
		if err != nil {
			return err
		}
		if _, err := io.Copy(part, f); err != nil {
			return err
		}
		if err := form.Close(); err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Base+"/api/v1/files", &body)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", form.FormDataContentType())
		return finish(client.Do(req))
	}, nil
}

// pipedForm writes the form into a pipe while it is read.
func pipedForm(path string) (body *io.PipeReader, contentType string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, "", err
	}
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		defer f.Close()
		part, err := form.CreateFormFile("fileList", filepath.Base(path))
		if err == nil {
			_, err = io.Copy(part, f)
		}
		if err == nil {
			err = form.Close()
		}
		w.CloseWithError(err)
	}()
	return r, form.FormDataContentType(), nil
}

func netHTTPPipe(t task) (func(context.Context) error, error) {
	client := stockClient(t)
	return func(ctx context.Context) error {
		body, contentType, err := pipedForm(t.File)
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Base+"/api/v1/files", body)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", contentType)
		return finish(client.Do(req))
	}, nil
}
