package wire_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func TestStoresOwnErrors(t *testing.T) {
	xml := func(code, message string, more ...string) string {
		return "\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>" + code + "</Code><Message>" + message +
			"</Message>" + strings.Join(more, "") + "</Error>"
	}
	const unsure = "Make sure the Authorization header is formed correctly including the signature."
	past := "&X-Amz-Date=20200101T000000Z&X-Amz-Expires=60"
	ago := func(seconds int) string {
		return time.Now().Add(-time.Duration(seconds) * time.Second).UTC().Format("20060102T150405Z")
	}
	for _, tt := range []struct {
		name, query string
		status      int
		body        string
		kind        error
		attempts    int
	}{
		{"S3 expired", "", 403, xml("AccessDenied", "Request has expired"), upload.ErrExpired, 1},
		{"S3 denied", "", 403, xml("AccessDenied", "Access Denied"), upload.ErrForbidden, 1},
		{"S3 signature", "", 403, xml("SignatureDoesNotMatch", "no"), upload.ErrForbidden, 1},
		{"S3 request timeout", "", 400, xml("RequestTimeout", "idle"), upload.ErrUnavailable, 4},
		{"S3 too large", "", 400, xml("EntityTooLarge", "big"), upload.ErrTooLarge, 1},
		{"S3 slow down", "", 503, xml("SlowDown", "slow"), upload.ErrUnavailable, 4},
		{"GCS expired", "", 400, xml("ExpiredToken", "Invalid argument."), upload.ErrExpired, 1},
		{"R2 expired", "", 403, xml("ExpiredRequest", "Request has expired"), upload.ErrExpired, 1},
		{"Azure expired", "", 403,
			xml("AuthenticationFailed", "no", "<AuthenticationErrorDetail>",
				"Signature not valid in the specified time frame: Start", "</AuthenticationErrorDetail>"),
			upload.ErrExpired, 1},
		{"another store's code", "", 403, xml("RequestExpired", "no"), upload.ErrExpired, 1},
		{"expired, in JSON", "", 400, `{"error":"jwt expired"}`, upload.ErrExpired, 1},
		{"expired, in a page", "", 401, "<h1>This link has expired.</h1>", upload.ErrExpired, 1},
		{"Azurite expired, by its URL", "&sv=1&sig=x&se=2020-01-01T00:00:00Z", 403,
			xml("AuthorizationFailure", unsure), upload.ErrExpired, 1},
		{"Azurite, not expired", "&sv=1&sig=x&se=2220-01-01T00:00:00Z", 403,
			xml("AuthorizationFailure", unsure), upload.ErrForbidden, 1},
		{"Azure, over, and a permission missing", "&sv=1&sig=x&se=2020-01-01", 403,
			xml("AuthorizationPermissionMismatch", "no"), upload.ErrForbidden, 1},
		{"Azure expired, by its URL", "&sv=1&sig=x&se=2020-01-01T00:00:00Z", 403, xml("AuthenticationFailed", "no"),
			upload.ErrExpired, 1},
		{"expired by its URL, no body", past, 403, "", upload.ErrExpired, 1},
		{"expired by its URL, under 401", past, 401, "", upload.ErrExpired, 1},
		{"not yet over by its URL", strings.Replace(past, "2020", "2220", 1), 403, "", upload.ErrForbidden, 1},
		{"over by its URL, and the store is down", past, 503, "", upload.ErrUnavailable, 4},
		{"over by its URL, and the bucket is gone", past, 404, "", upload.ErrNotFound, 1},
		{"S3, good for no number of seconds", strings.Replace(past, "=60", "=soon", 1), 403, "",
			upload.ErrForbidden, 1},
		{"S3, over for a second", "&X-Amz-Expires=3600&X-Amz-Date=" + ago(3601), 403, "", upload.ErrExpired, 1},
		{"S3, good for a minute", "&X-Amz-Expires=3600&X-Amz-Date=" + ago(3540), 403, "", upload.ErrForbidden, 1},
		{"S3, no Expires", "&X-Amz-Date=" + ago(3600), 403, "", upload.ErrForbidden, 1},
		{"S3, no Date", "&X-Amz-Expires=60", 403, "", upload.ErrForbidden, 1},
		{"GCS, over for a second", "&X-Goog-Expires=60&X-Goog-Date=" + ago(61), 403, "", upload.ErrExpired, 1},
		{"GCS, good for a minute", "&X-Goog-Expires=3600&X-Goog-Date=" + ago(3540), 403, "", upload.ErrForbidden, 1},
		{"Azure, over since a day", "&sig=x&se=2020-01-01", 403, "", upload.ErrExpired, 1},
		{"Azure, over since a minute", "&sig=x&se=2020-01-01T10:00Z", 403, "", upload.ErrExpired, 1},
		{"Azure, not yet over", "&sig=x&se=2220-01-01T10:00:00Z", 403, "", upload.ErrForbidden, 1},
		{"Azure, no time", "&sig=x&se=soon", 403, "", upload.ErrForbidden, 1},
		{"S3's older form, over", "&Expires=1577836800&Signature=x", 403, "", upload.ErrExpired, 1},
		{"S3's older form, not yet over", "&Expires=7983360000&Signature=x", 403, "", upload.ErrForbidden, 1},
		{"an Expires of anything", "&Expires=1577836800", 403, "", upload.ErrForbidden, 1},
		{"over by its URL, and denied without a reason", past, 403, xml("AccessDenied", "Access Denied"),
			upload.ErrExpired, 1},
		{"over by its URL, and a page", past, 403, "<html><h1>403 Forbidden</h1></html>", upload.ErrExpired, 1},
		{"over by its URL, and a wrong signature", past, 403, xml("SignatureDoesNotMatch", "no"), upload.ErrForbidden,
			1},
		{"over by its URL, and a wrong key", past, 403, xml("InvalidAccessKeyId", "no"), upload.ErrForbidden, 1},
		{"over by its URL, and a header too many", past, 403,
			xml("AccessDenied", "There were headers present in the request which were not signed"),
			upload.ErrForbidden, 1},
		{"GCS, over by its URL, and a permission missing", past, 403,
			xml("AccessDenied", "Access denied.",
				"<Details>a@b.example does not have storage.objects.create access.</Details>"), upload.ErrForbidden, 1},
		{"over by its URL, and a reason in JSON", past, 403, `{"message":"signature does not match"}`,
			upload.ErrForbidden, 1},
		{"Azure, over, and a wrong signature", "&sv=1&sig=x&se=2020-01-01", 403,
			xml("AuthenticationFailed", unsure,
				"<AuthenticationErrorDetail>Signature did not match.</AuthenticationErrorDetail>"),
			upload.ErrForbidden, 1},
		{"Azure, over, and its words for all", "&sv=1&sig=x&se=2020-01-01", 403,
			xml("AuthenticationFailed", unsure), upload.ErrExpired, 1},
		{"se of something else", "&se=2020-01-01", 403, "", upload.ErrForbidden, 1},
		{"HTML", "", 502, "<html><body>Bad gateway</body></html>", upload.ErrUnavailable, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			step, url := store(t, says(tt.status, "application/xml", tt.body))
			url += "/x?signature=hunter2hunter2" + tt.query
			err := sendTo(t, step, "PUT", url, letter)
			if f := failed(err); !errors.Is(err, tt.kind) || f.Status != tt.status || f.Attempts != tt.attempts ||
				strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %v, want %v, status %d, %d attempts", err, tt.kind, tt.status, tt.attempts)
			}
		})
	}
}

// The Date of the answer gives the server's clock, and this clock decides.
func TestExpiryGoesByTheServersClock(t *testing.T) {
	for name, tt := range map[string]struct {
		ahead time.Duration // of this machine's clock
		kind  error
	}{
		"this clock is a day ahead":  {24 * time.Hour, upload.ErrForbidden},
		"this clock is a day behind": {-24 * time.Hour, upload.ErrExpired},
		"only this clock is known":   {0, upload.ErrExpired},
	} {
		signed := time.Now().Add(-tt.ahead) // by the server's clock, for an hour or until long ago
		if tt.kind == upload.ErrExpired {
			signed = signed.Add(-2 * time.Hour)
		}
		client := &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
			header := http.Header{}
			if tt.ahead != 0 {
				header.Set("Date", time.Now().Add(-tt.ahead).UTC().Format(http.TimeFormat))
			}
			return respond(403, header), nil
		})}
		url := "https://host/x?X-Amz-Expires=3600&X-Amz-Date=" + signed.UTC().Format("20060102T150405Z")
		if err := sendTo(t, presigned(t, "https://api", client), "PUT", url, letter); !errors.Is(err, tt.kind) {
			t.Errorf("%s: %v, want %v", name, err, tt.kind)
		}
	}
}

// The first URL is good for years.
func TestExpiryBehindARedirectIsSeen(t *testing.T) {
	step, url := store(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/gateway" {
			w.Header().Set("Location", "/store?X-Amz-Date=20200101T000000Z&X-Amz-Expires=60")
			w.WriteHeader(307)
			return
		}
		w.WriteHeader(403)
	})
	url += "/gateway?X-Amz-Date=22200101T000000Z&X-Amz-Expires=60"
	err := sendTo(t, step, "PUT", url, letter)
	if !errors.Is(err, upload.ErrExpired) || !strings.Contains(err.Error(), "2020-01-01T00:01:00Z") {
		t.Errorf("%v, want upload.ErrExpired that says since when", err)
	}
}

func TestHeadersThatTheSignatureAsksForAreNamed(t *testing.T) {
	step, url := store(t, says(403, "application/xml",
		`<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>`))
	for _, tt := range []struct {
		query string
		given http.Header
		says  string // empty: nothing of headers
	}{
		{"X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-acl", nil, "that were not sent: x-amz-acl; no"},
		{"X-Amz-SignedHeaders=content-md5;host;x-amz-acl", nil, "that were not sent: content-md5, x-amz-acl"},
		{"X-Amz-SignedHeaders=host;X-Amz-Acl", http.Header{"X-Amz-Acl": {"private"}}, ""},
		{"X-Amz-SignedHeaders=host", http.Header{"X-Amz-Acl": {"private"}, "X-Amz-Meta-A": {"b"}},
			"that were sent: x-amz-acl, x-amz-meta-a"},
		{"X-Goog-SignedHeaders=host%3Bx-goog-meta-a", http.Header{"X-Goog-Meta-B": {"b"}},
			"not sent: x-goog-meta-a; the URL is not signed for headers that were sent: x-goog-meta-b"},
		{"X-Amz-SignedHeaders=content-length;content-type;host", nil, ""},
		{"signature=x", nil, ""},
	} {
		to := wire.Target{Method: "PUT", URL: url + "/x?" + tt.query, Header: tt.given}
		_, err := step.Send(t.Context(), to, letter)
		if !errors.Is(err, upload.ErrForbidden) || !strings.Contains(err.Error(), tt.says) ||
			tt.says == "" && strings.Contains(err.Error(), "headers") {
			t.Errorf("%s: %v, want it to say %q", tt.query, err, tt.says)
		}
	}
}
