package uploadtest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// Clients that send other bytes, or send them or their credentials to the wrong place.
var brokenRequests = []bite{
	{"204 of the presigned step is no success",
		rig{sent: faulty.Status(204, "/store", func(resp *http.Response) { resp.StatusCode = 500 })},
		handingOut(presignedSuccess), "presigned answered 204: upload: depot"},
	{"the presigned method is fixed", rig{
		spec: bytes.Replace(lab.DepotSpec, []byte("uploadMethod: {"), []byte("uploadMethod: {enum: [PUT, POST], "), 1),
		sent: faulty.RequestTo("/store", func(r *http.Request) { r.Method = "PUT" })},
		handingOut(presignedMethod), "presigned: presigned method: PUT, but the URL was handed out for POST"},
	{"a presigned URL is used for the next upload", rig{sent: func(next http.RoundTripper) http.RoundTripper {
		var first []byte
		return faulty.Status(200, "/objects", func(resp *http.Response) {
			said, _ := io.ReadAll(resp.Body)
			if first == nil {
				first = said
			}
			resp.Body = io.NopCloser(bytes.NewReader(first))
		})(next)
	}}, bytesArrive, "1 bytes: presigned: the request goes to the URL of an earlier upload"},
	{"the presigned query is written anew", rig{sent: faulty.RequestTo("/store",
		func(r *http.Request) { r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%7e+1", "%7E+1") })},
		handingOut(presignedMethod), "request address: a URL that an answer handed out, but with another query"},
	{"a redirect counts as success", rig{client: trusting,
		sent: faulty.Status(301, "/store", func(resp *http.Response) { resp.StatusCode = 200 })},
		redirectsTellNothing, "redirected by 301 to another host: upload: it returned no error, but the file"},
	{"an expired URL is used again", rig{sent: resend(403)}, handingOut(presignedExpires),
		"attempts: 1 starts and 2 presigned requests, want 2 of each"},
	{"expiry is taken for a refusal", rig{sent: faulty.Status(403, "/store",
		func(resp *http.Response) { resp.Body.Close(); resp.Body = http.NoBody })},
		handingOut(presignedExpires), "as S3 does for a URL that has expired, once: upload: depot"},
	{"a new start announces another type", rig{sent: faulty.RequestTo("/objects",
		faulty.Second(faulty.Replace("/pdf", "/pdx")))},
		handingOut(presignedExpires), "as S3 does for a URL that has expired, once: upload: depot"},
	{"a Retry-After is not waited for", rig{stored: func(s *Subject) { s.Patient = s.Uploader }},
		waitsAsAsked, "announce answered 429 with a Retry-After, twice: attempts: the next request came too early"},
	{"a date in Retry-After is not waited for", rig{sent: faulty.Status(429, "", func(resp *http.Response) {
		if wait := resp.Header.Get("Retry-After"); len(wait) > 1 {
			resp.Header.Set("Retry-After", "0")
		}
	})}, waitsAsAsked, "the next request came too early: Retry-After asks for a date"},
	{"seconds in Retry-After are not waited for", rig{sent: faulty.Status(429, "", func(resp *http.Response) {
		if resp.Header.Get("Retry-After") == "1" {
			resp.Header.Set("Retry-After", "0")
		}
	})}, waitsAsAsked, "the next request came too early: Retry-After asks for a second"},
	{"cookies are kept", rig{client: func(u upload.Uploader) upload.Uploader {
		u.(*depotClient).http.Jar, _ = cookiejar.New(nil)
		return u
	}}, handingOut(cookiesStay), "presigned credentials: header Cookie"},

	{"redirects are followed", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		u.(*depotClient).http.CheckRedirect = nil
		return u
	}}, redirectsTellNothing,
		"submit redirected by 301 to another host: credentials: header X-Depot-Key was sent to the other host"},
	{"a redirect is followed with a header that tells the key",
		rig{form: true, client: func(u upload.Uploader) upload.Uploader {
			u.(*depotClient).http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
				r.Header = http.Header{"X-Debug": {"key=" + lab.DepotKey}}
				return nil
			}
			return u
		}}, redirectsTellNothing, "submit redirected by 301 to another host: credentials: a secret was sent to " +
			"the other host"},
	{"a credential stands in the URL", rig{form: true,
		sent: faulty.RequestTo("/forms", func(r *http.Request) {
			r.URL.RawQuery = "key=" + url.QueryEscape(lab.DepotKey)
		})},
		urlsTellNothing, "submit: credentials: a secret stands in the URL of POST /v2/forms"},

	{"a credential stands in a header of the presigned step",
		rig{sent: faulty.RequestTo("/store", faulty.Header("Referer", "http://depot.example/?key="+lab.DepotKey))},
		urlsTellNothing, "presigned: credentials: a secret stands in the header Referer"},

	{"zeros are sent", rig{form: true, stored: unseen,
		client: readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			return faulty.ReadCloser(io.LimitReader(zeros, src.Size), rc)
		})}, uploadsAtOnce, "of 16 at once: wire: no request carried its"},
	{"more is sent than the client wants to know", rig{raw: true,
		sent: faulty.RequestTo("/raw", faulty.Rewritten(func(b []byte) []byte { return append(b, "\r\n"...) }))},
		bytesArrive, "0 bytes: wire: 2 bytes arrived, which are not the file's 0"},
	{"another media type is sent", rig{form: true, stored: unseen,
		sent: faulty.RequestTo("/forms", faulty.Replace("Content-Type: text/plain", "Content-Type: text/html"))},
		namesArrive, `wire: the media type is "text/html", want "text/plain"`},
	{"ends of lines are changed", rig{sent: faulty.RequestTo("/store", faulty.Rewritten(func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	}))}, mediaTypesArrive, "stored: 30 bytes, 32 were sent, the first wrong one at offset 12"},
	{"each form has the same boundary", rig{form: true, sent: faulty.RequestTo("/forms", func(r *http.Request) {
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		faulty.Rewrite(r, func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(params["boundary"]), []byte("same"))
		})
		r.Header.Set("Content-Type", "multipart/form-data; boundary=same")
	})}, bytesArrive, "a file that has the boundary of an earlier form in it: wire: 1 bytes arrived, " +
		"which are not the"},
	{"a media type adds a header", rig{form: true,
		client: input(func(src *upload.Source) { src.ContentType, _, _ = strings.Cut(src.ContentType, "\r\n") }),
		sent: faulty.RequestTo("/forms", faulty.Replace("Content-Type: text/plain",
			"Content-Type: text/plain\r\nX-Uploadtest: 1"))},
		mediaTypesArrive, "a media type with a line break in it: wire: the text behind the line break"},
	{"a long text is packed", rig{sent: faulty.RequestTo("/store", func(r *http.Request) {
		if r.ContentLength > 1000 && strings.HasPrefix(r.Header.Get("Content-Type"), "text/") {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = io.Copy(z, r.Body)
			z.Close()
			faulty.Rewrite(r, func([]byte) []byte { return packed.Bytes() })
		}
	})}, mediaTypesArrive, "32004 were sent, the first wrong one at offset 0"},
	{"a text loses its byte order mark", rig{sent: faulty.RequestTo("/store", faulty.Rewritten(func(b []byte) []byte {
		return bytes.TrimPrefix(b, []byte("\ufeff"))
	}))}, mediaTypesArrive, "stored: 32001 bytes, 32004 were sent"},
	{"a text loses what is no UTF-8", rig{sent: faulty.RequestTo("/store", func(r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "text/") {
			faulty.Rewrite(r, func(b []byte) []byte { return bytes.ToValidUTF8(b, nil) })
		}
	})}, mediaTypesArrive, "stored: 32003 bytes, 32004 were sent"},
	{"a parameter in quotes is cut off", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Replace(`"a b"`, "a"))},
		mediaTypesArrive, `stored: the media type is "text/plain; title=a", want "text/plain; title=\"a b\""`},
	{"a form carries the file twice", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Rewritten(func(b []byte) []byte {
			end := bytes.LastIndex(b, []byte("\r\n--"))
			return append(bytes.Clone(b[:end+2]), b...)
		}))}, namesArrive, "wire: one request carries the file 2 times"},
	{"the presigned query is sorted", rig{sent: faulty.RequestTo("/store",
		func(r *http.Request) { r.URL.RawQuery = r.URL.Query().Encode() })}, namesArrive,
		"request address: a URL that an answer handed out, but with another query"},
	{"a quote in a name ends it", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Replace(`\"quoted\"`, `"quoted"`))},
		namesArrive, "Content-Disposition cannot be parsed: `form-data; name=\"file\"; filename=\"a " +
			"\"quoted\" name.txt\"`"},
	{"a file as a plain field", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Replace("; filename=", "; title=")),
		received: faulty.Arrival("/forms", faulty.Replace("; title=", "; filename="))}, namesArrive,
		`wire: the part "file" of the form is the file, and has no file name`},
	{"a byte is changed on the way", rig{sent: faulty.RequestTo("/store", faulty.Rewritten(func(b []byte) []byte {
		if len(b) == 64<<10-1 {
			b = bytes.Clone(b)
			b[1000] ^= 1
		}
		return b
	}))}, bytesArrive,
		"65535 bytes: stored: 65535 bytes, 65535 were sent, the first wrong one at offset 1000"},
	{"a large body is sent again after its refusal", rig{form: true, sent: resend(413)}, earlyRefusal,
		"submit refused before its body was read: attempts: the client missed the refusal and sent again"},
	{"the early refusal of a large body is lost",
		rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 413 {
				return nil, errors.New("broken pipe")
			}
			return resp, err
		})}, earlyRefusal, `not of the kind "too large"`},
}

func TestAPartIsTheFileOnlyIfNoOtherTextEqualsItByChance(t *testing.T) {
	for content, want := range map[string]string{
		"1": "", "2026-11-27": "",
		"sixteen bytes...": `wire: the part "number" of the form is the file, and has no file name`,
	} {
		form := Request{Fields: url.Values{"number": {content}}}
		src := newSource("file.bin", upload.OctetStream, []byte(content), nil)
		if got := trialOf(t, Subject{}).astray(form, src, nil); got != want {
			t.Errorf("a field and a file %q: %q, want %q", content, got, want)
		}
	}
}
