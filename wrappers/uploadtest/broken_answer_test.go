package uploadtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// Clients that misread an answer, or that leave something running behind it.
var brokenAnswers = []bite{
	{"202 with an error is a success", rig{form: true, stored: unseen,
		client: uploads(func(c call) (upload.Result, error) {
			res, err := c.send()
			res.ID = "o-1" // no answer holds it
			if e, ok := errors.AsType[*upload.Error](err); ok && e.Status == 202 {
				return res, nil
			}
			return res, err
		})}, unusable, "submit answered 202 and an error: error: none"},
	{"JSON with a charset is none", rig{sent: refused("application/json; charset=utf-8")},
		otherSpellings, "announce answered with application/json; charset=utf-8: upload: depot"},
	{"JSON in capitals is none", rig{sent: refused("Application/JSON;charset=UTF-8")},
		otherSpellings, "announce answered with Application/JSON: upload: depot"},
	{"gzip is asked for and not read", rig{raw: true,
		sent: faulty.RequestTo("/raw", faulty.Header("Accept-Encoding", "deflate, gzip;q=0.5"))},
		otherSpellings, "deposit answered with gzip, as the request asks for: upload: depot"},
	{"a member that is not documented is refused", rig{raw: true, sent: faulty.Status(201, "",
		told(func(resp *http.Response, b []byte) []byte {
			if bytes.Contains(b, []byte("uploadtest")) {
				resp.StatusCode = 500
			}
			return b
		}))}, otherSpellings, "deposit answered with a member that is not documented: upload: depot"},
	{"a code is read as a text only", rig{spec: denied, sent: faulty.Status(403, "",
		told(func(resp *http.Response, b []byte) []byte {
			if bytes.Contains(b, []byte("77201}")) {
				resp.StatusCode = 500
			}
			return b
		}))}, otherSpellings,
		`announce answered 403: error: the kind "unavailable" and the code "" where the code 77201 is`},
	{"an id with a space is refused", rig{raw: true, client: noSpaces}, idsAsWritten,
		"deposit answered with the id a/b c%2F+é: upload: a bad id"},
	{"an id with a space is refused after the file was sent", rig{client: noSpaces}, idsAsWritten,
		"announce answered with the id a/b c%2F+é: upload: a bad id"},
	{"an id is read as a number", rig{raw: true, client: numbers}, idsAsWritten,
		`deposit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"a function reads an id as a number", rig{raw: true, client: plainly(numbers)}, idsAsWritten,
		`deposit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"an id loses its zeros", rig{client: result(func(r *upload.Result) { r.ID = strings.TrimLeft(r.ID, "0") })},
		idsAsWritten, `announce answered with the id 007: result: the ID is "7"`},
	{"an id is read as a number where each is a number", rig{raw: true, received: bareIDs, stored: unseen,
		client: numbers}, idsAsWritten,
		`deposit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"an id that is told again is read as a number", rig{form: true,
		received: faulty.Reply("/forms", faulty.Said("}", `,"of":{"id":"f-1"}}`)),
		client: asksBack("", func(res *upload.Result, id string) error {
			res.ID = rounded(id)
			return nil
		})}, idsAsWritten, `submit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"an id of null is one where each is a number", rig{raw: true, received: bareIDs, stored: unseen,
		sent: faulty.Status(201, "", toldAs(`"id":null`, `"id":1`))}, unusable,
		"deposit answered 201 and null for an id: error: none"},
	{"the start is repeated with the presigned step",
		rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 503 && strings.Contains(r.URL.Path, "/store") {
				resp.Body.Close()
				again, _ := http.NewRequestWithContext(r.Context(), "POST", "http://"+r.URL.Host+"/v2/objects",
					strings.NewReader(`{"contentType":"a/b"}`))
				again.Header = http.Header{"Content-Type": {"application/json"}, "X-Depot-Key": {lab.DepotKey}}
				if more, err := next.RoundTrip(again); err == nil {
					more.Body.Close()
				}
			}
			return resp, err
		})}, faultsPass,
		"presigned answered 503 once: attempts: 2 requests of announce came, want 1"},
	{"an answer is read to its end", rig{raw: true,
		sent: faulty.Status(500, "", readOut)},
		endless, "deposit answered 500 and 64 MiB: answer: the client read all of it, and must stop early"},
	{"a success is read to its end", rig{raw: true,
		sent: faulty.Status(201, "", readOut)},
		endless, "deposit answered 201 and 64 MiB: answer: the client read all of it"},
	{"an answer's body is left open", rig{form: true,
		sent: faulty.Status(429, "", leftOpen)},
		nothingIsLeft, "submit answered 429: answers: the body of an answer was not closed"},
	{"an answer's body is left open behind its beginning", rig{form: true,
		sent: faulty.Status(504, "", func(resp *http.Response) {
			_, _ = io.CopyN(io.Discard, resp.Body, 1<<20)
			leftOpen(resp)
		})}, nothingIsLeft, "submit answered 504: answers: the body of an answer was not closed"},
	{"the answer to a presigned step is left open",
		rig{sent: faulty.Status(200, "/store", leftOpen)},
		nothingIsLeft, "presigned answered 200: answers: the body of an answer was not closed"},
	{"the answer to a call for a token is left open",
		oauth(faulty.Status(401, "/token", leftOpen)),
		nothingIsLeft, "token answered 401: answers: the body of an answer was not closed"},
	{"each upload has a transport of its own", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var n atomic.Int32
		return uploads(func(c call) (upload.Result, error) {
			own := another(c.u)
			transport := own.http.Transport.(*http.Transport).Clone()
			if own.http.Transport = transport; n.Add(1)%2 == 0 {
				transport.DialContext = dialWrapped
			}
			return own.Upload(c.ctx, c.src)
		})(u)
	}}, nothingIsLeft, "5 uploads, one after another: connections: 5 are open, so each upload leaves one"},
	{"a goroutine is left", rig{form: true, client: uploads(func(c call) (upload.Result, error) {
		go func() { <-time.After(10 * time.Second) }()
		return c.send()
	})}, nothingIsLeft, "an upload: goroutines: one is still running, started in"},
	{"a goroutine waits for the reader of a body", rig{form: true,
		sent: faulty.RequestTo("/forms", func(r *http.Request) {
			in, out := io.Pipe()
			body := r.Body
			go func() { _, err := io.Copy(out, body); out.CloseWithError(err) }()
			r.Body = faulty.ReadCloser(in, body)
		})}, nothingIsLeft, "goroutines: one is still running, started in"},
	{"ids of two answers are mixed", rig{form: true, client: before(func(r *upload.Result) *string {
		r.TempRequestID = r.ID
		return &r.TempRequestID
	})}, namesArrive, `", but the answer that gave the ID said ""`},
}
