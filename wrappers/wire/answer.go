package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

const (
	// maxErrorBody is how many bytes are read of an answer that is no success.
	// The reading ends after errorBodyTime, since the status is known by then
	// and says more than the body.
	maxErrorBody  = 64 << 10
	errorBodyTime = 5 * time.Second

	// maxAnswer is how many bytes are read of a success.
	maxAnswer = 1 << 20
)

// Answer is a response that is no success, as far as it was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 64 KiB

	request *http.Request // the request that was answered; a redirect may have made it
}

// time returns the server's time from the Date header, or else this machine's.
func (a Answer) time() time.Time {
	if there, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		return there
	}
	return time.Now()
}

// understand makes x.failure of an answer that is no success, by the API's
// table. The response's body can still be read whole.
func (d *Doer) understand(x *exchange) (mayPass bool) {
	body := peek(x.resp)
	f, secrets, mayPass := d.describe(x, x.resp, body)
	f.RetryAfter = retryAfter(x.resp.Header.Get("Retry-After"))
	if f.Code == "" && f.Message == "" {
		says := string(body)
		if to, err := x.resp.Location(); err == nil && f.Status/100 == 3 {
			says = fmt.Sprintf("redirect to %s is not followed", origin(to))
		}
		f.Message = clean(says, 256, secrets)
	}
	return mayPass
}

// describe makes x.failure of an answer. It holds the kind, and the code and
// the words that the API finds in the body.
func (d *Doer) describe(
	x *exchange, resp *http.Response, body []byte,
) (f *upload.Error, secrets *secretSet, mayPass bool) {
	secrets = d.secrets(x.req, resp.Request)
	f = d.fail(x, nil)
	f.Status, f.TraceID = resp.StatusCode, clean(d.traceID(resp), 128, secrets)
	if d.api.Read != nil {
		f.Code, f.Message = d.api.Read(Answer{resp.StatusCode, resp.Header, body, resp.Request})
	}
	f.Err, mayPass = d.api.Table.Meaning(f.Status, f.Code, f.Message)
	f.Code, f.Message = clean(f.Code, 64, secrets), clean(f.Message, 256, secrets)
	return f, secrets, mayPass
}

// unusable returns the failure of a success whose body is cut off, or cannot be
// used. Such a body may hold an error, so the API reads it too. Broke is the
// error that ended the reading. Why is the fault of the body. Each may be nil.
func (d *Doer) unusable(x *exchange, resp *http.Response, body []byte, broke, why error) *upload.Error {
	f, secrets, _ := d.describe(x, resp, body)
	kind := f.Err
	f.Lasting = broke == nil
	// Only the text is kept: the chain of a decoder's error shows generated
	// types. About a cut body, a decoder tells nothing new.
	says := ""
	if why != nil && broke == nil {
		says = ": " + clean(why.Error(), 256, secrets)
	}
	switch {
	case broke != nil:
		ctx := x.req.Context()
		f.Err = ended(ctx, fmt.Errorf("%w: the answer broke off: %w", kind, redactError(ctx, broke, secrets)))
	case len(body) > maxAnswer:
		f.Err = fmt.Errorf("%w: the answer is longer than %d bytes%s", kind, maxAnswer, says)
	default:
		f.Err = fmt.Errorf("%w: the answer (%q, %d bytes) cannot be used%s", kind,
			clean(resp.Header.Get("Content-Type"), 64, secrets), len(body), says)
	}
	return f
}

// peek returns the beginning of a body, and puts it back so that the body can
// be read whole. A body that is too slow is closed.
func peek(resp *http.Response) (answer []byte) {
	tooSlow := time.AfterFunc(errorBodyTime, func() { resp.Body.Close() })
	defer tooSlow.Stop()
	var head bytes.Buffer
	if n, _ := io.CopyN(&head, resp.Body, maxErrorBody); n == maxErrorBody {
		// It may end in the middle of a secret.
		defer func() { answer = answer[:bytes.LastIndexAny(answer, " \t\r\n<>\"'")+1] }()
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head.Bytes()), resp.Body), resp.Body}
	return head.Bytes()
}

// readAnswer reads at most maxAnswer+1 bytes of a body, in one piece if its
// length is known. It drops a byte order mark before JSON, because generated
// code cannot read it.
func readAnswer(resp *http.Response) (body []byte, err error) {
	if n := resp.ContentLength; n > 0 && n <= maxAnswer {
		body = make([]byte, n)
		read := 0
		read, err = io.ReadFull(resp.Body, body)
		body = body[:read]
	} else {
		body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	}
	if text, marked := bytes.CutPrefix(body, byteOrderMark); marked && json.Valid(text) {
		body = text
	}
	return body, err
}

// retryAfter parses a Retry-After header: seconds or a date. Some servers send
// fractions of a second. It returns 0 for a time in the past, a negative
// number, and anything else.
func retryAfter(value string) time.Duration {
	if value == "" {
		return 0
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		if !(seconds > 0) { // NaN is not either
			return 0
		}
		return time.Duration(min(seconds, 1<<31) * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
