package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

const (
	// maxErrorBody bytes are read of an answer that is no success. They are
	// waited for during errorBodyTime: the status is known by then, and says
	// more.
	maxErrorBody  = 64 << 10
	errorBodyTime = 5 * time.Second

	// maxAnswer bytes are read of a success.
	maxAnswer = 1 << 20
)

// Answer is a response that is no success, as far as it was read.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // at most 64 KiB
}

// understand makes a failure of an answer that is no success, by the API's
// table. It leaves the response's body as if unread.
func (d *Doer) understand(x *exchange) (mayPass bool) {
	resp := x.resp
	answer := Answer{Status: resp.StatusCode, Header: resp.Header, Body: peek(resp)}
	f := &upload.Error{
		Provider: d.api.Provider, Op: x.op, Attempts: x.attempts,
		Status:     resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
		TraceID:    d.traceID(resp),
	}
	if d.api.Read != nil {
		f.Code, f.Message = d.api.Read(answer)
	}
	f.Err, mayPass = d.api.Table.Meaning(f.Status, f.Code, f.Message)
	if f.Code == "" && f.Message == "" {
		f.Message = string(answer.Body)
		if to, err := resp.Location(); err == nil && f.Status/100 == 3 {
			f.Message = fmt.Sprintf("redirect to %s, which is not followed", origin(to))
		}
	}
	secrets := d.secrets(x.req, resp.Request)
	f.Code, f.Message, f.TraceID = clean(f.Code, 64, secrets), clean(f.Message, 256, secrets), clean(f.TraceID, 128, secrets)
	x.failure = f
	return mayPass
}

// peek reads the beginning of a body and puts it back. A body that does not
// come in time is left where it is.
func peek(resp *http.Response) (answer []byte) {
	tooSlow := time.AfterFunc(errorBodyTime, func() { resp.Body.Close() })
	defer tooSlow.Stop()
	var head bytes.Buffer
	if n, _ := io.CopyN(&head, resp.Body, maxErrorBody); n == maxErrorBody {
		defer func() { answer = answer[:bytes.LastIndexAny(answer, " \t\r\n<>\"'")+1] }() // it may end in the middle of a secret
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head.Bytes()), resp.Body), resp.Body}
	return head.Bytes()
}

// readAnswer reads a body of at most maxAnswer+1 bytes, at once where its length
// is known.
func readAnswer(resp *http.Response) ([]byte, error) {
	if n := resp.ContentLength; n > 0 && n <= maxAnswer {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
}

// retryAfter reads the header's two forms, seconds and date. It returns 0 for a
// time that is past, a negative one, or anything else.
func retryAfter(value string) time.Duration {
	if value == "" {
		return 0
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(max(0, min(seconds, 1<<31))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
