package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
)

// failed names what failed, in the form of the os package: "put inbox/0001: AccessDenied: ...".
func failed(op, key string, err error) error {
	return &fs.PathError{Op: op, Path: key, Err: err}
}

// lookup is plain for the requests that look for a key, the only ones whose 404 is about it.
func lookup(ctx context.Context, err error) error {
	if missing(err) {
		return fs.ErrNotExist
	}
	return plain(ctx, err)
}

// plain rebuilds the errors of the SDK without the URLs that it writes into them, whose queries may hold a signature
// or an upload's id, and without the pages that proxies answer with. It must not be given an error of anyone else.
func plain(ctx context.Context, err error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if resp, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return response(resp)
	}
	if sent, ok := errors.AsType[*url.Error](err); ok {
		if strings.Contains(sent.Err.Error(), sent.URL) { // the SDK's words for an EOF
			return errors.New("the store closed the connection")
		}
		return sent.Err
	}
	return err
}

func response(resp minio.ErrorResponse) error {
	status := fmt.Sprintf("HTTP status %d", resp.StatusCode)
	// What is no S3 error has its whole status line for a code, and any body at all for a message.
	if resp.Code == "" || strings.Contains(resp.Code, " ") {
		return errors.New(status)
	}
	message := strings.Join(strings.Fields(resp.Message), " ")
	return fmt.Errorf("%s: %.200s (%s)", resp.Code, message, status)
}

// missing says that err is the store's word for a key that it does not hold. A missing bucket is none.
func missing(err error) bool {
	resp, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && resp.Code == minio.NoSuchKey && resp.StatusCode == http.StatusNotFound
}

// gone says that there is no such multipart upload any more.
func gone(err error) bool {
	resp, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && resp.Code == minio.NoSuchUpload
}
