package uploadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// looks sees whether names are free before it sends.
var looks = uploads(func(c call) (upload.Result, error) {
	for _, name := range []string{"free", "free-2"} {
		if err := look(c, name, new(depotAnswer)); !errors.Is(err, upload.ErrNotFound) {
			return upload.Result{}, err
		}
	}
	return c.send()
})

// asks asks about what it sent, some times.
func asks(times int) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		for n := 0; n < times && err == nil; n++ {
			said := depotAnswer{trace: res.TraceID}
			if err = look(c, res.ID, &said); err == nil {
				err = said.sized("look", 200, res.Size)
			}
			res.TraceID = said.trace
		}
		return res, err
	})
}

// A failure after the file has arrived may leave it there. Net/http by itself
// repeats a GET whose connection is cut. A token may be there before.
var whatMoreRequestsMeet = all(uploadsAtOnce, cancelInAnswer, kindsHold, faultsPass, faultsLast, endless, unusable,
	idsAsWritten, freshCredentials, secretsStay, handingOut(presignedMethod))

// A client announces what the spec lets it, and a server may keep no media
// type.
var whatFilesMeet = all(bytesArrive, namesArrive, mediaTypesArrive)

// Clients that are right in an unusual way: nothing may be said of them.
var rightClients = []bite{
	{"a form is asked about, and the answer tells of a job", rig{form: true, client: asks(1),
		received: faulty.Reply("/objects/", func(rec *httptest.ResponseRecorder) {
			rec.Body = bytes.NewBufferString(hexID.ReplaceAllString(rec.Body.String(), `"job"`))
		})}, whatMoreRequestsMeet, ""},
	{"a client polls", rig{form: true, client: asks(3)}, whatMoreRequestsMeet, ""},
	{"a client looks whether names are free", rig{form: true, client: looks}, whatMoreRequestsMeet, ""},
	{"a form is asked about", rig{form: true, client: asks(1)}, whatMoreRequestsMeet, ""},
	{"a presigned step is asked about", rig{client: asks(1)}, whatMoreRequestsMeet, ""},
	{"a key is made of words", rig{form: true,
		sent: faulty.RequestTo("/forms", faulty.Header("Authorization", "Key design-candidate-runtime"))},
		whatMoreRequestsMeet, ""},
	{"a number is refused where the spec has a text", rig{client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if strings.HasPrefix(res.ID, "9007") {
			err = errors.New("a number")
		}
		return res, err
	})}, whatMoreRequestsMeet, ""},
	{"what an upload that failed left is deleted", rig{client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if client := c.u.(*depotClient); err != nil && c.ctx.Err() == nil && res.ID != "" {
			_ = client.do(c.ctx, "remove", "DELETE", client.base+"/objects/"+url.PathEscape(res.ID), "", nil,
				new(depotAnswer))
		}
		return res, err
	})}, whatMoreRequestsMeet, ""},
	{"a client logs in first", rig{form: true, oauth: true, received: oauth(nil).received, stored: func(s *Subject) {
		_, _ = s.Uploader.(*depotClient).credential(context.Background())
	}}, whatMoreRequestsMeet, ""},
	{"a client looks whether its bytes are there before it sends them again", rig{sent: looking,
		received: faulty.Reply("/objects/", func(rec *httptest.ResponseRecorder) { rec.Header().Del("X-Depot-Trace") }),
	}, whatMoreRequestsMeet, ""},

	{"the spec has one media type", rig{raw: true,
		spec: bytes.Replace(lab.DepotSpec, []byte("'*/*'"), []byte(upload.OctetStream), 1),
		sent: faulty.RequestTo("/raw", faulty.Header("Content-Type", upload.OctetStream))}, whatFilesMeet, ""},
	{"the store keeps no media type", rig{raw: true, stored: func(s *Subject) {
		stored := s.Stored
		s.Stored = func(ctx context.Context, id string) (io.ReadCloser, string, error) {
			content, _, err := stored(ctx, id)
			return content, "", err
		}
	}}, whatFilesMeet, ""},
	{"a form takes one media type", rig{form: true, spec: amended("multipart/form-data:",
		"\n            encoding: {file: {contentType: 'image/png, "+upload.OctetStream+"'}}"),
		client: input(func(src *upload.Source) { src.ContentType = upload.OctetStream })}, whatFilesMeet, ""},
	{"a form has an empty field", rig{form: true,
		spec:     amended("required: [file]\n              properties:", "\n                n: {type: string}"),
		sent:     faulty.RequestTo("/forms", fielded(func() string { return "" })),
		received: faulty.Arrival("/forms", fieldless)}, whatFilesMeet, ""},

	{"a 403 for the token is taken for a 403", rig{form: true, oauth: true, received: oauth(nil).received,
		client: misstated(func(e *upload.Error) {
			if e.Op == Token && e.Status == 403 {
				e.Err = upload.ErrForbidden
			}
		})}, kindsHold, ""},
	{"a temporary id has another name in the answer", rig{form: true,
		received: faulty.Reply("/forms", faulty.Said(`"size":`, `"batchId":"t-1","size":`)),
		client:   result(func(r *upload.Result) { r.TempRequestID = "t-1" })}, namesArrive, ""},
	{"a quota that is used up lasts, as its code says", usedUp(true), kindsHold, ""},
	{"a signature is made once, and nothing is sent again", rig{sent: dating(time.RFC3339Nano), client: stingy(503)},
		freshCredentials, ""},
	{"the name is the id", byName, idsDiffer, ""},
	{"the name is the id of uploads at once", byName, uploadsAtOnce, ""},
	{"a success says nothing", rig{raw: true, stored: unseen,
		spec: bytes.ReplaceAll(lab.DepotSpec, []byte("'201': {$ref: '#/components/responses/Object'}"),
			[]byte("'201': {description: Stored.}")),
		received: faulty.Reply("/raw", faulty.On(201, faulty.Body(""))),
		sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 201 {
				resp.Body.Close()
				said := fmt.Sprintf(`{"id":"o-1","name":"file.bin","size":%d}`, r.ContentLength)
				resp.Body = io.NopCloser(strings.NewReader(said))
			}
			return resp, err
		})}, endless, ""},
	{"an answer has nothing but a Location", located(func(_, where string) string {
		if where == "://" {
			return ""
		}
		return where
	}), unusable, ""},
	{"a method is sent as it was written", rig{sent: func(next http.RoundTripper) http.RoundTripper {
		var said atomic.Value
		return faulty.Status(200, "/objects", func(resp *http.Response) {
			b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
			resp.Body = faulty.ReadCloser(io.MultiReader(bytes.NewReader(b), resp.Body), resp.Body)
			if found := method.FindSubmatch(b); found != nil {
				said.Store(string(found[2]))
			}
		})(faulty.RequestTo("/store", func(r *http.Request) { r.Method = said.Load().(string) })(next))
	}}, handingOut(presignedMethod), ""},
	{"the one method of the spec is known", rig{
		spec: bytes.Replace(lab.DepotSpec, []byte("uploadMethod: {"), []byte("uploadMethod: {enum: [PUT], "), 1),
		sent: faulty.RequestTo("/store", func(r *http.Request) { r.Method = "PUT" })}, handingOut(presignedMethod), ""},
	{"the store tells of the file", rig{
		received: faulty.Reply("/store", func(rec *httptest.ResponseRecorder) {
			if rec.Code == 200 {
				rec.Body = bytes.NewBufferString(`{"etag":"1"}`)
			}
		}),
		sent: faulty.Status(204, "/store", func(resp *http.Response) { resp.StatusCode = 500 })},
		handingOut(presignedSuccess), ""},
	{"the store has a note without a text", rig{received: faulty.Reply("/store", faulty.Body(`{"note":""}`))},
		unusable, ""},
	{"a checksum is stated ahead", rig{raw: true, client: uploads(func(c call) (upload.Result, error) {
		var b bytes.Buffer
		if err := slurp(c.ctx, c.src, &b); err != nil {
			return upload.Result{}, &upload.Error{Provider: "depot", Err: err}
		}
		return c.u.Upload(context.WithValue(c.ctx, checksumKey{}, payload.Sum(b.Bytes())), c.src)
	}), sent: faulty.RequestTo("/raw", func(r *http.Request) {
		r.Header.Set("X-Checksum", r.Context().Value(checksumKey{}).(string))
	})}, readOnce, ""},
	{"a function sends once, and says so", rig{form: true, client: plainly(sendOnce)}, readOnce, ""},
	{"a redirect is followed without Authorization", rig{raw: true, client: func(u upload.Uploader) upload.Uploader {
		c := u.(*depotClient)
		hc := *c.http
		hc.CheckRedirect = func(r *http.Request, _ []*http.Request) error { r.Header.Del("X-Depot-Key"); return nil }
		return Func(func(ctx context.Context, src upload.Source) (id string, err error) {
			var b bytes.Buffer
			if err := slurp(ctx, src, &b); err != nil {
				return "", err
			}
			req, _ := http.NewRequestWithContext(ctx, "POST", c.base+"/raw?name="+src.Name, &b)
			req.Header = http.Header{"X-Depot-Key": {lab.DepotKey}, "Authorization": {"Key design-candidate-runtime"},
				"Content-Type": {upload.OctetStream}}
			resp, err := hc.Do(req)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			var answer depotAnswer
			err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer)
			return answer.literal(), err
		})
	}}, redirectsTellNothing, ""},
	{"what one answer told is compared with what another tells", rig{form: true,
		received: func(next http.Handler) http.Handler {
			var last atomic.Value
			return faulty.Arrival("/objects/o-last", func(r *http.Request) {
				r.URL.Path = "/v2/objects/" + last.Load().(string)
			})(faulty.Reply("/forms", func(rec *httptest.ResponseRecorder) {
				last.Store(strings.Trim(string(hexID.Find(rec.Body.Bytes())), `"`))
			})(next))
		}, client: asksBack("o-last", func(res *upload.Result, id string) (err error) {
			if id != res.ID {
				err = errors.New("it is told otherwise now")
			}
			return err
		})}, idsAsWritten, ""},
	{"a client asks about another object too", rig{form: true, client: asksBack("o-0",
		func(_ *upload.Result, id string) (err error) {
			if id != "o-0" {
				err = errors.New("it is told otherwise")
			}
			return err
		})}, idsAsWritten, ""},
	{"a function returns no id, and an answer has an empty text", rig{raw: true, stored: unseen,
		client:   plainly(result(func(r *upload.Result) { r.ID = "" })),
		received: faulty.Reply("/raw", faulty.Said(`"size":`, `"note":"","size":`))}, idsAsWritten, ""},
	{"an answer gives an id that only the next request names", rig{form: true, client: asks(1),
		sent: faulty.RequestTo("/objects/", func(r *http.Request) {
			r.URL.Path = strings.Replace(r.URL.Path, "/o-", "/d-", 1)
		}),
		received: func(next http.Handler) http.Handler {
			next = faulty.Arrival("/objects/d-", func(r *http.Request) {
				r.URL.Path = strings.Replace(r.URL.Path, "/d-", "/o-", 1)
			})(next)
			return faulty.Reply("/objects/d-", faulty.Said(`"o-`, `"d-`))(
				faulty.Reply("/forms", func(rec *httptest.ResponseRecorder) {
					id := strings.Replace(hexID.FindString(rec.Body.String()), "o-", "d-", 1)
					rec.Body = bytes.NewBufferString(`{"documentId":` + id + "," + rec.Body.String()[1:])
				})(next))
		}}, uploadsAtOnce, ""},
	{"an answer gives an id that belongs to all uploads", rig{raw: true,
		received: faulty.Reply("/raw", faulty.Said(`"size":`, `"placeId":"file.bin","size":`))}, uploadsAtOnce, ""},
	{"gzip is not taken", rig{raw: true,
		sent: faulty.RequestTo("/raw", faulty.Header("Accept-Encoding", "gzip;q=0, identity"))}, otherSpellings, ""},
	{"an id stands in what is signed", rig{form: true, client: asks(1),
		sent: faulty.RequestTo("/objects/", func(r *http.Request) { r.Header.Set("X-Signed", r.URL.RequestURI()) }),
		received: faulty.Refuses(401, func(r *http.Request) bool {
			return strings.Contains(r.URL.Path, "/objects/") && r.Header.Get("X-Signed") != r.RequestURI
		})}, idsAsWritten, ""},
	{"the spec has no 404 for an id", rig{form: true, client: asks(1),
		spec: bytes.ReplaceAll(lab.DepotSpec, []byte("\n        '404': {description: Refused without a word.}"), nil)},
		idsAsWritten, ""},
}
