package uploadtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// Faults of a client.

type uploaderFunc func(context.Context, upload.Source) (upload.Result, error)

func (f uploaderFunc) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	return f(ctx, src)
}

// call is one call of a client.
type call struct {
	ctx context.Context
	u   upload.Uploader
	src upload.Source
}

func (c call) send() (upload.Result, error) { return c.u.Upload(c.ctx, c.src) }

// uploads puts a function in a client's place.
func uploads(send func(call) (upload.Result, error)) func(upload.Uploader) upload.Uploader {
	return func(u upload.Uploader) upload.Uploader {
		return uploaderFunc(func(ctx context.Context, src upload.Source) (upload.Result, error) {
			return send(call{ctx, u, src})
		})
	}
}

// result spoils what a client returns of an upload that succeeded.
func result(spoil func(*upload.Result)) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if err == nil {
			spoil(&res)
		}
		return res, err
	})
}

// before has each result say what the one before it said.
func before(said func(*upload.Result) *string) func(upload.Uploader) upload.Uploader {
	var last atomic.Value
	return result(func(r *upload.Result) {
		text := said(r)
		*text, _ = last.Swap(*text).(string)
	})
}

// failure spoils the error that a client returns.
func failure(spoil func(*upload.Error) error) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if e, ok := errors.AsType[*upload.Error](err); ok {
			return res, spoil(e)
		}
		return res, err
	})
}

// misstated changes what the error of a client says.
func misstated(change func(*upload.Error)) func(upload.Uploader) upload.Uploader {
	return failure(func(e *upload.Error) error { change(e); return e })
}

// one spoils one of several uploads at once.
func one(spoil func() error) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		if c.src.Size == 256<<10+7 {
			return upload.Result{}, spoil()
		}
		return c.send()
	})
}

var (
	oneFails = one(func() error { return errors.New("busy") })
	panics   = one(func() error { panic("d.nx != 0") })
)

// input spoils the source that a client gets.
func input(spoil func(*upload.Source)) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		spoil(&c.src)
		return c.send()
	})
}

// readers spoils the readers that a client opens.
func readers(spoil func(io.ReadCloser, upload.Source) io.ReadCloser) func(upload.Uploader) upload.Uploader {
	return input(func(src *upload.Source) {
		original := *src
		src.Open = func() (io.ReadCloser, error) {
			rc, err := original.Open()
			if err != nil {
				return nil, err
			}
			return spoil(rc, original), nil
		}
	})
}

// reads changes what each Read of a client returns.
func reads(change func(int, error) (int, error)) func(upload.Uploader) upload.Uploader {
	return readers(func(rc io.ReadCloser, _ upload.Source) io.ReadCloser {
		return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) { return change(rc.Read(p)) }), rc)
	})
}

// leavesOpen closes no reader.
var leavesOpen = readers(func(rc io.ReadCloser, _ upload.Source) io.ReadCloser { return io.NopCloser(rc) })

// cutsOff reads no more of a source than its size.
var cutsOff = readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
	return faulty.ReadCloser(io.LimitReader(rc, src.Size), rc)
})

// zeros has no end.
var zeros = faulty.ReaderFunc(func(p []byte) (int, error) { clear(p); return len(p), nil })

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

// talkative prints what a client must not print.
type talkative struct {
	upload.Uploader
	Key string
}

// mute prints nothing.
type mute struct{ talkative }

func (mute) Format(fmt.State, rune) {}

// quiet hides the text of an error.
type quiet struct{ error }

func (quiet) Error() string   { return "quiet" }
func (q quiet) Unwrap() error { return q.error }

// Faults between client and server.

// wrapped is a connection whose goroutines have other stacks, as with TLS.
type wrapped struct{ net.Conn }

func (c wrapped) Read(p []byte) (int, error) { return c.Conn.Read(p) }

func dialWrapped(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	return wrapped{conn}, err
}

// fielded puts a field before the file of a form. Fieldless takes it away.
func fielded(value func() string) func(*http.Request) {
	return faulty.Rewritten(func(b []byte) []byte {
		boundary, _, _ := bytes.Cut(b, []byte("\r\n"))
		field := fmt.Sprintf("%s\r\nContent-Disposition: form-data; name=n\r\n\r\n%s\r\n", boundary, value())
		return append([]byte(field), b...)
	})
}

var fieldless = faulty.Rewritten(func(b []byte) []byte {
	boundary, _, _ := bytes.Cut(b, []byte("\r\n"))
	return b[1+bytes.Index(b[1:], boundary):]
})

// amended is the reference's spec with something behind a text.
func amended(behind, more string) []byte {
	return bytes.Replace(lab.DepotSpec, []byte(behind), []byte(behind+more), 1)
}

// twice sends every request a second time.
func twice(next http.RoundTripper) http.RoundTripper {
	return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
		if resp, err := next.RoundTrip(r.Clone(r.Context())); err == nil {
			resp.Body.Close()
		}
		r.Body, _ = r.GetBody()
		return next.RoundTrip(r)
	})
}

// refused makes a failure of an answer under a media type.
func refused(contentType string) func(http.RoundTripper) http.RoundTripper {
	return faulty.Status(200, "", func(resp *http.Response) {
		if resp.Header.Get("Content-Type") == contentType {
			resp.StatusCode = 500
		}
	})
}

// told changes the text of an answer.
func told(change func(*http.Response, []byte) []byte) func(*http.Response) {
	return func(resp *http.Response) {
		b, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(change(resp, b)))
	}
}

func toldAs(old, text string) func(*http.Response) {
	return told(func(_ *http.Response, b []byte) []byte { return bytes.Replace(b, []byte(old), []byte(text), 1) })
}

// readOut reads an answer to its end. LeftOpen has its body never closed.
func readOut(resp *http.Response)  { _, _ = io.Copy(io.Discard, resp.Body) }
func leftOpen(resp *http.Response) { resp.Body = io.NopCloser(resp.Body) }

// resend sends a request again after an answer of one status.
func resend(code int) func(http.RoundTripper) http.RoundTripper {
	return faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil && resp.StatusCode == code {
			resp.Body.Close()
			r.Body, _ = r.GetBody()
			return next.RoundTrip(r)
		}
		return resp, err
	})
}

// dating adds a time to the credentials. A bad client takes the time from the
// attempt before. The layout says how exact it is.
func dating(layout string) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		var old string
		return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			if strings.Contains(r.URL.Path, "/store") {
				return next.RoundTrip(r)
			}
			made := old
			if made == "" {
				made = "Dated " + time.Now().Format(layout)
			}
			r.Header.Set("Authorization", made)
			resp, err := next.RoundTrip(r)
			if old = ""; err == nil && resp.StatusCode/100 != 2 {
				old = made
			}
			return resp, err
		})
	}
}

// oauth has the client send a token that it asks for.
func oauth(sent func(http.RoundTripper) http.RoundTripper) rig {
	return rig{form: true, oauth: true, sent: sent,
		received: faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/token" {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"`+lab.DepotKey+`","token_type":"Bearer","expires_in":3600}`)
		})}
}

// stingy sends each request once, though a second might help.
func stingy(statuses ...int) func(upload.Uploader) upload.Uploader {
	return func(u upload.Uploader) upload.Uploader {
		u.(*depotClient).never = statuses
		return u
	}
}

// trusting takes each success for one.
func trusting(u upload.Uploader) upload.Uploader {
	u.(*depotClient).trusting = true
	return u
}

// Faults of a handler.

// bareIDs gives a number as the id, in a handler's answers.
func bareIDs(next http.Handler) http.Handler {
	return respelledText(func(s string) string { return hexID.ReplaceAllString(s, "67890") })(next)
}

var hexID = regexp.MustCompile(`"o-[0-9a-f]+"`)

// unseen hides what a handler holds.
func unseen(s *Subject) { s.Stored, s.Count = nil, nil }

// keeps has the store give what a reader gives behind each file of 65537 bytes.
func keeps(more io.Reader) func(*Subject) {
	return func(s *Subject) {
		stored := s.Stored
		s.Stored = func(ctx context.Context, id string) (io.ReadCloser, string, error) {
			content, contentType, err := stored(ctx, id)
			if b, _ := io.ReadAll(content); len(b) == 64<<10+1 {
				return io.NopCloser(io.MultiReader(bytes.NewReader(b), more)), contentType, err
			}
			return stored(ctx, id)
		}
	}
}

// plain makes a function of a client.
func plain(u upload.Uploader) upload.Uploader {
	return Func(func(ctx context.Context, src upload.Source) (string, error) {
		res, err := u.Upload(ctx, src)
		return res.ID, err
	})
}

// plainly makes a function of a client that is spoiled.
func plainly(spoil func(upload.Uploader) upload.Uploader) func(upload.Uploader) upload.Uploader {
	return func(u upload.Uploader) upload.Uploader { return plain(spoil(u)) }
}

// rounded reads an id as a number, if it looks like one.
func rounded(id string) string {
	if f, err := strconv.ParseFloat(id, 64); err == nil {
		return fmt.Sprint(f)
	}
	return id
}

var numbers = result(func(r *upload.Result) { r.ID = rounded(r.ID) })

// noSpaces refuses an id with a space.
var noSpaces = uploads(func(c call) (upload.Result, error) {
	res, err := c.send()
	if strings.Contains(res.ID, " ") {
		err = errors.New("a bad id")
	}
	return res, err
})

// wrongly puts an error in place of each that a client returns.
func wrongly(err error) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		res, failed := c.send()
		if failed != nil {
			failed = err
		}
		return res, failed
	})
}

// flipped changes a bit of a body. Its length stays.
var flipped = faulty.Rewritten(func(b []byte) []byte {
	b = bytes.Clone(b)
	b[0] ^= 1
	return b
})

// another returns a client like a depotClient, but without a token.
func another(u upload.Uploader) *depotClient {
	c := u.(*depotClient)
	hc := *c.http
	return &depotClient{base: c.base, form: c.form, oauth: c.oauth, http: &hc}
}

// deaf hears of no failure.
var deaf = uploads(func(c call) (upload.Result, error) {
	res, _ := c.send()
	return res, nil
})

// doubled stores each file twice.
var doubled = faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
	b, _ := faulty.ReadAll(r.Body, r.ContentLength)
	first := r.Clone(r.Context())
	first.Body = io.NopCloser(bytes.NewReader(b))
	next.ServeHTTP(httptest.NewRecorder(), first)
	r.Body = io.NopCloser(bytes.NewReader(b))
	next.ServeHTTP(w, r)
})

// onAndOn hides from a client that its context ends.
var onAndOn = uploads(func(c call) (upload.Result, error) { return c.u.Upload(context.WithoutCancel(c.ctx), c.src) })

// located has the server answer a start with a Location, and nothing else.
// Where says from the last Location, and from the one that came, what the
// client takes for one.
func located(where func(last, came string) string) rig {
	last := ""
	return rig{
		spec: amended("responses:\n",
			"        '201': {description: Where., headers: {Location: {schema: {type: string}}}}\n"),
		received: faulty.Reply("/objects", faulty.On(200, func(rec *httptest.ResponseRecorder) {
			var said depotAnswer
			_ = json.Unmarshal(rec.Body.Bytes(), &said)
			rec.Code = 201
			rec.Body.Reset()
			rec.Header().Del("Content-Type")
			rec.Header().Set("Location", said.UploadURL)
		})),
		sent: faulty.Status(201, "/objects", func(resp *http.Response) {
			said := "{}"
			if to := where(last, resp.Header.Get("Location")); to != "" {
				last = to
				said = fmt.Sprintf(`{"id":"o-1","uploadMethod":"PUT","uploadUrl":%q}`, to)
			}
			resp.Body = io.NopCloser(strings.NewReader(said))
		}),
		stored: unseen,
	}
}

// quota is the reference's spec with a code in an answer that looks like
// another status.
var quota = amended("'415': {description: Refused without a word.}",
	"\n        '429': {description: Later., content: {application/json: {example: {errorCode: '404'}}}}")

// denied is that spec with a code that may be a text or a number.
var denied = amended("'415': {description: Refused without a word.}",
	"\n        '403': {description: No., content: {application/json: {example: {errorCode: '77201'}}}}")

// usedUp takes that code for a quota that is used up. Its error says whether
// that lasts.
func usedUp(lasting bool) rig {
	return rig{spec: quota, client: misstated(func(e *upload.Error) {
		if e.Status == 418 {
			e.Status, e.Err, e.Lasting = 429, upload.ErrRateLimited, lasting
		}
	}), sent: faulty.Status(429, "", func(resp *http.Response) {
		if text, _ := io.ReadAll(resp.Body); bytes.Contains(text, []byte("404")) {
			resp.StatusCode = 418
		}
	})}
}

// byName keeps the files under the names that the client gives them.
var byName = rig{raw: true, client: result(func(r *upload.Result) { r.ID = r.Name }), stored: func(s *Subject) {
	stored, names := s.Stored, func() map[string]string {
		ids := map[string]string{}
		for _, r := range s.Server.Requests() {
			var said lab.Object
			if id := hexID.Find(r.Answer); id != nil && json.Unmarshal(r.Answer, &said) == nil {
				ids[said.Name] = strings.Trim(string(id), `"`)
			}
		}
		return ids
	}
	s.Count = func() int { return len(names()) }
	s.Stored = func(ctx context.Context, name string) (io.ReadCloser, string, error) {
		return stored(ctx, names()[name])
	}
}}

type checksumKey struct{}

// look asks about an object.
func look(c call, id string, said *depotAnswer) error {
	client := c.u.(*depotClient)
	return client.do(c.ctx, "look", "GET", client.base+"/objects/"+url.PathEscape(id), "", nil, said)
}

// asksBack asks about what it sent, under its id or another one, and uses the id
// that it is told.
func asksBack(under string, use func(res *upload.Result, id string) error) func(upload.Uploader) upload.Uploader {
	return uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if err != nil {
			return res, err
		}
		said := new(depotAnswer)
		if err = look(c, cmp.Or(under, res.ID), said); err == nil {
			res.TraceID = said.trace
			err = use(&res, said.ID)
		}
		return res, err
	})
}
