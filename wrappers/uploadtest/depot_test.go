package uploadtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

// The depot is the reference: a provider that keeps its files in a map, and the
// shortest right client. The client holds a file in memory, and so has none of
// the difficulties of a real one.

// depotClient is the client, by form or by presigned URL.
type depotClient struct {
	base  string
	http  *http.Client
	form  bool
	raw   bool
	key   func() string // never printed; nil means lab.DepotKey
	oauth bool          // asks for the key

	mu  sync.Mutex // for what follows
	end time.Time  // of the key

	trusting bool
	patient  bool  // waits as Retry-After says
	never    []int // statuses after which nothing is sent again
	once     bool  // sends a form again only after a 429
}

type depotAnswer struct {
	Literal json.RawMessage `json:"id"`
	ID      string          `json:"-"`

	Name, UploadMethod, UploadURL string
	Size                          int64
	URLs                          []struct{ UploadURL string }
	Token                         string        `json:"access_token"`
	Expires                       time.Duration `json:"expires_in"`
	trace                         string
	bare                          bool        // nothing but a status is expected
	send, got                     http.Header // beside what each request and answer has
}

// sized returns an error if the answer to an operation says another size.
func (a *depotAnswer) sized(op string, status int, size int64) error {
	if a.Size == size {
		return nil
	}
	return &upload.Error{Provider: "depot", Op: op, Status: status, Attempts: 1, TraceID: a.trace,
		Err: fmt.Errorf("%w: another size", upload.ErrUnavailable)}
}

// literal sets and returns the id as it is written.
func (a *depotAnswer) literal() string {
	if json.Unmarshal(a.Literal, &a.ID) != nil {
		a.ID = string(a.Literal)
	}
	return a.ID
}

func (c *depotClient) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	res := upload.Result{Name: upload.BaseName(src.Name), Size: src.Size}
	if src.ContentType == "" {
		src.ContentType = upload.OctetStream
	}
	if (c.form || c.raw) && (res.Name == "" || !utf8.ValidString(res.Name) ||
		strings.ContainsFunc(res.Name+src.ContentType, unicode.IsControl)) {
		return res, &upload.Error{Provider: "depot", Err: fmt.Errorf("%w: name or type cannot be sent",
			upload.ErrInvalid)}
	}
	body := bytes.NewBuffer(make([]byte, 0, max(0, src.Size)+1<<10))
	form, into := multipart.NewWriter(body), io.Writer(body)
	if c.form {
		into, _ = form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {multipart.FileContentDisposition("file", res.Name)},
			"Content-Type":        {src.ContentType},
		})
	}
	err := slurp(ctx, src, into)
	if err != nil {
		return res, &upload.Error{Provider: "depot", Err: err}
	}
	var answer depotAnswer
	if c.form || c.raw {
		op, to, typ := "deposit", "/raw?name="+url.QueryEscape(res.Name), src.ContentType
		if c.form {
			form.Close()
			op, to, typ = "submit", "/forms", form.FormDataContentType()
		}
		err = c.do(ctx, op, "POST", c.base+to, typ, body.Bytes(), &answer)
		res.Name = answer.Name
		if err == nil && !c.trusting {
			err = answer.sized(op, 201, src.Size)
		}
	} else {
		in, _ := json.Marshal(map[string]string{"contentType": src.ContentType})
		for range 2 {
			if err = c.do(ctx, "announce", "POST", c.base+"/objects", "application/json", in, &answer); err == nil {
				err = c.do(ctx, Presigned, strings.ToUpper(answer.UploadMethod), answer.UploadURL, src.ContentType,
					body.Bytes(), &answer)
			}
			if !errors.Is(err, upload.ErrExpired) {
				break
			}
		}
	}
	res.ID, res.TraceID = answer.ID, answer.trace
	return res, err
}

// credential returns the key, or a token. It keeps a token until its end, or
// until it is refused.
func (c *depotClient) credential(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.oauth && time.Now().After(c.end) {
		var token depotAnswer
		to := strings.TrimSuffix(c.base, "/v2") + "/token"
		if err := c.do(ctx, Token, "POST", to, "application/x-www-form-urlencoded",
			[]byte("grant_type=client_credentials&client_secret="+url.QueryEscape(lab.DepotKey)), &token); err != nil {
			return "", err
		}
		c.key, c.end = func() string { return token.Token }, time.Now().Add(token.Expires*time.Second)
	}
	if c.key == nil {
		return lab.DepotKey, nil
	}
	return c.key(), nil
}

// slurp copies a source that must have its size.
func slurp(ctx context.Context, src upload.Source, into io.Writer) error {
	rc, err := src.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", upload.ErrInvalid, err)
	}
	closed := sync.OnceFunc(func() { rc.Close() })
	defer closed()
	defer context.AfterFunc(ctx, closed)()
	n, err := io.Copy(into, io.LimitReader(rc, src.Size+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w: %w", upload.ErrInvalid, err)
	case n != src.Size:
		return fmt.Errorf("%w: it is not its size", upload.ErrInvalid)
	}
	return nil
}

var depotKinds = map[int]error{
	401: upload.ErrUnauthorized, 403: upload.ErrForbidden, 404: upload.ErrNotFound, 408: upload.ErrUnavailable,
	413: upload.ErrTooLarge, 429: upload.ErrRateLimited,
}

func depotKind(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
	kind := depotKinds[resp.StatusCode]
	switch {
	case strings.Contains(string(text), "xpired"):
		return upload.ErrExpired
	case kind == nil && resp.StatusCode/100 == 4:
		return upload.ErrInvalid
	case kind == nil:
		return upload.ErrUnavailable
	}
	return kind
}

// left tells how much of a request's body was not read.
func left(r *http.Request) func() int64 {
	var unread atomic.Int64
	open := r.GetBody
	r.GetBody = func() (io.ReadCloser, error) {
		rc, err := open()
		unread.Store(r.ContentLength)
		return faulty.ReadCloser(faulty.ReaderFunc(func(p []byte) (int, error) {
			n, err := rc.Read(p)
			unread.Add(int64(-n))
			return n, err
		}), rc), err
	}
	if r.ContentLength > 0 {
		r.Body, _ = r.GetBody()
	}
	return unread.Load
}

func (c *depotClient) do(ctx context.Context, op, method, address, contentType string, body []byte,
	into *depotAnswer) error {
	for attempt := 1; ; attempt++ {
		failure := &upload.Error{Provider: "depot", Op: op, Attempts: attempt}
		req, _ := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
		unsent := left(req)
		req.Header.Set("Content-Type", contentType)
		if op != Presigned && op != Token {
			key, err := c.credential(ctx)
			if err != nil {
				return err
			}
			req.Header.Set("X-Depot-Key", key)
		}
		maps.Copy(req.Header, into.send)
		if len(body) >= 1<<20 {
			req.Header.Set("Expect", "100-continue")
		}
		resp, err := c.http.Do(req)
		if err == nil && op != Presigned {
			into.trace, into.got = resp.Header.Get("X-Depot-Trace"), resp.Header
		}
		failure.TraceID = into.trace
		switch {
		case ctx.Err() != nil:
			failure.Err = ctx.Err()
			return failure
		case err != nil:
			failure.Err = fmt.Errorf("%w: %w", upload.ErrUnavailable, errors.Unwrap(err))
		case resp.StatusCode/100 == 2, resp.StatusCode == http.StatusPermanentRedirect && into.bare:
			defer resp.Body.Close()
			failure.Status = resp.StatusCode
			if unsent() > 0 && !c.trusting {
				failure.Err = fmt.Errorf("%w: the body was not read", upload.ErrUnavailable)
				return failure
			}
			if op == Presigned || into.bare {
				return nil
			}
			if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(into); err != nil ||
				into.literal() == "" && op != Token {
				failure.Err = fmt.Errorf("%w: the answer cannot be used", upload.ErrUnavailable)
				return failure
			}
			return nil
		default:
			failure.Status, failure.Err = resp.StatusCode, depotKind(resp)
			if failure.Status == http.StatusUnauthorized && op != Token && op != Presigned {
				c.mu.Lock()
				c.end = time.Time{}
				c.mu.Unlock()
			}
			if resp.Body.Close(); op == Token && failure.Status/100 == 4 && failure.Err != upload.ErrUnavailable &&
				failure.Err != upload.ErrRateLimited {
				failure.Err = upload.ErrUnauthorized
			}
			wait := resp.Header.Get("Retry-After")
			seconds, _ := strconv.Atoi(wait)
			failure.RetryAfter = time.Duration(seconds) * time.Second
			if at, err := http.ParseTime(wait); err == nil {
				failure.RetryAfter = max(0, time.Until(at))
			}
		}
		harmful := c.once && op == "submit" && !errors.Is(failure.Err, upload.ErrRateLimited)
		if attempt == 3 || harmful || slices.Contains(c.never, failure.Status) ||
			!errors.Is(failure.Err, upload.ErrUnavailable) && !errors.Is(failure.Err, upload.ErrRateLimited) {
			return failure
		}
		if c.patient {
			select {
			case <-time.After(failure.RetryAfter):
			case <-ctx.Done():
			}
		}
	}
}

// rig holds the differences from the reference.
type rig struct {
	form     bool
	raw      bool
	oauth    bool
	client   func(upload.Uploader) upload.Uploader
	sent     func(http.RoundTripper) http.RoundTripper
	received func(http.Handler) http.Handler
	stored   func(*Subject)
	spec     []byte // nil means depotSpec
}

func (g rig) setup(t testing.TB) Subject {
	d := lab.NewDepot()
	t.Cleanup(d.Release)
	d.Objects["o-0"] = lab.Object{} // of another client
	var h http.Handler = d
	if g.received != nil {
		h = g.received(h)
	}
	server := Serve(t, h, []byte(cmp.Or(string(g.spec), string(lab.DepotSpec))))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = 10 * time.Second
	t.Cleanup(transport.CloseIdleConnections)
	hc := &http.Client{Transport: transport}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if g.sent != nil {
		hc.Transport = g.sent(transport)
	}
	client := func(patient bool) *depotClient {
		return &depotClient{base: server.BaseURL, form: g.form, raw: g.raw, oauth: g.oauth, http: hc, patient: patient}
	}
	s := Subject{Uploader: client(false), Patient: client(true), Server: server, Stored: d.Stored, Count: d.Count,
		Secrets: []string{lab.DepotKey}}
	if g.client != nil {
		s.Uploader = g.client(s.Uploader)
	}
	if g.stored != nil {
		g.stored(&s)
	}
	return s
}

// sendOnce also follows redirects, without the key.
func sendOnce(u upload.Uploader) upload.Uploader {
	c := u.(*depotClient)
	c.once = true
	c.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		r.Header.Del("X-Depot-Key")
		return nil
	}
	return u
}

func submitOnce(s *Subject) { s.Once = []string{"submit"} }

func TestTheReferenceKeepsAllProperties(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("all", func(t *testing.T) {
		for what, r := range map[string]rig{
			"form": {form: true}, "form with a token": oauth(nil),
			"form sent once": {form: true, client: sendOnce, stored: submitOnce},
			"raw, with a second try after 401": {raw: true, sent: func(next http.RoundTripper) http.RoundTripper {
				return resend(401)(faulty.RequestTo("/raw", faulty.Second(faulty.Header("X-Retry", "1")))(next))
			}, client: misstated(func(e *upload.Error) {
				if e.Status == 401 {
					e.Attempts = 2
				}
			})}, "presigned": {},
		} {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				Run(t, r.setup)
			})
		}
	})
	goleak.VerifyNone(t, before) // the kit leaves nothing running, either
}
