package wire

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
)

// Fetch writes the content of a presigned URL to w, and returns the number of
// bytes written. It sends no credentials of the API. More than max bytes is
// [upload.ErrTooLarge]; zero means no limit.
//
// The number of bytes must be the one that the store announces, and so must the
// hash if the store announces one. A failure before the first byte is repeated
// as by Send. After a later failure, w holds a part. A URL that has run out is
// [upload.ErrExpired].
func (p *Presigned) Fetch(ctx context.Context, rawURL string, w io.Writer, max int64) (n int64, err error) {
	if err := p.Err(); err != nil {
		return 0, err
	}
	from, err := p.check(rawURL)
	if err != nil {
		return 0, p.refuse(err)
	}
	_, err = p.doer.Call(ctx, upload.OpPresigned, nil, func(ctx context.Context) (*http.Response, error) {
		resp, err := p.doer.Do(newRequest(ctx, http.MethodGet, from))
		if err != nil || resp.StatusCode/100 != 2 {
			return resp, err
		}
		defer resp.Body.Close()
		if n, err = copyWhole(w, resp, max); err != nil {
			x, _ := ctx.Value(exchangeKey{}).(*exchange)
			f := p.doer.fail(x, ended(ctx, err))
			f.Status = resp.StatusCode
			return nil, f
		}
		return resp, nil
	})
	return n, err
}

// copyWhole copies a body of at most max bytes, and compares it with the length
// and hash in the header.
func copyWhole(w io.Writer, resp *http.Response, max int64) (n int64, err error) {
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%w: status %d is no whole file", upload.ErrUnavailable, resp.StatusCode)
	}
	tooLarge := fmt.Errorf("%w: the file has more than %d bytes", upload.ErrTooLarge, max)
	if max > 0 && resp.ContentLength > max {
		return 0, tooLarge
	}
	digest, want := announced(resp.Header)
	if resp.Uncompressed { // the hash is of the compressed bytes
		digest = nil
	}
	body := &reading{r: resp.Body}
	from := io.Reader(body)
	if max > 0 {
		from = io.LimitReader(body, max)
	}
	into := w
	if digest != nil {
		into = io.MultiWriter(w, digest)
	}
	n, err = io.Copy(into, from)
	switch {
	case body.err != nil:
		return n, fmt.Errorf("%w: the download broke off after %d bytes: %w",
			upload.ErrUnavailable, n, withoutURL(body.err, nil))
	case err != nil:
		return n, fmt.Errorf("%w: writing the download: %w", upload.ErrInvalid, err)
	case resp.ContentLength >= 0 && n != resp.ContentLength:
		return n, fmt.Errorf("%w: the download has %d bytes, and %d were announced",
			upload.ErrUnavailable, n, resp.ContentLength)
	}
	if max > 0 && n == max {
		if more, _ := body.Read(make([]byte, 1)); more > 0 {
			return n, tooLarge
		}
	}
	if digest != nil && base64.StdEncoding.EncodeToString(digest.Sum(nil)) != want {
		return n, fmt.Errorf("%w: the download does not have the hash that was announced", upload.ErrUnavailable)
	}
	return n, nil
}

// reading keeps the error of a reader apart from the errors of the writer that
// io.Copy writes to.
type reading struct {
	r   io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// announced returns the hash of the whole object that a header holds, in
// base64, and a hash.Hash to compute it. Both are zero if there is none. An
// ETag is not used: for an object in parts it is no hash of the content.
func announced(header http.Header) (digest hash.Hash, want string) {
	// A "-3" at the end marks the sum of an object in three parts.
	if sum := header.Get("X-Amz-Checksum-Sha256"); sum != "" && !strings.Contains(sum, "-") {
		return sha256.New(), sum
	}
	if sum := header.Get("Content-Md5"); sum != "" {
		return md5.New(), sum
	}
	for _, sums := range header.Values("X-Goog-Hash") {
		for sum := range strings.SplitSeq(sums, ",") {
			if sum, ok := strings.CutPrefix(strings.TrimSpace(sum), "md5="); ok {
				return md5.New(), sum
			}
		}
	}
	return nil, ""
}
