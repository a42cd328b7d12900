package uploadtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// Clients that repeat too much, too little or something else, as a whole or in parts.
var brokenRepeats = []bite{
	{"409 is repeated", rig{sent: resend(409)}, kindsHold,
		"announce answered 409 without JSON: attempts: 2 requests came: the client must not send again"},
	{"422 is repeated", rig{form: true, sent: resend(422)}, kindsHold,
		"submit answered 422 without JSON: attempts: 2 requests came: the client must not"},
	{"502 is not repeated", rig{raw: true, client: stingy(502)}, kindsHold,
		"deposit answered 502 without JSON: attempts: only one request came: after this answer the client must"},
	{"a repeated large body is cut off", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Second(func(r *http.Request) {
			if r.ContentLength > 6<<20 {
				faulty.Rewrite(r, func(b []byte) []byte {
					return append(b[:5<<20:5<<20], b[bytes.LastIndex(b, []byte("\r\n--")):]...)
				})
			}
		}))}, repeatsAreWhole, "submit connection reset in the middle of the body with 6291457 bytes: upload: depot"},
	{"a repeated body is empty", rig{form: true, sent: func(next http.RoundTripper) http.RoundTripper {
		return faulty.RequestTo("/forms", faulty.Second(faulty.Rewritten(func([]byte) []byte { return nil })))(next)
	}}, repeatsAreWhole, `repeat: the second attempt has Content-Length "", the first had "1`},
	{"a repeated form has another name", rig{form: true, sent: faulty.RequestTo("/forms",
		faulty.Second(faulty.Replace("(large)", "(small)")))},
		repeatsAreWhole, `result: Name is "송장 (small).pdf"`},
	{"a plain client repeats a form under another name", rig{form: true, client: plain, sent: faulty.RequestTo("/forms",
		faulty.Second(faulty.Replace("file.bin", "file.dat")))}, faultsPass, `wire: the name is "file.dat"`},
	{"a repeated raw body has another type",
		rig{raw: true, sent: faulty.RequestTo("/raw", faulty.Second(faulty.Header("Content-Type",
			"application/octet-stream")))},
		repeatsAreWhole, `stored: the media type is "application/octet-stream", want "application/pdf"`},
	{"a repeat lacks a header", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		var n atomic.Int32
		return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			if n.Add(1)%2 == 1 {
				r.Header.Set("X-Depot-Project", "7")
			}
			return next.RoundTrip(r)
		})
	}}, repeatsAreWhole, "other headers than the first: X-Depot-Project"},
	{"a repeat has a key of its own", rig{raw: true, sent: faulty.RequestTo("/raw", func(r *http.Request) {
		r.Header.Set("Idempotency-Key", time.Now().Format(time.StampNano))
	})}, repeatsAreWhole, "other headers than the first: Idempotency-Key"},
	{"a repeat has the same key", rig{raw: true, sent: faulty.RequestTo("/raw", faulty.Header("Idempotency-Key", "k"))},
		repeatsAreWhole, ""},
	{"a repeat of a start has a key of its own", rig{sent: faulty.RequestTo("/objects", func(r *http.Request) {
		r.Header.Set("Idempotency-Key", time.Now().Format(time.StampNano))
	})}, faultsPass, "announce connection reset before the body: repeat: the second attempt has other headers than " +
		"the first: Idem"},
	{"a repeated form has another field", rig{form: true, received: faulty.Arrival("/forms", fieldless),
		sent: faulty.RequestTo("/forms", fielded(func() string { return time.Now().Format(time.StampNano) })),
	}, repeatsAreWhole, "with 1048577 bytes: repeat: the second attempt has other fields"},
	{"a repeat has another query", rig{raw: true,
		sent: faulty.RequestTo("/raw", func(r *http.Request) {
			r.URL.RawQuery += fmt.Sprint("&at=", time.Now().UnixNano())
		})},
		repeatsAreWhole, "repeat: the second attempt goes to POST /v2/raw"},
	{"a signature is sent again", rig{sent: dating(time.RFC3339Nano)}, freshCredentials,
		"announce answered 503 once, after 20ms: credentials: the second attempt carries those of the first"},
	{"a signature of whole seconds is sent again", rig{sent: dating(time.RFC3339)}, freshCredentials,
		"credentials: the second attempt carries those of the first: make new"},
	{"a signature is made once", rig{sent: faulty.RequestTo("/objects",
		faulty.Header("Authorization", "Dated of the first day"))},
		freshCredentials, "announce, 1.1s later: credentials: the request carries those of the first upload"},

	{"a result is kept for ever", rig{sent: dating(time.RFC3339Nano), client: func(u upload.Uploader) upload.Uploader {
		var first upload.Result
		return uploads(func(c call) (_ upload.Result, err error) {
			if first.ID == "" {
				first, err = c.send()
			}
			return first, err
		})(u)
	}}, freshCredentials, "so in one more case: announce, 1.1s later"},
	{"a token is kept for ever", oauth(faulty.Status(200, "/token", func(resp *http.Response) {
		resp.Body = io.NopCloser(strings.NewReader(`{"access_token":"` + lab.DepotKey + `","expires_in":3600}`))
	})), freshCredentials,
		"after 1.1s: credentials: the second attempt carries those of the first: make new"},

	{"a token that was refused is kept", rig{form: true, oauth: true, received: oauth(nil).received,
		sent: faulty.Status(401, "", func(resp *http.Response) { resp.StatusCode = 403 })},
		freshCredentials,
		"submit answered 401 once: credentials: the next upload sends the refused token again"},

	{"the last part is lost", misplaced("query", func(all []piece) []piece { return all[:max(1, len(all)-1)] }),
		bytesArrive, "65535 bytes: wire: no part has the file's bytes from byte 50000 on"},
	{"a part is lost", misplaced("at once", func(all []piece) []piece {
		return slices.Delete(all, len(all)/2, (len(all)+1)/2)
	}),
		readOnce, "part 4 has 50000 bytes that are not the file's from byte 100000 on"},
	{"a part is sent as two", misplaced("path", func(all []piece) []piece {
		return append(all, piece{len(all) + 1, all[len(all)-1].at, all[len(all)-1].end})
	}), bytesArrive, "1 bytes: wire: part 2 has 1 bytes that are not the file's from byte 1 on"},
	{"a part is sent twice", misplaced("query", func(all []piece) []piece { return append(all, all[0]) }),
		bytesArrive, "wire: part 1 is sent again, though the server accepted it before"},
	{"parts are numbered backwards", misplaced("form", func(all []piece) []piece {
		for i := range all {
			all[i].nth = len(all) - i
		}
		return all
	}), bytesArrive, "65535 bytes: wire: part 1 has 15535 bytes that are not the file's from byte 0 on"},
	{"parts overlap", misplaced("range", func(all []piece) []piece {
		all[len(all)-1].at = max(0, all[len(all)-1].at-10)
		return all
	}), bytesArrive, "wire: the part at byte 49990 begins before the end of another one, at 50000"},
	{"a part between others is lost", misplaced("range", func(all []piece) []piece {
		return slices.Delete(all, len(all)/2, (len(all)+1)/2)
	}), progressEnds, "progress of 307200 bytes: wire: no part has the file's bytes from byte 150000 on"},
	{"a part is not sent again", spoiled("query", faulty.Status(503, "/parts/", func(resp *http.Response) {
		resp.StatusCode = 200
	})),
		faultsPass, "lay answered 503 once: wire: part 2 has 50000 bytes that are not the file's from byte 0 on"},
	{"a part is sent again without its end", spoiled("path",
		faulty.RequestTo("/1", faulty.Second(faulty.Rewritten(func(b []byte) []byte { return b[:len(b)/2] })))),
		faultsPass, "wire: part 2 has 50000 bytes that are not the file's from byte 25000 on"},
	{"a part is sent again without a header", spoiled("path", func(next http.RoundTripper) http.RoundTripper {
		return faulty.RequestTo("/1", faulty.Second(faulty.Header("X-Depot-Project", "7")))(next)
	}), repeatsAreWhole, "1048577 bytes: repeat: the second attempt has other headers than the first: X-Depot-Project"},
	{"a large part is sent again after its refusal", spoiled("path", resend(413)), earlyRefusal,
		"put refused before its body was read: attempts: the client missed the refusal and sent again"},
	{"the bytes of a part are changed", spoiled("nowhere", faulty.RequestTo("/parts/",
		faulty.Rewritten(func(b []byte) []byte {
			if len(b) == 15535 {
				b = bytes.Clone(b)
				b[1000] ^= 1
			}
			return b
		}))), bytesArrive, "65535 bytes: wire: 15535 bytes arrived, which are not the file's 65535"},
}
