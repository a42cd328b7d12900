package wire

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// Presigned sends files to the URLs that an API answers with. It takes every
// store alike (S3, Google Cloud Storage, Azure, R2, or a home-made one): any
// 2xx is success, and no header goes out but Content-Type, Content-Length,
// User-Agent, for Azure its blob type, and from 1 MiB up Expect.
type Presigned struct {
	doer   *Doer
	secure bool // the API is reached over https
}

// Presigned returns the presigned step that follows a call of d's API. It goes by
// the same configuration, but sends none of the configured headers. Where the
// API is reached over https, a presigned URL must be https too.
func (d *Doer) Presigned() *Presigned {
	doer := *d
	doer.api = API{
		Provider:   d.api.Provider,
		Secret:     d.api.Secret,
		Table:      presignedTable,
		Read:       readStoreError,
		Repeatable: true,
	}
	doer.header = http.Header{"User-Agent": {d.agent}}
	doer.redirect = func(from, to *url.URL) bool {
		return to.Hostname() != "" && to.User == nil && (to.Scheme == "https" || to.Scheme == "http" && from.Scheme == "http")
	}
	return &Presigned{doer: &doer, secure: strings.HasPrefix(d.BaseURL, "https:")}
}

// presignedTable is what the object stores' own answers mean, where HTTP alone
// does not say it.
var presignedTable = Table{
	{Status: 400, Code: "RequestTimeout", Kind: upload.ErrUnavailable, Again: true},
	{Status: 400, Code: "EntityTooLarge", Kind: upload.ErrTooLarge},
	{Status: 400, Code: "ExpiredToken", Kind: upload.ErrExpired},
	{Status: 403, Code: "ExpiredRequest", Kind: upload.ErrExpired},
	{Status: 403, Text: "has expired", Kind: upload.ErrExpired},
	{Status: 403, Text: "not valid in the specified time frame", Kind: upload.ErrExpired},
}

// Send sends body, a [Raw] one, with the method that the API named, to the URL
// as it was given. Its content type must be the one that the API was told. A
// method or URL that cannot be used is [upload.ErrUnavailable], since it is
// the API's answer that is at fault; a URL that has run out is
// [upload.ErrExpired].
func (p *Presigned) Send(ctx context.Context, method, rawURL string, body *Body) error {
	method = strings.ToUpper(method)
	target, err := p.check(method, rawURL)
	if err != nil {
		f := p.doer.fail(&exchange{op: upload.OpPresigned}, fmt.Errorf("%w: %w", upload.ErrUnavailable, err))
		f.Lasting = true
		return f
	}
	_, err = p.doer.Call(ctx, upload.OpPresigned, nil, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, method, rawURL, nil)
		if err != nil {
			return nil, err
		}
		if err := body.Edit(ctx, req); err != nil {
			return nil, err
		}
		if azure(target) {
			req.Header.Set("X-Ms-Blob-Type", "BlockBlob")
		}
		return p.doer.Do(req)
	})
	return expired(err, target)
}

// check refuses what could not be sent just as it was given. What it says of
// the URL stops before the query.
func (p *Presigned) check(method, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	unfit := func(r rune) bool { return r <= ' ' || r >= 0x7f }
	switch {
	case method != http.MethodPut && method != http.MethodPost:
		return nil, errors.New("the upload method is neither PUT nor POST")
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("the upload URL is no http or https URL")
	case strings.ContainsFunc(raw, unfit):
		return nil, errors.New("the upload URL holds characters that cannot be sent as they are")
	case u.Scheme == "http" && p.secure:
		return nil, fmt.Errorf("the upload URL on %s is plain http, although the API is https", u.Host)
	case u.User != nil:
		return nil, fmt.Errorf("the upload URL on %s holds user info", u.Host)
	case u.Fragment != "" || u.String() != raw || strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("the upload URL on %s cannot be sent as it was given", u.Host)
	}
	return u, nil
}

// azure tells a shared access signature by its host, or by the two parameters
// that every one of them has.
func azure(u *url.URL) bool {
	has := func(name string) bool { return strings.Contains("&"+u.RawQuery, "&"+name+"=") }
	return strings.HasSuffix(u.Hostname(), ".blob.core.windows.net") || has("sig") && has("sv")
}

// expired makes upload.ErrExpired of a refusal that does not say why, where the
// URL itself says that its time is over.
func expired(err error, u *url.URL) error {
	f, ok := errors.AsType[*upload.Error](err)
	if !ok || f.Status != http.StatusForbidden || errors.Is(f, upload.ErrExpired) {
		return err
	}
	if end, known := expiry(u.Query()); known && time.Now().After(end) {
		f.Err = upload.ErrExpired
	}
	return err
}

// expiry reads when a presigned URL runs out: S3's and Google's date and
// seconds, Azure's time.
func expiry(q url.Values) (end time.Time, known bool) {
	for _, vendor := range []string{"X-Amz-", "X-Goog-"} {
		begin, err := time.Parse("20060102T150405Z", q.Get(vendor+"Date"))
		seconds, err2 := strconv.Atoi(q.Get(vendor + "Expires"))
		if err == nil && err2 == nil {
			return begin.Add(time.Duration(seconds) * time.Second), true
		}
	}
	if q.Has("sig") {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z", time.DateOnly} {
			if end, err := time.Parse(layout, q.Get("se")); err == nil {
				return end, true
			}
		}
	}
	return time.Time{}, false
}

// readStoreError reads the XML that the object stores share. Azure puts the
// reason into a field of its own.
func readStoreError(a Answer) (code, message string) {
	var e struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Detail  string `xml:"AuthenticationErrorDetail"`
	}
	text := bytes.TrimPrefix(a.Body, []byte("\xef\xbb\xbf"))
	if xml.Unmarshal(text, &e) != nil {
		return "", ""
	}
	return e.Code, strings.TrimSpace(e.Message + " " + e.Detail)
}
