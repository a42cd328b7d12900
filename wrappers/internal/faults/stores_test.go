package faults

import (
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// What the object stores say in their own words. SIGNED stands for what a
// store repeats of the request: that is what makes their answers dangerous.
var (
	s3Expired = storeError(403, "AccessDenied", "Request has expired", "<Expires>2026-01-01T00:00:00Z</Expires><X-Amz-Expires>900</X-Amz-Expires>")
	// Google Cloud Storage puts the reason beside the message.
	gcsExpired   = storeError(400, "ExpiredToken", "The provided token has expired.", "<Details>Request signature expired at: 2026-01-01T00:00:00+00:00</Details>")
	azureExpired = storeError(403, "AuthenticationFailed",
		"Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.\nRequestId:1\nTime:2026-01-01T00:00:00Z",
		"<AuthenticationErrorDetail>Signature not valid in the specified time frame: Start [Thu, 01 Jan 2026 00:00:00 GMT] - Expiry [Thu, 01 Jan 2026 00:15:00 GMT] - Current [Fri, 02 Jan 2026 00:00:00 GMT]</AuthenticationErrorDetail>")
	r2Expired = storeError(403, "ExpiredRequest", "The request is too old.", "")
	s3Forged  = storeError(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.",
		"<AWSAccessKeyId>SIGNED</AWSAccessKeyId><StringToSign>SIGNED</StringToSign><SignatureProvided>SIGNED</SignatureProvided><CanonicalRequest>PUT\n/bucket/x\nSIGNED</CanonicalRequest>")
)

// storeError is an answer in the XML that the stores share.
func storeError(status int, code, message, more string) fault {
	return func(h *hit) {
		body := `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>" + code + "</Code><Message>" + message + "</Message>" +
			strings.ReplaceAll(more, "SIGNED", strings.ReplaceAll(h.r.URL.RawQuery, "&", "&amp;")) +
			"<RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>"
		answer(status, body, "Content-Type", "application/xml", "X-Amz-Request-Id", "4442587FB7D0A2F9")(h)
	}
}

func TestStores(t *testing.T) {
	here := []place{presigned}
	const never = 1000
	again := want{tries: 2, starts: 2, stored: true}
	over := func(status int, code string) want {
		return want{kinds: kinds(upload.ErrExpired), status: status, code: code, tries: 1, reached: 2, starts: 2}
	}
	no := func(kind error, status int, code string) want {
		return want{kinds: kinds(kind), status: status, code: code, tries: 1}
	}
	// pastURL is a presigned URL that says itself that it is over.
	pastURL := func(query string) func(*lab) {
		return func(l *lab) {
			l.uploadURL = func(id string) string { return l.storage.URL + "/bucket/" + id + "?" + query }
		}
	}
	past := s3Query(time.Now().Add(-time.Hour), time.Minute)
	rows := []row{
		{name: "S3: expired, once", at: here, fault: first(1, s3Expired), want: again},
		{name: "GCS: expired, once", at: here, fault: first(1, gcsExpired), want: again},
		{name: "Azure: expired, once", at: here, fault: first(1, azureExpired), want: again},
		{name: "R2: expired, once", at: here, fault: first(1, r2Expired), want: again},
		{name: "S3: expired twice", at: here, fault: first(never, s3Expired), want: over(403, "AccessDenied")},
		{name: "GCS: expired twice", at: here, fault: first(never, gcsExpired), want: over(400, "ExpiredToken")},
		{name: "Azure: expired twice", at: here, fault: first(never, azureExpired), want: over(403, "AuthenticationFailed")},
		{name: "R2: expired twice", at: here, fault: first(never, r2Expired), want: over(403, "ExpiredRequest")},
		{name: "expired, then 503, then expired again", at: here, fault: inTurn(s3Expired, answer(503, ""), s3Expired),
			want: want{kinds: kinds(upload.ErrExpired), status: 403, code: "AccessDenied", tries: 2, reached: 3, starts: 2}},
		{name: "503, then expired, then well", at: here, fault: inTurn(answer(503, ""), s3Expired), want: want{tries: 3, starts: 2, stored: true}},
		{name: "expired before a large body", at: here, fault: first(1, s3Expired), set: sends(large), want: again},
		{name: "expired where nothing is sent twice", at: here, fault: s3Expired, set: attempts(1), want: no(upload.ErrExpired, 403, "AccessDenied")},
		{name: "expired, and the source can be read once", at: here, fault: s3Expired, set: func(l *lab) { l.counts = nil; l.src = l.oneShot() },
			want: want{kinds: kinds(upload.ErrExpired, upload.ErrNotReplayable), status: 403, code: "AccessDenied", tries: 1, starts: 2, trace: "trace-fileUpload-1"}},
		{name: "403 without words, and the URL says that it is over", at: here, fault: answer(403, ""), late: pastURL(past), want: over(403, "")},
		{name: "403 without words, and Google's URL says that it is over", at: here, fault: answer(403, ""), late: pastURL(strings.ReplaceAll(past, "X-Amz", "X-Goog")), want: over(403, "")},
		{name: "403 without words, and Azure's URL says that it is over", at: here, fault: answer(403, ""),
			late: pastURL("sv=2024-11-04&se=2026-01-01T00%3A00%3A00Z&sp=cw&sig=" + planted + "-signature"), want: over(403, "")},
		{name: "403 without words, and the URL still holds", at: here, fault: answer(403, ""), want: no(upload.ErrForbidden, 403, "")},
		{name: "403 without words, and the URL says nothing of its end", at: here, fault: answer(403, ""), late: pastURL("token=" + planted + "-token"), want: no(upload.ErrForbidden, 403, "")},
		{name: "a signature that does not fit, with all that was signed", at: here, fault: s3Forged, want: no(upload.ErrForbidden, 403, "SignatureDoesNotMatch")},
		{name: "403 AccessDenied", at: here, fault: storeError(403, "AccessDenied", "Access Denied", ""), want: no(upload.ErrForbidden, 403, "AccessDenied")},
		{name: "403 RequestTimeTooSkewed", at: here, fault: storeError(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", ""),
			want: no(upload.ErrForbidden, 403, "RequestTimeTooSkewed")},
		{name: "400 RequestTimeout, once", at: here, fault: first(1, storeError(400, "RequestTimeout", "Your socket connection to the server was not read from or written to within the timeout period.", "")),
			want: want{tries: 2, stored: true}},
		{name: "400 RequestTimeout for ever", at: here, fault: storeError(400, "RequestTimeout", "Your socket connection timed out.", ""),
			want: want{kinds: unavailable, status: 400, code: "RequestTimeout", tries: 4}},
		{name: "400 EntityTooLarge", at: here, fault: storeError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.", ""),
			want: no(upload.ErrTooLarge, 400, "EntityTooLarge")},
		{name: "400 InvalidArgument", at: here, fault: storeError(400, "InvalidArgument", "Only one auth mechanism allowed", ""), want: no(upload.ErrInvalid, 400, "InvalidArgument")},
		{name: "404 NoSuchBucket", at: here, fault: storeError(404, "NoSuchBucket", "The specified bucket does not exist", ""), want: no(upload.ErrNotFound, 404, "NoSuchBucket")},
		{name: "409 OperationAborted", at: here, fault: storeError(409, "OperationAborted", "A conflicting conditional operation is in progress.", ""), want: no(upload.ErrInvalid, 409, "OperationAborted")},
		{name: "411 MissingContentLength", at: here, fault: storeError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.", ""),
			want: no(upload.ErrInvalid, 411, "MissingContentLength")},
		{name: "503 SlowDown, twice", at: here, fault: first(2, storeError(503, "SlowDown", "Please reduce your request rate.", "")), want: want{tries: 3, stored: true}},
		{name: "503 ServerBusy for ever", at: here, fault: storeError(503, "ServerBusy", "The server is busy.", ""), want: want{kinds: unavailable, status: 503, code: "ServerBusy", tries: 4}},
		{name: "Azure gets its blob type", at: here, late: pastURL("sv=2024-11-04&se=2100-01-01T00%3A00%3A00Z&sp=cw&sig=" + planted + "-signature"), want: want{stored: true},
			check: func(l *lab, _ upload.Result, _ error) {
				equal(l, "x-ms-blob-type", l.seen[presigned][0].Header.Get("X-Ms-Blob-Type"), "BlockBlob")
			}},
	}
	runAll(t, rows)
}
