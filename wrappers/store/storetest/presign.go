package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/store"
)

func presign(ctx context.Context, s store.Store) error {
	const key = "presigned/object"
	url := presigned(ctx, s, key, "application/pdf", time.Minute)
	must(absent(ctx, s, key), "after PresignPut alone")
	if _, err := s.PresignPut(ctx, key, "text/plain\n", time.Minute); !errors.Is(err, fs.ErrInvalid) {
		return fmt.Errorf("PresignPut with a bad content type: error %v, want fs.ErrInvalid", err)
	}

	// Another type, or none, is refused.
	for _, contentType := range []string{textPlain, "", "application/pdf; version=1"} {
		must(send(ctx, 4, url, contentType, []byte("x")), "to a URL for application/pdf")
		must(absent(ctx, s, key), "after the refused PUT of %q", contentType)
	}

	// It may be used again, and then overwrites; an empty body is a body.
	for i, size := range []int{1000, 0, 20} {
		b := content(uint64(i), size)
		must(send(ctx, 2, url, "application/pdf", b), "PUT %d", i+1)
		must(holds(ctx, s, key, "application/pdf", b), "after PUT %d", i+1)
	}

	// No type given is the default type.
	url = presigned(ctx, s, key, "", time.Minute)
	must(send(ctx, 2, url, store.DefaultContentType, nil), "to a URL for no content type")
	return holds(ctx, s, key, store.DefaultContentType, nil)
}

// presigned returns a presigned URL. It skips the check of a store that gives
// none.
func presigned(ctx context.Context, s store.Store, key, contentType string, life time.Duration) string {
	url, err := s.PresignPut(ctx, key, contentType, life)
	if errors.Is(err, store.ErrNoPresign) {
		err = skipReason("the store gives no presigned URLs")
	}
	must(err, "PresignPut")
	return url
}

// presignBinds sends other methods, and another key, to a URL for a PUT.
func presignBinds(ctx context.Context, s store.Store) error {
	const key = "presigned/object"
	must(put(ctx, s, key, "application/pdf", []byte("kept")))
	rawURL := presigned(ctx, s, key, "application/pdf", time.Minute)
	other := strings.Replace(rawURL, "presigned/object", "presigned/other_", 1)
	for what, req := range map[string]struct{ method, url string }{
		"DELETE of the object":   {http.MethodDelete, rawURL},
		"GET of the object":      {http.MethodGet, rawURL},
		"POST to the object":     {http.MethodPost, rawURL},
		"PUT to a key of choice": {http.MethodPut, other},
	} {
		if req.url == rawURL && req.method == http.MethodPut {
			continue // the URL does not show the key
		}
		status, err := exchange(ctx, req.method, req.url, "application/pdf", []byte("x"))
		must(err)
		failIf(status/100 == 2, "%s with a URL for a PUT of %q: status %d, want a refusal", what, key, status)
	}
	must(absent(ctx, s, "presigned/other_"))
	return holds(ctx, s, key, "application/pdf", []byte("kept"))
}

func presignEnds(ctx context.Context, s store.Store) error {
	const key = "presigned/late"
	url := presigned(ctx, s, key, textPlain, time.Second)
	time.Sleep(time.Second + 2*tick) // give or take a second
	must(send(ctx, 4, url, textPlain, []byte("late")), "two seconds after the end of the URL")
	return absent(ctx, s, key)
}

// send puts b to a presigned URL, as a client does, and checks the class of the
// status.
func send(ctx context.Context, class int, url, contentType string, b []byte) error {
	status, err := exchange(ctx, http.MethodPut, url, contentType, b)
	if err == nil && status/100 != class {
		err = fmt.Errorf("PUT of %d bytes of %q: status %d, want %dxx", len(b), contentType, status, class)
	}
	return err
}

func exchange(ctx context.Context, method, url, contentType string, b []byte) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(b))
	if err != nil {
		return 0, fmt.Errorf("the presigned URL is none: %w", err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("%s to the presigned URL: %w", method, err)
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, err
}
