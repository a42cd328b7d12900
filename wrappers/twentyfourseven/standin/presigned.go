package standin

import (
	"context"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/store"
)

// The names of the headers with the trace id.
const (
	traceIDHeader   = "X-Trace-Id"       // of the provider's own services
	requestIDHeader = "X-Amz-Request-Id" // of a presigned URL, as S3 has it
)

// presign returns a URL of this server, under path. It is valid for one method,
// fileId and content type, and until its end. Until then each PUT overwrites
// the file.
func (h *Handler) presign(ctx context.Context, method, path, id, contentType string) (string, error) {
	origin := h.origin(standinhttp.Request(ctx))
	if origin == "" {
		return "", refuse(http.StatusBadRequest, "the request names no host to make a URL for")
	}
	expires := strconv.FormatInt(h.now().Add(h.urlLife).Unix(), 10)
	return origin + path + id + "?" + presignedQuery(expires, h.sign(method, id, contentType, expires)), nil
}

// Issued reports whether the request's URL is, byte for byte, a URL that this
// stand-in has issued for it, now or before a restart. It returns the id of the
// file that an upload URL is for.
func (h *Handler) Issued(r *http.Request) (fileID string, issued bool) {
	path := r.URL.EscapedPath()
	if id, found := strings.CutPrefix(path, downloadPath); found {
		return "", h.hasIssued(r, http.MethodGet, id, "")
	}
	id, found := strings.CutPrefix(path, uploadPath)
	return id, found && h.hasIssued(r, http.MethodPut, id, r.Header.Get("Content-Type"))
}

func (h *Handler) hasIssued(r *http.Request, method, id, contentType string) bool {
	_, query, _ := strings.Cut(r.URL.RawQuery, "expires=")
	expires, _, _ := strings.Cut(query, "&")
	return r.Method == method &&
		standinhttp.Same(r.URL.RawQuery, presignedQuery(expires, h.sign(method, id, contentType, expires)))
}

func presignedQuery(expires, signature string) string {
	return "expires=" + expires + "&signature=" + signature
}

func (h *Handler) sign(method, id, contentType, expires string) string {
	return hex.EncodeToString(h.urls(method, id, contentType, expires))
}

// s3Error is an error in the form of S3, as clients of presigned URLs expect
// it.
type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`

	status int
	allow  string // the URL's method, if the request had another
	reason error  // for the log
}

func (e *s3Error) Error() string { return e.Code + ": " + e.Message }

func refuseS3(status int, code string, reason error, message string) *s3Error {
	return &s3Error{status: status, Code: code, Message: message, reason: reason}
}

// presigned serves a presigned URL for an upload.
func (h *Handler) presigned(w http.ResponseWriter, r *http.Request, id string) {
	if standinhttp.CrossOrigin(w, r, http.MethodPut, requestIDHeader) {
		return
	}
	if err := h.put(r, id); err != nil {
		answerS3(w, r, err)
		return
	}
	standinhttp.Answer{Status: http.StatusOK}.Write(w)
}

// answerS3 writes every refusal of a presigned URL.
func answerS3(w http.ResponseWriter, r *http.Request, e *s3Error) {
	reason := error(e)
	if e.reason != nil {
		reason = fmt.Errorf("%w: %w", e, e.reason)
	}
	e.RequestID = standinhttp.TraceID(r.Context())
	body, _ := xml.Marshal(e) // it can always be encoded
	body = append([]byte(xml.Header), body...)
	if e.allow != "" {
		w.Header().Set("Allow", e.allow)
	}
	standinhttp.Refuse(w, r, standinhttp.Answer{Status: e.status, ContentType: "application/xml", Body: body}, reason)
}

// put checks the request before it reads the body, and stores the body.
func (h *Handler) put(r *http.Request, id string) *s3Error {
	if err := h.checkUpload(r, id); err != nil {
		return err
	}
	_, err := h.store.Put(r.Context(), fileKey(id), r.Header.Get("Content-Type"), r.Body)
	broken := standinhttp.BodyError(r.Context())
	switch {
	case err == nil:
		return nil
	case errors.Is(broken, os.ErrDeadlineExceeded):
		return refuseS3(http.StatusBadRequest, "RequestTimeout", err,
			"Nothing of the body came for too long. Idle connections are closed.")
	case broken != nil:
		return refuseS3(http.StatusBadRequest, "IncompleteBody", err, "The body ended before its Content-Length.")
	case errors.Is(err, store.ErrFull):
		return refuseS3(http.StatusRequestEntityTooLarge, "EntityTooLarge", err, "The store has no room for the file.")
	default:
		return refuseS3(http.StatusInternalServerError, "InternalError", err,
			"The file could not be stored. Try again.")
	}
}

// checkUpload checks all of an upload but its body.
func (h *Handler) checkUpload(r *http.Request, id string) *s3Error {
	if err := h.checkURL(r, http.MethodPut, id, r.Header.Get("Content-Type")); err != nil {
		return err
	}
	// Go's server treats a missing Content-Length of HTTP/1 as zero.
	if r.ContentLength < 0 || r.ContentLength == 0 && r.ProtoMajor == 1 && r.Header.Get("Content-Length") == "" {
		return refuseS3(http.StatusLengthRequired, "MissingContentLength", nil,
			"You must provide the Content-Length HTTP header.")
	}
	if h.maxSize > 0 && r.ContentLength > h.maxSize {
		return refuseS3(http.StatusRequestEntityTooLarge, "EntityTooLarge", nil,
			fmt.Sprintf("The file has %d bytes, and at most %d are allowed.", r.ContentLength, h.maxSize))
	}
	return nil
}

// checkURL checks a presigned URL and its use like S3, in S3's order: it
// refuses a second authentication first, and an expired URL before a wrong one.
func (h *Handler) checkURL(r *http.Request, method, id, contentType string) *s3Error {
	if r.Method != method {
		e := refuseS3(http.StatusMethodNotAllowed, "MethodNotAllowed", nil,
			"The method is not allowed against this resource; the URL is for "+method+".")
		e.allow = method
		return e
	}
	if len(r.Header.Values("Authorization")) > 0 {
		return refuseS3(http.StatusBadRequest, "InvalidArgument", nil,
			"Only one auth mechanism allowed: the URL is presigned, and the Authorization header is one too many.")
	}
	denied := func(message string) *s3Error {
		return refuseS3(http.StatusForbidden, "AccessDenied", nil, message)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(query["expires"]) != 1 || len(query["signature"]) != 1 || len(query) != 2 {
		return denied("The query must have expires and signature, once each.")
	}
	expires, signature := query.Get("expires"), query.Get("signature")
	end, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return denied("The query's expires is not a number of seconds.")
	}
	if h.now().Unix() >= end {
		return denied("Request has expired")
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			return denied("There were headers present in the request which were not signed: " + strings.ToLower(name))
		}
	}
	if len(r.Header.Values("Content-Type")) > 1 ||
		!standinhttp.Same(signature, h.sign(method, id, contentType, expires)) {
		return refuseS3(http.StatusForbidden, "SignatureDoesNotMatch", nil,
			"The signature does not fit the request. Check the URL and the Content-Type. "+
				"Both must be as announced.")
	}
	return nil
}
