package uploadtest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/payload"
)

// Each case puts one fault around a provider that is right otherwise. The kit
// has to name the fault.

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
	return &depotClient{base: c.base, form: c.form, oauth: c.oauth, key: c.key, http: &hc}
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

// plainly is the property that each upload has to do with.
const plainly = "names arrive without directories"

var bites = []struct {
	fault    string
	rig      rig
	property string
	want     string // in the one line; empty: there must be none
}{
	// The client's results.
	{"an empty id", rig{client: result(func(r *upload.Result) { r.ID = "" }), stored: func(s *Subject) { s.Stored = nil }},
		plainly, "the ID is empty"},
	{"a temporary id is left out", rig{form: true,
		received: faulty.Reply("/forms", faulty.Said(`"size":`, `"tempRequestId":"t-1","size":`))}, plainly,
		`TempRequestID is "", but the answer that gave the ID said "t-1"`},
	{"a trace id of another upload", rig{form: true, client: before(func(r *upload.Result) *string { return &r.TraceID })},
		"uploads run at once", `", but the API's answer said "o-`},
	{"an odd name has another media type", rig{form: true, client: input(func(src *upload.Source) {
		if !utf8.ValidString(src.Name) {
			src.Name, src.ContentType = "odd.txt", "text/html"
		}
	})}, "names that no header holds", `"\xff\xfe.txt": wire: under this name other bytes or another media type arrived`},
	{"one id for all", rig{client: result(func(r *upload.Result) { r.ID = "o-1" })}, "each upload has its own id",
		`both uploads have the ID "o-1"`},
	{"one id for all, at once", rig{client: result(func(r *upload.Result) { r.ID = "o-1" })}, "uploads run at once",
		`of 16 at once: result: another upload has the ID "o-1" too`},
	{"one of several fails", rig{client: uploads(func(c call) (upload.Result, error) {
		if c.src.Size == 256<<10+7 {
			return upload.Result{}, errors.New("busy")
		}
		return c.send()
	})}, "uploads run at once", "upload 7 of 16 at once: upload: busy"},
	{"each upload fetches a token", rig{form: true, oauth: true, received: oauth(nil).received,
		client: uploads(func(c call) (upload.Result, error) { return another(c.u).Upload(c.ctx, c.src) })},
		"uploads run at once", "token: the client asked for 16 tokens, and one is enough for all uploads"},
	{"a size that is off by one", rig{client: result(func(r *upload.Result) { r.Size++ })}, "bytes arrive unchanged",
		"Size is 1, but 0 bytes"},
	{"a name with its directories", rig{client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		res.Name = c.src.Name
		return res, err
	})}, plainly, `Name is "test\\resources\\test.txt", want "test.txt"`},
	{"only slashes separate directories", rig{form: true, client: result(func(r *upload.Result) {
		r.Name = strings.ReplaceAll(r.Name, "test.txt", `test\resources\test.txt`)
	})}, plainly, `want "test.txt"`},

	{"another name is announced", rig{
		sent: faulty.RequestTo("/objects", faulty.Replace("{", `{"fileName":"dir/plain.txt",`))}, plainly,
		`name "plain.txt": wire: the fileName of announce is "dir/plain.txt", want "plain.txt"`},

	// The client's readers.
	{"a reader that stays open", rig{client: readers(func(rc io.ReadCloser,
		_ upload.Source) io.ReadCloser {
		return io.NopCloser(rc)
	})}, plainly, "1 of 1 that were opened are not closed 1s after Upload returned"},
	{"a reader that is opened for nothing", rig{client: input(func(src *upload.Source) { _, _ = src.Open() })},
		plainly, "1 of 2 that were opened"},
	{"a reader that is closed twice", rig{client: readers(func(rc io.ReadCloser, _ upload.Source) io.ReadCloser {
		return faulty.ReadCloser(rc, closerFunc(func() error { rc.Close(); return rc.Close() }))
	})}, plainly, "closed twice"},
	{"a short source is filled up", rig{client: readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
		zeros := faulty.ReaderFunc(func(p []byte) (int, error) { clear(p); return len(p), nil })
		return faulty.ReadCloser(io.LimitReader(io.MultiReader(rc, zeros), src.Size), rc)
	})}, "a source that is not its size", `a source of 65535 bytes with the size 65536: error: none, want one of the kind "invalid"`},
	{"a long source is cut off", rig{client: readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
		return faulty.ReadCloser(io.LimitReader(rc, src.Size), rc)
	})}, "a source that is not its size", "a source of 65537 bytes with the size 65536: error: none"},
	{"the end of a broken source counts as its end", rig{client: input(func(src *upload.Source) {
		original := *src
		src.Open = func() (io.ReadCloser, error) {
			rc, err := original.Open()
			if err != nil {
				return nil, err
			}
			return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) {
				n, err := rc.Read(p)
				if err == errSource {
					err = io.EOF
				}
				return n, err
			}), rc), nil
		}
	})}, "a source that fails", `none, want one of the kind "invalid"`},
	{"an empty file is refused", rig{client: uploads(func(c call) (upload.Result, error) {
		if c.src.Size == 0 {
			return upload.Result{}, errors.New("empty")
		}
		return c.send()
	})}, "bytes arrive unchanged", "0 bytes: upload: empty"},
	{"the progress of another reader", rig{client: input(func(src *upload.Source) {
		original := *src
		src.Open = func() (io.ReadCloser, error) {
			rc, err := original.Open()
			if late, err := original.Open(); err == nil {
				late.Close()
			}
			return rc, err
		}
	})}, "progress ends at the size", "it ended at 0 of 1"},
	{"a stream is taken for another one", rig{client: input(func(src *upload.Source) {
		if rc, err := src.Open(); err == nil {
			rc.Close()
		}
	})}, "a stream that can be read once", "cannot be read a second time"},
	{"a stream is not said to be one", rig{form: true, client: sendOnce}, "a stream that can be read once",
		"error: the source can be read only once, and the error is not upload.ErrNotReplayable"},
	{"uploads at once share their source", rig{client: func(u upload.Uploader) upload.Uploader {
		var mu sync.Mutex
		var last upload.Source
		gate := make(chan struct{})
		var waiting atomic.Int32
		return uploaderFunc(func(ctx context.Context, src upload.Source) (upload.Result, error) {
			mu.Lock()
			last = src
			mu.Unlock()
			if waiting.Add(1) == 16 {
				close(gate)
			}
			<-gate
			mu.Lock()
			src = last
			mu.Unlock()
			return u.Upload(ctx, src)
		})
	}}, "uploads run at once", "of 16 at once: result: Size is"},

	{"the media type of the upload before", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var last atomic.Value
		return input(func(src *upload.Source) {
			if typ, ok := last.Swap(src.ContentType).(string); ok {
				src.ContentType = typ
			}
		})(u)
	}, stored: unseen}, "uploads run at once", "at once: wire: the media type is"},
	{"uploads at once share a buffer of 64 KiB", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var mu sync.Mutex
		var scratch []byte
		return readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			at := 0
			return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) {
				n, err := rc.Read(p[:min(len(p), 64<<10)])
				mu.Lock()
				defer mu.Unlock()
				if at += n; at > 64<<10 && n == len(scratch) { // the first turn takes it all
					copy(p, scratch)
				}
				scratch = bytes.Clone(p[:n])
				return n, err
			}), rc)
		})(u)
	}}, "uploads run at once", "of 16 at once: stored: 262"},
	{"uploads at once read into one buffer", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var owner atomic.Pointer[byte]
		return readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) {
				owner.Store(&p[0])
				n, err := rc.Read(p)
				if n > 0 && owner.Load() != &p[0] {
					p[0] ^= 1
				}
				return n, err
			}), rc)
		})(u)
	}}, "uploads run at once", "of 16 at once: stored: 262"},
	{"uploads of one name share a file", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		var files sync.Map
		return input(func(src *upload.Source) {
			first, _ := files.LoadOrStore(src.Name, *src)
			*src = first.(upload.Source)
		})(u)
	}}, "uploads run at once", "of 16 of one name at once: result: Size is 2621"},

	// The client's contexts.
	{"what is held in memory is sent again with another bit", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		return faulty.RequestTo("/raw", func(r *http.Request) { r.Header.Set("X-Checksum", payload.Sum(faulty.Peek(r))) })(
			faulty.RequestTo("/raw", faulty.Second(flipped))(next))
	}}, "a stream that can be read once", "read once, cut off in deposit"},
	{"a file is sent though its context is canceled", rig{client: func(u upload.Uploader) upload.Uploader {
		return uploads(func(c call) (upload.Result, error) {
			_, _ = onAndOn(u).Upload(c.ctx, c.src)
			return upload.Result{}, &upload.Error{Provider: "depot", Err: c.ctx.Err()}
		})(u)
	}}, "a canceled context", "stored: an upload that failed left a file under its id"},
	{"a canceled context is not looked at", rig{client: onAndOn}, "a canceled context", `none, want one of the kind "context canceled"`},
	{"a Read goes on after its context", rig{client: onAndOn}, "cancel while the body is sent",
		"readers: 5s after the cancel the client still waits for a Read"},
	{"a request goes on after its context", rig{raw: true, client: onAndOn}, "cancel while the answer is awaited",
		"context canceled while deposit is not answered: request: the client has not ended it 5s after"},
	{"cancel is taken for a network failure", rig{client: failure(func(e *upload.Error) error {
		if errors.Is(e, context.Canceled) {
			e.Err = upload.ErrUnavailable
		}
		return e
	})}, "cancel while the answer is awaited", `not of the kind "context canceled"`},

	// The client's errors.
	{"a refusal with details counts as success", rig{client: deaf}, "secrets stay inside",
		"announce answered with what it was told: error: none, though the answer was 403"},
	{"an answer is used that is not there", rig{form: true, client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if err != nil {
			panic("no answer")
		}
		return res, nil
	})}, "answers that cannot be used", "submit answered 201 and nothing: upload: it panicked: no answer"},
	{"the provider is lost", rig{client: failure(func(e *upload.Error) error { e.Provider = ""; return e })},
		"answers are errors of their kind", "error: Provider is empty"},
	{"a refusal counts as success", rig{client: deaf}, "answers are errors of their kind", `announce answered 400: error: none, want one of the kind "invalid"`},
	{"an error of another type", rig{client: failure(func(e *upload.Error) error { return e.Err })},
		"answers are errors of their kind", "want *upload.Error"},
	{"429 is taken for an outage", rig{client: failure(func(e *upload.Error) error {
		if e.Status == 429 {
			e.Err = upload.ErrUnavailable
		}
		return e
	})}, "answers are errors of their kind", `answered 429: error: not of the kind "rate limited"`},
	{"the kind comes from the code of an answer", rig{spec: quota, sent: faulty.Status(429, "", func(resp *http.Response) {
		text, _ := io.ReadAll(resp.Body)
		if resp.Header.Get("Content-Type") == "application/json" && bytes.Contains(text, []byte("404")) {
			resp.StatusCode = 404
		}
	})}, "answers are errors of their kind", `announce answered 429 and the code 404: error: not of the kind "rate limited"`},
	{"the code of an answer ends all, and the error does not say so", usedUp(false), "answers are errors of their kind",
		"announce answered 429 and the code 404: attempts: only one request came, and the error says that it may pass"},
	{"an error of two kinds", rig{client: failure(func(e *upload.Error) error {
		e.Err = fmt.Errorf("%w %w", e.Err, upload.ErrExpired)
		return e
	})}, "answers are errors of their kind", `error: of two kinds, "credentials refused" and "presigned URL expired"`},
	{"the status is lost", rig{client: failure(func(e *upload.Error) error { e.Status = 0; return e })},
		"answers are errors of their kind", "Status is 0, want 400"},
	{"the operation is lost", rig{client: failure(func(e *upload.Error) error { e.Op = ""; return e })},
		"answers are errors of their kind", `Op is "", want "announce"`},
	{"the trace id is lost", rig{form: true, client: result(func(r *upload.Result) { r.TraceID = "" })},
		plainly, `name "plain.txt": trace id: "", but the API's answer said "o-`},
	{"the trace id of an error is lost", rig{client: failure(func(e *upload.Error) error {
		if e.Op == Presigned {
			e.TraceID = ""
		}
		return e
	})}, "answers are errors of their kind", `presigned answered 400: trace id: "", but the API's answer said "o-`},
	{"the trace id of a refusal is lost", rig{raw: true, client: failure(func(e *upload.Error) error {
		e.TraceID = ""
		return e
	})}, "answers are errors of their kind",
		`deposit answered 400: trace id: "", but the API's answer said "uploadtest-trace-id-1"`},
	{"the trace id of the first attempt", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		first := ""
		return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 503 {
				first = cmp.Or(first, resp.Header.Get("X-Depot-Trace"))
				resp.Header.Set("X-Depot-Trace", first)
			}
			return resp, err
		})
	}}, "answers are errors of their kind",
		`deposit answered 503: trace id: "uploadtest-trace-id-1", but the API's answer said "uploadtest-trace-id-3"`},
	{"the attempts are not counted", rig{client: failure(func(e *upload.Error) error { e.Attempts = 1; return e })},
		"a lasting fault is an error", "Attempts is 1, but 3 requests"},
	{"a client goes on and on", rig{raw: true, client: uploads(func(c call) (res upload.Result, err error) {
		for range 40 {
			if res, err = c.send(); !errors.Is(err, upload.ErrUnavailable) {
				break
			}
		}
		return res, err
	})}, "a lasting fault is an error", "attempts: the client sent 120 requests, and should give up earlier"},
	{"Retry-After is lost", rig{client: failure(func(e *upload.Error) error { e.RetryAfter = 0; return e })},
		"answers are errors of their kind", "RetryAfter is 0s, the answer said 1s"},
	{"a date in Retry-After is not read", rig{client: failure(func(e *upload.Error) error {
		if e.Status == 503 {
			e.RetryAfter = 0
		}
		return e
	})}, "answers are errors of their kind", "RetryAfter is 0s, the answer said a date 3s ahead"},
	{"a wait goes on after its context", rig{raw: true, stored: func(s *Subject) { s.Patient = onAndOn(s.Patient) }},
		"a wait ends with its context", "upload: the client still waits 1s after its context ended"},
	{"the error is that of an earlier attempt", rig{raw: true, client: failure(func(e *upload.Error) error {
		if e.Status == 403 && e.Attempts == 2 {
			e.Err = upload.ErrRateLimited
		}
		return e
	})}, "answers are errors of their kind", `deposit answered 429, then 403: error: not of the kind "not permitted"`},
	{"a refusal is repeated", rig{sent: twice,
		client: failure(func(e *upload.Error) error { e.Attempts *= 2; return e })}, "answers are errors of their kind",
		"2 requests came: the client must not send again after this answer"},
	{"nothing is repeated", rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err != nil || resp.StatusCode >= 429 {
			return &http.Response{StatusCode: 403, Body: http.NoBody}, nil
		}
		return resp, err
	})}, "a passing fault is survived", "upload: depot"},
	{"what does harm twice is sent twice", rig{form: true, stored: submitOnce}, "a passing fault is survived",
		"submit connection reset before the body: attempts: 2 requests came, want 1: the operation is one of Subject.Once"},
	{"a success is sent again", rig{raw: true, sent: resend(201)}, "a passing fault is survived",
		"deposit connection reset before the body: attempts: 3 requests came, want 2"},
	{"a busy server is not asked again", rig{form: true, stored: submitOnce, client: sendOnce,
		sent: faulty.Status(429, "", func(resp *http.Response) { resp.StatusCode = 503 })}, "a passing fault is survived",
		"submit answered 429 once: upload: depot"},
	{"the second attempt sends the rest of the body",
		rig{sent: faulty.RequestTo("/store", faulty.Second(faulty.Rewritten(func(b []byte) []byte { return b[len(b)/2:] })))},
		"a passing fault is survived", "were sent, the first wrong one at offset 0"},
	{"the error shows a credential", rig{client: failure(func(e *upload.Error) error {
		e.Message = "key " +
			lab.DepotKey
		return e
	})}, "answers are errors of their kind", "secrets: "},
	{"the error shows what no Secrets name", rig{stored: func(s *Subject) { s.Secrets = nil },
		client: failure(func(e *upload.Error) error { e.Message = "key " + lab.DepotKey; return e })},
		"answers are errors of their kind", "secrets: "},
	{"the error shows the presigned query",
		rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err != nil {
				err = &url.Error{Op: "Put", URL: r.URL.String(), Err: err}
				err = &url.Error{Op: "Put", URL: r.URL.String(), Err: err}
			}
			return resp, err
		})}, "a lasting fault is an error", "shows a credential or a presigned query"},
	{"the client shows a credential", rig{client: func(u upload.Uploader) upload.Uploader {
		return &talkative{u,
			lab.DepotKey}
	}}, "secrets stay inside", "the client after an upload: secrets: "},
	{"the client's JSON shows a credential", rig{client: func(u upload.Uploader) upload.Uploader {
		return &mute{talkative{u, lab.DepotKey}}
	}}, "secrets stay inside", "printed by JSON shows a credential"},
	{"an error behind the error shows a credential", rig{client: failure(func(e *upload.Error) error {
		e.Err = quiet{fmt.Errorf("key %s: %w", lab.DepotKey, e.Err)}
		return e
	})}, "answers are errors of their kind", "printed by an error of its chain shows a credential"},
	{"the error shows what was sent for a token",
		oauth(faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 403 {
				text, _ := io.ReadAll(resp.Body)
				err = errors.New(string(text))
			}
			return resp, err
		})), "secrets stay inside", "token answered with what it was told: secrets: "},

	{"a success without an answer is one", rig{sent: faulty.Status(201, "", func(resp *http.Response) {
		if resp.ContentLength == 0 {
			resp.Body = io.NopCloser(strings.NewReader(`{"id":"o-1","size":54321}`))
		}
	}), form: true}, "answers that cannot be used", "submit answered 201 and nothing: error: none"},
	{"an id of null is one, and a token came first", oauth(faulty.Status(201, "", func(resp *http.Response) {
		b, _ := io.ReadAll(resp.Body)
		resp.Body = io.NopCloser(bytes.NewReader(bytes.Replace(b, []byte(`"id":null`), []byte(`"id":"o-1"`), 1)))
	})), "answers that cannot be used", "submit answered 201 and null for an id: error: none"},
	{"an answer without its end is one", rig{raw: true, sent: faulty.Status(201, "", func(resp *http.Response) {
		resp.Body = io.NopCloser(io.MultiReader(resp.Body, strings.NewReader("}")))
	})}, "answers that cannot be used", "deposit answered 201 and all of an answer but its end: error: none"},
	{"an answer without a Location is taken for one with the last", located(func(last, where string) string {
		return cmp.Or(where, last)
	}), "answers that cannot be used", "announce answered 201 and no Location: error: none"},
	{"a Location is not looked at", located(func(last, where string) string {
		if where == "://" {
			return last
		}
		return where
	}), "answers that cannot be used", "announce answered 201 and a Location that is no URL: error: none"},
	{"a success counts before the whole body was sent", rig{form: true, client: trusting},
		"a success comes after the whole body", `submit succeeded before its body was read: error: none, want one of the kind "unavailable"`},
	{"a success of the presigned step counts before the whole body was sent", rig{client: trusting},
		"a success comes after the whole body", "presigned succeeded before its body was read: error: none"},
	{"a size that disagrees is not looked at", rig{form: true, client: trusting}, "answers that cannot be used", "submit answered 201 and another size: error: none"},
	{"the directories are told", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Replace(`filename="`, `filename="C:\home\`))},
		plainly, `name "plain.txt": wire: the name has directories: "C:\\home\\plain.txt"`},

	// The client's repeats and waits.
	{"409 is repeated", rig{sent: resend(409)}, "answers are errors of their kind",
		"announce answered 409: attempts: 2 requests came: the client must not send again after this answer"},
	{"422 is repeated", rig{form: true, sent: resend(422)}, "answers are errors of their kind",
		"submit answered 422: attempts: 2 requests came: the client must not"},
	{"502 is not repeated", rig{raw: true, client: stingy(502)}, "answers are errors of their kind",
		"deposit answered 502: attempts: only one request came: after this answer the client must send again"},
	{"a repeated large body is cut off", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Second(func(r *http.Request) {
		if r.ContentLength > 6<<20 {
			faulty.Rewrite(r, func(b []byte) []byte {
				return append(b[:5<<20:5<<20], b[bytes.LastIndex(b, []byte("\r\n--")):]...)
			})
		}
	}))}, "a repeated upload is whole", "submit connection reset in the middle of the body with 6291457 bytes: upload: depot"},
	{"a repeated body is empty", rig{form: true, sent: func(next http.RoundTripper) http.RoundTripper {
		return faulty.RequestTo("/forms", faulty.Second(faulty.Rewritten(func([]byte) []byte { return nil })))(next)
	}}, "a repeated upload is whole", `repeat: the second attempt has Content-Length "", the first had "1`},
	{"a repeated form has another name", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Second(faulty.Replace("(large)", "(small)")))},
		"a repeated upload is whole", `result: Name is "송장 (small).pdf"`},
	{"a repeated raw body has another type",
		rig{raw: true, sent: faulty.RequestTo("/raw", faulty.Second(faulty.Header("Content-Type", "application/octet-stream")))},
		"a repeated upload is whole", `stored: the media type is "application/octet-stream", want "application/pdf"`},
	{"a repeat lacks a header", rig{raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
		var n atomic.Int32
		return faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			if n.Add(1)%2 == 1 {
				r.Header.Set("X-Depot-Project", "7")
			}
			return next.RoundTrip(r)
		})
	}}, "a repeated upload is whole", "other headers than the first: X-Depot-Project"},
	{"a repeat has a key of its own", rig{raw: true, sent: faulty.RequestTo("/raw", func(r *http.Request) {
		r.Header.Set("Idempotency-Key", time.Now().Format(time.StampNano))
	})}, "a repeated upload is whole", "other headers than the first: Idempotency-Key"},
	{"a repeat has the same key", rig{raw: true, sent: faulty.RequestTo("/raw", faulty.Header("Idempotency-Key", "k"))},
		"a repeated upload is whole", ""},
	{"a repeat of a start has a key of its own", rig{sent: faulty.RequestTo("/objects", func(r *http.Request) {
		r.Header.Set("Idempotency-Key", time.Now().Format(time.StampNano))
	})}, "a passing fault is survived", "announce connection reset before the body: repeat: the second attempt has other headers than the first: Idem"},
	{"a repeated form has another field", rig{form: true, received: faulty.Arrival("/forms", fieldless),
		sent: faulty.RequestTo("/forms", fielded(func() string { return time.Now().Format(time.StampNano) })),
	}, "a repeated upload is whole", "with 1048577 bytes: repeat: the second attempt has other fields"},
	{"a repeat has another query", rig{raw: true,
		sent: faulty.RequestTo("/raw", func(r *http.Request) { r.URL.RawQuery += fmt.Sprint("&at=", time.Now().UnixNano()) })},
		"a repeated upload is whole", "repeat: the second attempt goes to POST /v2/raw"},
	{"a signature is sent again", rig{sent: dating(time.RFC3339Nano)}, "credentials are fresh in each attempt",
		"announce answered 503 once, after 20ms: credentials: the second attempt carries those of the first"},
	{"a signature of whole seconds is sent again", rig{sent: dating(time.RFC3339)}, "credentials are fresh in each attempt",
		"credentials: the second attempt carries those of the first: make new"},
	{"a signature is made once", rig{sent: faulty.RequestTo("/objects", faulty.Header("Authorization", "Dated of the first day"))},
		"credentials are fresh in each attempt", "announce, 1.1s later: credentials: the request carries those of the first upload"},

	{"a result is kept for ever", rig{sent: dating(time.RFC3339Nano), client: func(u upload.Uploader) upload.Uploader {
		var first upload.Result
		return uploads(func(c call) (_ upload.Result, err error) {
			if first.ID == "" {
				first, err = c.send()
			}
			return first, err
		})(u)
	}}, "credentials are fresh in each attempt", "so in one more case: announce, 1.1s later"},
	{"a token is kept for ever", oauth(faulty.Status(200, "/token", func(resp *http.Response) {
		resp.Body = io.NopCloser(strings.NewReader(`{"access_token":"` + lab.DepotKey + `","expires_in":3600}`))
	})), "credentials are fresh in each attempt",
		"after 1.1s: credentials: the second attempt carries those of the first: make new"},

	{"a token that was refused is kept", rig{form: true, oauth: true, received: oauth(nil).received,
		sent: faulty.Status(401, "", func(resp *http.Response) { resp.StatusCode = 403 })},
		"credentials are fresh in each attempt",
		"submit answered 401 once: credentials: the next upload sends the refused token again"},

	// The client's reading of answers.
	{"202 with an error is a success", rig{form: true, stored: unseen, client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		res.ID = "o-1" // no answer holds it
		if e, ok := errors.AsType[*upload.Error](err); ok && e.Status == 202 {
			return res, nil
		}
		return res, err
	})}, "answers that cannot be used", "submit answered 202 and an error: error: none"},
	{"JSON with a charset is none", rig{sent: refused("application/json; charset=utf-8")},
		"answers may be written in other ways", "announce answered with application/json; charset=utf-8: upload: depot"},
	{"JSON in capitals is none", rig{sent: refused("Application/JSON;charset=UTF-8")},
		"answers may be written in other ways", "announce answered with Application/JSON: upload: depot"},
	{"a member that is not documented is refused",
		rig{raw: true, sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil {
				b, _ := io.ReadAll(resp.Body)
				resp.Body = io.NopCloser(bytes.NewReader(b))
				if resp.StatusCode == 201 && bytes.Contains(b, []byte("uploadtest")) {
					resp.StatusCode = 500
				}
			}
			return resp, err
		})}, "answers may be written in other ways", "deposit answered with a member that is not documented: upload: depot"},
	{"an id with a space is refused", rig{raw: true, client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if strings.Contains(res.ID, " ") {
			err = errors.New("a bad id")
		}
		return res, err
	})}, "an id arrives as it was written", "deposit answered with the id a/b c%2F+é: upload: a bad id"},
	{"an id with a space is refused after the file was sent", rig{client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if strings.Contains(res.ID, " ") {
			err = errors.New("a bad id")
		}
		return res, err
	})}, "an id arrives as it was written", "announce answered with the id a/b c%2F+é: upload: a bad id"},
	{"an id is read as a number", rig{raw: true, client: result(func(r *upload.Result) {
		if f, err := strconv.ParseFloat(r.ID, 64); err == nil {
			r.ID = fmt.Sprint(f)
		}
	})}, "an id arrives as it was written",
		`deposit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"a function reads an id as a number", rig{raw: true, client: func(u upload.Uploader) upload.Uploader {
		return Func(func(ctx context.Context, src upload.Source) (string, error) {
			res, err := u.Upload(ctx, src)
			if f, bad := strconv.ParseFloat(res.ID, 64); bad == nil {
				res.ID = fmt.Sprint(f)
			}
			return res.ID, err
		})
	}}, "an id arrives as it was written",
		`deposit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"an id loses its zeros", rig{client: result(func(r *upload.Result) { r.ID = strings.TrimLeft(r.ID, "0") })},
		"an id arrives as it was written", `announce answered with the id 007: result: the ID is "7"`},
	{"an id is read as a number where each is a number", rig{raw: true, received: bareIDs, stored: unseen,
		client: result(func(r *upload.Result) {
			f, _ := strconv.ParseFloat(r.ID, 64)
			r.ID = fmt.Sprint(f)
		})}, "an id arrives as it was written",
		`deposit answered with the id 9007199254740993: result: the ID is "9.007199254740992e+15"`},
	{"an id of null is one where each is a number", rig{raw: true, received: bareIDs, stored: unseen,
		sent: faulty.Status(201, "", func(resp *http.Response) {
			b, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(bytes.Replace(b, []byte(`"id":null`), []byte(`"id":1`), 1)))
		})}, "answers that cannot be used", "deposit answered 201 and null for an id: error: none"},
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
		})}, "a passing fault is survived",
		"presigned answered 503 once: attempts: 2 requests of announce came, want 1"},
	{"an answer is read to its end", rig{raw: true,
		sent: faulty.Status(500, "", func(resp *http.Response) { _, _ = io.Copy(io.Discard, resp.Body) })},
		"an endless answer is left alone", "deposit answered 500 and 64 MiB: answer: the client read all of it, and must stop early"},
	{"a success is read to its end", rig{raw: true,
		sent: faulty.Status(201, "", func(resp *http.Response) { _, _ = io.Copy(io.Discard, resp.Body) })},
		"an endless answer is left alone", "deposit answered 201 and 64 MiB: answer: the client read all of it"},
	{"an answer's body is left open", rig{form: true,
		sent: faulty.Status(429, "", func(resp *http.Response) { resp.Body = io.NopCloser(resp.Body) })},
		"nothing is left running", "submit answered 429: answers: the body of an answer was not closed"},
	{"an answer's body is left open behind its beginning", rig{form: true, sent: faulty.Status(504, "", func(resp *http.Response) {
		_, _ = io.CopyN(io.Discard, resp.Body, 1<<20)
		resp.Body = io.NopCloser(resp.Body)
	})}, "nothing is left running", "submit answered 504: answers: the body of an answer was not closed"},
	{"the answer to a presigned step is left open",
		rig{sent: faulty.Status(200, "/store", func(resp *http.Response) { resp.Body = io.NopCloser(resp.Body) })},
		"nothing is left running", "presigned answered 200: answers: the body of an answer was not closed"},
	{"the answer to a call for a token is left open",
		oauth(faulty.Status(401, "/token", func(resp *http.Response) { resp.Body = io.NopCloser(resp.Body) })),
		"nothing is left running", "token answered 401: answers: the body of an answer was not closed"},
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
	}}, "nothing is left running", "5 uploads, one after another: connections: 5 are open, so each upload leaves one"},
	{"a goroutine is left", rig{form: true, client: uploads(func(c call) (upload.Result, error) {
		go func() { <-time.After(10 * time.Second) }()
		return c.send()
	})}, "nothing is left running", "an upload: goroutines: one is still running, started in"},
	{"a goroutine waits for the reader of a body", rig{form: true, sent: faulty.RequestTo("/forms", func(r *http.Request) {
		in, out := io.Pipe()
		body := r.Body
		go func() { _, err := io.Copy(out, body); out.CloseWithError(err) }()
		r.Body = faulty.ReadCloser(in, body)
	})}, "nothing is left running", "goroutines: one is still running, started in"},
	{"ids of two answers are mixed", rig{form: true, client: before(func(r *upload.Result) *string {
		r.TempRequestID = r.ID
		return &r.TempRequestID
	})}, plainly, `", but the answer that gave the ID said ""`},

	// The client's parts.
	{"the last part is lost", misplaced("query", func(all []piece) []piece { return all[:max(1, len(all)-1)] }),
		"bytes arrive unchanged", "65535 bytes: wire: no part has the file's bytes from byte 50000 on"},
	{"a part is lost", misplaced("at once", func(all []piece) []piece { return slices.Delete(all, len(all)/2, (len(all)+1)/2) }),
		"a stream that can be read once", "part 4 has 50000 bytes that are not the file's from byte 100000 on"},
	{"a part is sent as two", misplaced("path", func(all []piece) []piece {
		return append(all, piece{len(all) + 1, all[len(all)-1].at, all[len(all)-1].end})
	}), "bytes arrive unchanged", "1 bytes: wire: part 2 has 1 bytes that are not the file's from byte 1 on"},
	{"a part is sent twice", misplaced("query", func(all []piece) []piece { return append(all, all[0]) }),
		"bytes arrive unchanged", "wire: part 1 is sent again, though the server accepted it before"},
	{"parts are numbered backwards", misplaced("form", func(all []piece) []piece {
		for i := range all {
			all[i].nth = len(all) - i
		}
		return all
	}), "bytes arrive unchanged", "65535 bytes: wire: part 1 has 15535 bytes that are not the file's from byte 0 on"},
	{"parts overlap", misplaced("range", func(all []piece) []piece {
		all[len(all)-1].at = max(0, all[len(all)-1].at-10)
		return all
	}), "bytes arrive unchanged", "wire: the part at byte 49990 begins before the end of another one, at 50000"},
	{"a part between others is lost", misplaced("range", func(all []piece) []piece {
		return slices.Delete(all, len(all)/2, (len(all)+1)/2)
	}), "progress ends at the size", "progress of 307200 bytes: wire: no part has the file's bytes from byte 150000 on"},
	{"a part is not sent again", spoiled("query", faulty.Status(503, "/parts/", func(resp *http.Response) { resp.StatusCode = 200 })),
		"a passing fault is survived", "lay answered 503 once: wire: part 2 has 50000 bytes that are not the file's from byte 0 on"},
	{"a part is sent again without its end", spoiled("path",
		faulty.RequestTo("/1", faulty.Second(faulty.Rewritten(func(b []byte) []byte { return b[:len(b)/2] })))),
		"a passing fault is survived", "wire: part 2 has 50000 bytes that are not the file's from byte 25000 on"},
	{"a part is sent again without a header", spoiled("path", func(next http.RoundTripper) http.RoundTripper {
		return faulty.RequestTo("/1", faulty.Second(faulty.Header("X-Depot-Project", "7")))(next)
	}), "a repeated upload is whole", "1048577 bytes: repeat: the second attempt has other headers than the first: X-Depot-Project"},
	{"a large part is sent again after its refusal", spoiled("path", resend(413)), "an early refusal arrives",
		"put refused before its body was read: attempts: the client missed the refusal and sent again"},
	{"the bytes of a part are changed", spoiled("nowhere", faulty.RequestTo("/parts/", faulty.Rewritten(func(b []byte) []byte {
		if len(b) == 15535 {
			b = bytes.Clone(b)
			b[1000] ^= 1
		}
		return b
	}))), "bytes arrive unchanged", "65535 bytes: wire: 15535 bytes arrived, which are not the file's 65535"},

	// The client's presigned step.
	{"204 of the presigned step is no success",
		rig{sent: faulty.Status(204, "/store", func(resp *http.Response) { resp.StatusCode = 500 })},
		"any 2xx of the presigned step is success", "presigned answered 204: upload: depot"},
	{"the presigned method is fixed", rig{
		spec: bytes.Replace(lab.DepotSpec, []byte("uploadMethod: {"), []byte("uploadMethod: {enum: [PUT, POST], "), 1),
		sent: faulty.RequestTo("/store", func(r *http.Request) { r.Method = "PUT" })},
		"the presigned method is sent", "a URL that is handed out for POST: presigned method: PUT was sent"},
	{"a presigned URL is used for the next upload", rig{sent: func(next http.RoundTripper) http.RoundTripper {
		var first []byte
		return faulty.Status(200, "/objects", func(resp *http.Response) {
			said, _ := io.ReadAll(resp.Body)
			if first == nil {
				first = said
			}
			resp.Body = io.NopCloser(bytes.NewReader(first))
		})(next)
	}}, "bytes arrive unchanged", "1 bytes: presigned: the request goes to the URL of an earlier upload"},
	{"the presigned query is written anew", rig{sent: faulty.RequestTo("/store",
		func(r *http.Request) { r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%7e+1", "%7E+1") })},
		"the presigned method is sent", "request address: neither an operation"},
	{"a redirect counts as success", rig{client: trusting,
		sent: faulty.Status(301, "/store", func(resp *http.Response) { resp.StatusCode = 200 })},
		"a redirect gets no credentials", "redirected by 301 to another host: upload: it returned no error, but the file"},
	{"an expired URL is used again", rig{sent: resend(403)}, "an expired URL is asked for again once",
		"attempts: 1 starts and 2 presigned requests, want 2 of each"},
	{"expiry is taken for a refusal", rig{sent: faulty.Status(403, "/store",
		func(resp *http.Response) { resp.Body.Close(); resp.Body = http.NoBody })},
		"an expired URL is asked for again once", "as S3 does for a URL that has expired, once: upload: depot"},
	{"a new start announces another type", rig{sent: faulty.RequestTo("/objects", faulty.Second(faulty.Replace("/pdf", "/pdx")))},
		"an expired URL is asked for again once", "as S3 does for a URL that has expired, once: upload: depot"},
	{"a Retry-After is not waited for", rig{stored: func(s *Subject) { s.Patient = s.Uploader }},
		"a Retry-After is waited for", "announce answered 429 with a Retry-After, twice: attempts: the next request came too early"},
	{"a date in Retry-After is not waited for", rig{sent: faulty.Status(429, "", func(resp *http.Response) {
		if wait := resp.Header.Get("Retry-After"); len(wait) > 1 {
			resp.Header.Set("Retry-After", "0")
		}
	})}, "a Retry-After is waited for", "the next request came too early: Retry-After asks for a date"},
	{"seconds in Retry-After are not waited for", rig{sent: faulty.Status(429, "", func(resp *http.Response) {
		if resp.Header.Get("Retry-After") == "1" {
			resp.Header.Set("Retry-After", "0")
		}
	})}, "a Retry-After is waited for", "the next request came too early: Retry-After asks for a second"},
	{"cookies are kept", rig{client: func(u upload.Uploader) upload.Uploader {
		u.(*depotClient).http.Jar, _ = cookiejar.New(nil)
		return u
	}}, "cookies stay out of the presigned step", "presigned credentials: header Cookie"},

	// The client's credentials.
	{"redirects are followed", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		u.(*depotClient).http.CheckRedirect = nil
		return u
	}}, "a redirect gets no credentials",
		"submit redirected by 301 to another host: credentials: header X-Depot-Key was sent to the other host"},
	{"a redirect is followed with a header that tells the key", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		u.(*depotClient).http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
			r.Header = http.Header{"X-Debug": {"key=" + lab.DepotKey}}
			return nil
		}
		return u
	}}, "a redirect gets no credentials", "submit redirected by 301 to another host: credentials: a secret was sent to the other host"},
	{"a credential stands in the URL", rig{form: true,
		sent: faulty.RequestTo("/forms", func(r *http.Request) { r.URL.RawQuery = "key=" + url.QueryEscape(lab.DepotKey) })},
		"credentials stand in no URL", "submit: credentials: a secret stands in the URL of POST /v2/forms"},

	{"a credential stands in a header of the presigned step",
		rig{sent: faulty.RequestTo("/store", faulty.Header("Referer", "http://depot.example/?key="+lab.DepotKey))},
		"credentials stand in no URL", "presigned: credentials: a secret stands in the header Referer"},

	// The bytes on the wire.
	{"zeros are sent", rig{form: true, stored: unseen,
		client: readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			zeros := faulty.ReaderFunc(func(p []byte) (int, error) { clear(p); return len(p), nil })
			return faulty.ReadCloser(io.LimitReader(zeros, src.Size), rc)
		})}, "uploads run at once", "of 16 at once: wire: no request carried its"},
	{"more is sent than the client wants to know", rig{raw: true,
		sent: faulty.RequestTo("/raw", faulty.Rewritten(func(b []byte) []byte { return append(b, "\r\n"...) }))},
		"bytes arrive unchanged", "0 bytes: wire: 2 bytes arrived, which are not the file's 0"},
	{"another media type is sent", rig{form: true, stored: unseen,
		sent: faulty.RequestTo("/forms", faulty.Replace("Content-Type: text/plain", "Content-Type: text/html"))},
		plainly, `wire: the media type is "text/html", want "text/plain"`},
	{"ends of lines are changed", rig{sent: faulty.RequestTo("/store", faulty.Rewritten(func(b []byte) []byte {
		return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	}))}, "media types arrive unchanged", "stored: 30 bytes, 32 were sent, the first wrong one at offset 12"},
	{"each form has the same boundary", rig{form: true, sent: faulty.RequestTo("/forms", func(r *http.Request) {
		_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		faulty.Rewrite(r, func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte(params["boundary"]), []byte("same"))
		})
		r.Header.Set("Content-Type", "multipart/form-data; boundary=same")
	})}, "bytes arrive unchanged", "a file that has the boundary of an earlier form in it: wire: 1 bytes arrived, which are not the"},
	{"a media type adds a header", rig{form: true,
		client: input(func(src *upload.Source) { src.ContentType, _, _ = strings.Cut(src.ContentType, "\r\n") }),
		sent:   faulty.RequestTo("/forms", faulty.Replace("Content-Type: text/plain", "Content-Type: text/plain\r\nX-Uploadtest: 1"))},
		"media types arrive unchanged", "a media type with a line break in it: wire: the text behind the line break"},
	{"a long text is packed", rig{sent: faulty.RequestTo("/store", func(r *http.Request) {
		if r.ContentLength > 1000 && strings.HasPrefix(r.Header.Get("Content-Type"), "text/") {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = io.Copy(z, r.Body)
			z.Close()
			faulty.Rewrite(r, func([]byte) []byte { return packed.Bytes() })
		}
	})}, "media types arrive unchanged", "32004 were sent, the first wrong one at offset 0"},
	{"a text loses its byte order mark", rig{sent: faulty.RequestTo("/store", faulty.Rewritten(func(b []byte) []byte {
		return bytes.TrimPrefix(b, []byte("\ufeff"))
	}))}, "media types arrive unchanged", "stored: 32001 bytes, 32004 were sent"},
	{"a text loses what is no UTF-8", rig{sent: faulty.RequestTo("/store", func(r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "text/") {
			faulty.Rewrite(r, func(b []byte) []byte { return bytes.ToValidUTF8(b, nil) })
		}
	})}, "media types arrive unchanged", "stored: 32003 bytes, 32004 were sent"},
	{"a parameter in quotes is cut off", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Replace(`"a b"`, "a"))},
		"media types arrive unchanged", `stored: the media type is "text/plain; title=a", want "text/plain; title=\"a b\""`},
	{"a form carries the file twice", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Rewritten(func(b []byte) []byte {
		end := bytes.LastIndex(b, []byte("\r\n--"))
		return append(bytes.Clone(b[:end+2]), b...)
	}))}, plainly, "wire: one request carries the file 2 times"},
	{"the presigned query is sorted", rig{sent: faulty.RequestTo("/store",
		func(r *http.Request) { r.URL.RawQuery = r.URL.Query().Encode() })}, plainly,
		"request address: neither an operation"},
	{"a quote in a name ends it", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Replace(`\"quoted\"`, `"quoted"`))},
		plainly, "Content-Disposition cannot be parsed: `form-data; name=\"file\"; filename=\"a \"quoted\" name.txt\"`"},
	{"a file as a plain field", rig{form: true, sent: faulty.RequestTo("/forms", faulty.Replace("; filename=", "; title=")),
		received: faulty.Arrival("/forms", faulty.Replace("; title=", "; filename="))}, plainly,
		`wire: the part "file" of the form is the file, and has no file name`},
	{"a byte is changed on the way", rig{sent: faulty.RequestTo("/store", faulty.Rewritten(func(b []byte) []byte {
		if len(b) == 64<<10-1 {
			b = bytes.Clone(b)
			b[1000] ^= 1
		}
		return b
	}))}, "bytes arrive unchanged",
		"65535 bytes: stored: 65535 bytes, 65535 were sent, the first wrong one at offset 1000"},
	{"a large body is sent again after its refusal", rig{form: true, sent: resend(413)}, "an early refusal arrives",
		"submit refused before its body was read: attempts: the client missed the refusal and sent again"},
	{"the early refusal of a large body is lost",
		rig{sent: faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && resp.StatusCode == 413 {
				return nil, errors.New("broken pipe")
			}
			return resp, err
		})}, "an early refusal arrives", `not of the kind "too large"`},

	// The handler.
	{"an answer short of a property", rig{received: faulty.Reply("/objects", faulty.Said(`"id"`, `"key"`))},
		plainly, `announce: response body: status 200: at /id: property "id" is missing`},
	{"the stored media type is another", rig{form: true, received: faulty.Arrival("/forms", faulty.Replace("application/pdf",
		"application/pdx"))}, "media types arrive unchanged",
		`stored: the media type is "application/pdx", want "application/pdf"`},
	{"another type of the spec's is announced", rig{form: true,
		spec: amended("multipart/form-data:", "\n            encoding: {file: {contentType: 'text/html, application/pdf'}}"),
		sent: faulty.RequestTo("/forms", faulty.Replace("application/pdf", "text/html"))},
		"media types arrive unchanged", `the media type is "text/html", want "application/pdf"`},
	{"a torn body is stored", rig{received: faulty.Arrival("/store", faulty.Swallowed)}, "a lasting fault is an error",
		"an upload that failed left a file under its id"},
	{"a handler that panics", rig{received: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	}}, plainly, "the handler panicked: boom"},
	{"a file is stored twice", rig{form: true, received: doubled}, plainly,
		"count: 3 files are stored after one upload, 1 were before"},
	{"a file is not counted", rig{raw: true, stored: func(s *Subject) { s.Count = func() int { return 7 } }}, plainly,
		"count: 7 files are stored after one upload, 7 were before"},
	{"each of several files is stored twice", rig{form: true, received: doubled}, "uploads run at once",
		"16 uploads at once: count: 32 more files are stored, want 16"},
	{"more is stored than was sent", rig{stored: keeps(faulty.ReaderFunc(func(p []byte) (int, error) {
		return copy(p, "more"), nil
	}))}, "bytes arrive unchanged",
		"65537 bytes: stored: more than the 65537 bytes that were sent, the first wrong one at offset 65537"},
	{"what is stored cannot be read", rig{stored: keeps(iotest.ErrReader(errors.New("a bad disk")))},
		"bytes arrive unchanged", "65537 bytes: stored: what is stored cannot be read: a bad disk"},
	{"a file vanishes", rig{form: true, stored: func(s *Subject) {
		s.Stored = func(context.Context, string) (io.ReadCloser, string, error) { return nil, "", errors.New("gone") }
	}}, plainly, "stored: nothing under the returned id: gone"},

	// Clients that are right: nothing may be said of them.
	{"a 403 for the token is taken for a 403", rig{form: true, oauth: true, received: oauth(nil).received,
		client: failure(func(e *upload.Error) error {
			if e.Op == Token && e.Status == 403 {
				e.Err = upload.ErrForbidden
			}
			return e
		})}, "answers are errors of their kind", ""},
	{"a temporary id has another name in the answer", rig{form: true,
		received: faulty.Reply("/forms", faulty.Said(`"size":`, `"batchId":"t-1","size":`)),
		client:   result(func(r *upload.Result) { r.TempRequestID = "t-1" })}, plainly, ""},
	{"a quota that is used up lasts, as its code says", usedUp(true), "answers are errors of their kind", ""},
	{"a signature is made once, and nothing is sent again", rig{sent: dating(time.RFC3339Nano), client: stingy(503)},
		"credentials are fresh in each attempt", ""},
	{"the name is the id", byName, "each upload has its own id", ""},
	{"the name is the id of uploads at once", byName, "uploads run at once", ""},
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
		})}, "an endless answer is left alone", ""},
	{"an answer has nothing but a Location", located(func(_, where string) string {
		if where == "://" {
			return ""
		}
		return where
	}), "answers that cannot be used", ""},
	{"a method is sent as it was written", rig{sent: func(next http.RoundTripper) http.RoundTripper {
		var said atomic.Value
		return faulty.Status(200, "/objects", func(resp *http.Response) {
			b, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
			resp.Body = faulty.ReadCloser(io.MultiReader(bytes.NewReader(b), resp.Body), resp.Body)
			if found := method.FindSubmatch(b); found != nil {
				said.Store(string(found[2]))
			}
		})(faulty.RequestTo("/store", func(r *http.Request) { r.Method = said.Load().(string) })(next))
	}}, "the presigned method is sent", ""},
	{"the one method of the spec is known", rig{
		spec: bytes.Replace(lab.DepotSpec, []byte("uploadMethod: {"), []byte("uploadMethod: {enum: [PUT], "), 1),
		sent: faulty.RequestTo("/store", func(r *http.Request) { r.Method = "PUT" })}, "the presigned method is sent", ""},
	{"the store tells of the file", rig{
		received: faulty.Reply("/store", func(rec *httptest.ResponseRecorder) {
			if rec.Code == 200 {
				rec.Body = bytes.NewBufferString(`{"etag":"1"}`)
			}
		}),
		sent: faulty.Status(204, "/store", func(resp *http.Response) { resp.StatusCode = 500 })},
		"any 2xx of the presigned step is success", ""},
	{"the store has a note without a text", rig{received: faulty.Reply("/store", faulty.Body(`{"note":""}`))},
		"answers that cannot be used", ""},
	{"a checksum is stated ahead", rig{raw: true, client: uploads(func(c call) (upload.Result, error) {
		var b bytes.Buffer
		if err := slurp(c.ctx, c.src, &b); err != nil {
			return upload.Result{}, &upload.Error{Provider: "depot", Err: err}
		}
		return c.u.Upload(context.WithValue(c.ctx, checksumKey{}, payload.Sum(b.Bytes())), c.src)
	}), sent: faulty.RequestTo("/raw", func(r *http.Request) {
		r.Header.Set("X-Checksum", r.Context().Value(checksumKey{}).(string))
	})}, "a stream that can be read once", ""},
	{"a function sends once, and says so", rig{form: true, client: func(u upload.Uploader) upload.Uploader {
		return plain(sendOnce(u))
	}}, "a stream that can be read once", ""},
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
	}}, "a redirect gets no credentials", ""},
	{"the spec has no 404 for an id", rig{form: true, client: uploads(func(c call) (upload.Result, error) {
		res, err := c.send()
		if err == nil {
			said := depotAnswer{trace: res.TraceID}
			err = look(c, res.ID, &said)
			res.TraceID = said.trace
		}
		return res, err
	}), spec: bytes.ReplaceAll(lab.DepotSpec, []byte("\n        '404': {description: Refused without a word.}"), nil)},
		"an id arrives as it was written", ""},
}

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

// usedUp takes that code for a quota that is used up. Its error says whether
// that lasts.
func usedUp(lasting bool) rig {
	return rig{spec: quota, client: failure(func(e *upload.Error) error {
		if e.Status == 418 {
			e.Status, e.Err, e.Lasting = 429, upload.ErrRateLimited, lasting
		}
		return e
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

// linesOf returns what one property says of a rig.
func linesOf(t *testing.T, name string, r rig, last ...string) []string {
	at := slices.IndexFunc(properties, func(p property) bool { return p.name == name })
	return lab.Recorded(t, func(tb testing.TB) { properties[at].hold(begin(tb, r.setup)) }, last...)
}

func TestTheKitNamesEachFault(t *testing.T) {
	t.Parallel()
	// These go on with up to 16 MiB, which is for nothing once the fault is named.
	heavy := map[string]bool{"bytes arrive unchanged": true, "a repeated upload is whole": true}
	for _, b := range bites {
		t.Run(b.fault, func(t *testing.T) {
			t.Parallel()
			last := ""
			if heavy[b.property] {
				last = b.want
			}
			lines := linesOf(t, b.property, b.rig, last)
			if b.want != "" {
				lab.Named(t, lines, b.want)
			} else if len(lines) > 0 {
				t.Errorf("it was blamed: %q", lines)
			}
		})
	}
}

// A failure after the file has arrived may leave it there. Net/http by itself
// repeats a GET whose connection is cut. A token may be there before.
func TestAClientMayDoMoreThanUpload(t *testing.T) {
	t.Parallel()
	looks := uploads(func(c call) (upload.Result, error) {
		for _, name := range []string{"free", "free-2"} {
			if err := look(c, name, new(depotAnswer)); !errors.Is(err, upload.ErrNotFound) {
				return upload.Result{}, err
			}
		}
		return c.send()
	})
	asks := func(times int) func(upload.Uploader) upload.Uploader {
		return uploads(func(c call) (upload.Result, error) {
			res, err := c.send()
			for n := 0; n < times && err == nil; n++ {
				said := depotAnswer{trace: res.TraceID}
				err = look(c, res.ID, &said)
				if err == nil && said.Size != res.Size {
					err = &upload.Error{Provider: "depot", Op: "look", Status: 200, TraceID: said.trace, Attempts: 1,
						Err: fmt.Errorf("%w: another size", upload.ErrUnavailable)}
				}
				res.TraceID = said.trace
			}
			return res, err
		})
	}
	login := func(s *Subject) { _, _ = s.Uploader.(*depotClient).credential(context.Background()) }
	for what, r := range map[string]rig{
		"asks about a form and is told of a job": {form: true, client: asks(1),
			received: faulty.Reply("/objects/", func(rec *httptest.ResponseRecorder) {
				rec.Body = bytes.NewBufferString(hexID.ReplaceAllString(rec.Body.String(), `"job"`))
			})},
		"polls": {form: true, client: asks(3)}, "looks whether names are free": {form: true, client: looks},
		"asks about a form": {form: true, client: asks(1)}, "asks about a presigned step": {client: asks(1)},
		"has a key of words": {form: true,
			sent: faulty.RequestTo("/forms", faulty.Header("Authorization", "Key design-candidate-runtime"))},
		"takes no number where the spec has a text": {client: uploads(func(c call) (upload.Result, error) {
			res, err := c.send()
			if strings.HasPrefix(res.ID, "9007") {
				err = errors.New("a number")
			}
			return res, err
		})},
		"deletes what an upload that failed left": {client: uploads(func(c call) (upload.Result, error) {
			res, err := c.send()
			if client := c.u.(*depotClient); err != nil && c.ctx.Err() == nil && res.ID != "" {
				_ = client.do(c.ctx, "remove", "DELETE", client.base+"/objects/"+url.PathEscape(res.ID), "", nil, new(depotAnswer))
			}
			return res, err
		})},
		"logs in": {form: true, oauth: true, received: oauth(nil).received, stored: login},
		"looks whether its bytes are there before it sends them again": {sent: looking,
			received: faulty.Reply("/objects/", func(rec *httptest.ResponseRecorder) { rec.Header().Del("X-Depot-Trace") })},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			for _, check := range []func(*trial){uploadsAtOnce, cancelInAnswer, kindsHold, faultsPass, faultsLast, endless,
				unusable, idsAsWritten, freshCredentials, secretsStay, handingOut(presignedMethod)} {
				check(begin(tb, r.setup))
			}
		})
		if len(lines) > 0 {
			t.Errorf("a client that %s: %d lines, such as: %s", what, len(lines), lines[0])
		}
	}
}

// looking sends bytes again only if the server does not have them.
var looking = faulty.Trips(func(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(r)
	if id, ok := strings.CutPrefix(r.URL.Path, "/store/"); ok && err != nil && r.Context().Err() == nil {
		look, _ := http.NewRequestWithContext(r.Context(), "GET", "http://"+r.URL.Host+"/v2/objects/"+id, nil)
		look.Header.Set("X-Depot-Key", lab.DepotKey)
		if said, failed := next.RoundTrip(look); failed == nil {
			var o depotAnswer
			_ = json.NewDecoder(said.Body).Decode(&o)
			if said.Body.Close(); o.Size == r.ContentLength {
				return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
			}
		}
	}
	return resp, err
})

// A fault has lines that are true of it, and no others.
func TestNoLineIsUntrue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault    string
		rig      rig
		property string
		never    string
	}{
		{"a reader that stays open is no upload that waits", rig{raw: true, stored: func(s *Subject) {
			s.Patient = readers(func(rc io.ReadCloser, _ upload.Source) io.ReadCloser { return io.NopCloser(rc) })(s.Patient)
		}}, "a wait ends with its context", "upload: "},
		{"who does not wait has no wait to end", rig{raw: true, stored: func(s *Subject) {
			s.Patient = failure(func(e *upload.Error) error {
				time.Sleep(100 * time.Millisecond) // it returns once its context has ended
				e.Err = upload.ErrInvalid
				return e
			})(stingy(429)(s.Patient))
		}}, "a wait ends with its context", ""},
		{"a success is no upload that failed", rig{client: readers(func(rc io.ReadCloser, src upload.Source) io.ReadCloser {
			return faulty.ReadCloser(io.LimitReader(rc, src.Size), rc)
		})}, "a source that is not its size", "stored: "},
		{"a header that cannot be parsed hides what the part is", rig{form: true,
			sent: faulty.RequestTo("/forms", faulty.Replace(`\"quoted\"`, `"quoted"`))}, plainly, "wire: "},
		{"who does not wait is told so once", rig{raw: true, stored: func(s *Subject) { s.Patient = s.Uploader }},
			"a Retry-After is waited for", "asks for a second"},
		{"a body that was torn is sent once more", rig{client: trusting, sent: func(next http.RoundTripper) http.RoundTripper {
			half := 100 << 10
			return faulty.RequestTo("/store", faulty.Second(func(r *http.Request) {
				length := r.ContentLength
				faulty.Rewrite(r, func(b []byte) []byte { return b[:half] })
				if half > 0 {
					r.ContentLength, half = length, 0
				}
			}))(next)
		}}, "a passing fault is survived", "attempts: "},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			for _, line := range linesOf(t, c.property, c.rig) {
				if strings.Contains(line, c.never) {
					t.Error(line)
				}
			}
		})
	}
}

// A client announces what the spec lets it, and a server may keep no media
// type.
func TestTheMediaTypeIsOneOfTheSpec(t *testing.T) {
	t.Parallel()
	octets := faulty.Header("Content-Type", upload.OctetStream)
	untyped := func(s *Subject) {
		stored := s.Stored
		s.Stored = func(ctx context.Context, id string) (io.ReadCloser, string, error) {
			content, _, err := stored(ctx, id)
			return content, "", err
		}
	}
	only := bytes.Replace(lab.DepotSpec, []byte("'*/*'"), []byte(upload.OctetStream), 1)
	form := amended("multipart/form-data:",
		"\n            encoding: {file: {contentType: 'image/png, "+upload.OctetStream+"'}}")
	for what, r := range map[string]rig{
		"one type": {raw: true, spec: only, sent: faulty.RequestTo("/raw", octets)},
		"no type":  {raw: true, stored: untyped},
		"a form of one type": {form: true, spec: form, client: input(func(src *upload.Source) {
			src.ContentType = upload.OctetStream
		})},
		"an empty field": {form: true,
			spec:     amended("required: [file]\n              properties:", "\n                n: {type: string}"),
			sent:     faulty.RequestTo("/forms", fielded(func() string { return "" })),
			received: faulty.Arrival("/forms", fieldless)},
	} {
		lines := lab.Recorded(t, func(tb testing.TB) {
			bytesArrive(begin(tb, r.setup))
			namesArrive(begin(tb, r.setup))
			mediaTypesArrive(begin(tb, r.setup))
		})
		if len(lines) > 0 {
			t.Errorf("%s: %d lines, such as: %s", what, len(lines), lines[0])
		}
	}
	alone := begin(t, rig{stored: func(s *Subject) { s.Server = nil }}.setup)
	if mediaTypesArrive(alone); !alone.seen.Has(aMediaType) {
		t.Error("a store without a Server tells of no media type")
	}
}

// Nobody knows why a client waits for longer than a Retry-After asks.
func TestOnlyAWaitThatWasAskedForCounts(t *testing.T) {
	t.Parallel()
	for what, r := range map[string]rig{
		"as asked": {raw: true}, "never": {raw: true, stored: func(s *Subject) { s.Patient = stingy(429)(s.Patient) }},
		"longer": {raw: true, sent: faulty.Status(429, "", func(resp *http.Response) { resp.Header.Set("Retry-After", "2") })},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			it := begin(t, r.setup)
			if waitsAsAsked(it); it.seen.Has(aWait) != (what == "as asked") {
				t.Errorf("a wait was seen: %t", it.seen.Has(aWait))
			}
		})
	}
}

// No other test runs meanwhile, since all write one log. The server of a test
// may log what it is sent.
func TestTheLogShowsNoSecret(t *testing.T) {
	const line = "secrets: a line of package log shows a credential or a presigned query"
	for what, c := range map[string]struct {
		rig      rig
		property string
		want     []string
	}{
		"the server logs its key": {rig{received: faulty.Serves(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			log.Printf("served %s with %s", r.URL, r.Header.Get("X-Depot-Key"))
			next.ServeHTTP(w, r)
		})}, "secrets stay inside", nil},
		"the client logs its key": {rig{client: uploads(func(c call) (upload.Result, error) {
			log.Printf("%s with %s", c.src.Name, lab.DepotKey)
			return c.send()
		})}, "secrets stay inside", []string{"an upload: " + line}},
		"the client logs its key after a 502": {rig{raw: true, client: failure(func(e *upload.Error) error {
			if e.Status == 502 {
				slog.Warn("refused", "key", lab.DepotKey)
			}
			return e
		})}, "answers are errors of their kind", []string{"deposit answered 502: " + line}},
	} {
		if lines := linesOf(t, c.property, c.rig); !slices.Equal(lines, c.want) {
			t.Errorf("%s: %q, want %q", what, lines, c.want)
		}
	}
}

// An answer may be an id and nothing else, or a list of ids.
func TestAnIDIsFoundWhereverItStands(t *testing.T) {
	for _, c := range []struct {
		r    Request
		id   string
		want bool
	}{
		{Request{URI: "/x?id=a+b"}, "a b", true}, {Request{URI: "/a%20b"}, "a b", true}, {Request{URI: "/a"}, "", false},
		{Request{URI: "/x", Body: []byte(`{"id":"a b"}`)}, "a b", true}, {Request{URI: "/x"}, "a b", false},
	} {
		if got := c.r.names(c.id); got != c.want {
			t.Errorf("%s with %s names %q: %t", c.r.URI, c.r.Body, c.id, got)
		}
	}
	for answer, want := range map[string]string{
		`"7"`: `null`, `[ 7, 8 ]`: `[ null, 8 ]`, `{"a": {"id" : "7", "n": 7}, "m": "70"}`: `{"a": {"id" : null, "n": null}, "m": "70"}`,
		`{"id":"8"}`: `{"id":"8"}`,
	} {
		if got := idsOf([]byte(answer), "7")(answer, "null"); got != want {
			t.Errorf("%s becomes %s, want %s", answer, got, want)
		}
	}
}

// A rule that breaks in every property is told in full once.
func TestARunTellsARuleOnce(t *testing.T) {
	t.Parallel()
	key := rig{sent: faulty.RequestTo("/store", faulty.Header("X-Depot-Key", lab.DepotKey))}
	lines := strings.Join(lab.Recorded(t, func(tb testing.TB) { Run(tb, key.setup) }), "\n")
	again := "\npresigned: presigned credentials: so in "
	if n := strings.Count(lines, "presigned credentials"); n != 2 || !strings.Contains(lines, again) {
		t.Errorf("it is told %d times:\n%s", n, lines)
	}
}

// A fault that shows in several ways is told once in each case.
func TestAFaultIsToldOnceInACase(t *testing.T) {
	t.Parallel()
	for property, r := range map[string]rig{
		"secrets stay inside":         {form: true, client: deaf},
		"a passing fault is survived": {raw: true, client: plain, sent: faulty.RequestTo("/raw", faulty.Second(flipped))},
	} {
		told := map[string]bool{}
		for _, line := range linesOf(t, property, r) {
			of, _, _ := strings.Cut(line, ": ")
			if told[of] {
				t.Error("again:", line)
			}
			told[of] = true
		}
		if len(told) == 0 {
			t.Errorf("%s: nothing is told", property)
		}
	}
}

// A client that tells no name shows one only where its request does.
func TestANameIsSeenInARequest(t *testing.T) {
	for _, form := range []bool{true, false} {
		it := begin(t, rig{form: form, client: plain}.setup)
		if namesArrive(it); it.seen.Has(aName) != form {
			t.Errorf("by form %t, a name was seen: %t", form, it.seen.Has(aName))
		}
	}
}
