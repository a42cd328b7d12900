package standin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
)

// The first vector is published by third parties. The others were computed with
// openssl.
var vectors = []struct {
	method, uri, timestamp, signature string
	status                            int // of a signed request without a body
}{
	{"POST", "/api/v1/files", "856915200000", "q1JhbYivx0lU//wBoOyh+yn/y7+Lg9Ez/Xj6FDzxap4=", 415},
	{"POST", "/api/v1/mails", "1789174800000", "sUivhBVe0ZI9YKhZPcvrMaOmFgI67grJuG5OI+T9nrE=", 404},
	{"POST", "/api/v1-sgn/files", "856915200000", "ViiYmCf8OECp0+UBGDtAl6sjLDHGWqeeFzSs6Y3W6Vc=", 415},
	{
		"GET", "/api/v1/files/f355aac1-7776-4c0b-8484-20eaa065cb65-99", "856915200000",
		"+qZo3pMpnEOIGAG+PKnUw4Gl15g/wemMg34vTOUaudQ=", 400,
	},
}

func TestSignatureVectors(t *testing.T) {
	for _, v := range vectors {
		clock := standintest.NewClock(time.UnixMilli(856915200000))
		if v.timestamp[0] == '1' {
			clock = standintest.NewClock(time.UnixMilli(1789174800000))
		}
		s := serve(t, standin.Config{Now: clock.Now})
		ask := func(method, uri, timestamp, key, signature string) int {
			r := httptest.NewRequest(method, uri, nil)
			r.Header.Set("x-ncp-apigw-timestamp", timestamp)
			r.Header.Set("x-ncp-iam-access-key", key)
			r.Header.Set("x-ncp-apigw-signature-v2", signature)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			return w.Code
		}
		if got := ask(v.method, v.uri, v.timestamp, accessKey, v.signature); got != v.status {
			t.Errorf("%s %s: status %d, want %d", v.method, v.uri, got, v.status)
		}
		if got := signature(v.method, v.uri, v.timestamp); got != v.signature {
			t.Errorf("%s %s: the tests sign %s, want %s", v.method, v.uri, got, v.signature)
		}
		for what, status := range map[string]int{
			"a query": ask(v.method, v.uri+"?x=y", v.timestamp, accessKey, v.signature),
			"the path written otherwise": ask(v.method, strings.Replace(v.uri, "api", "%61pi", 1),
				v.timestamp, accessKey, v.signature),
			"the timestamp otherwise": ask(v.method, v.uri, "0"+v.timestamp, accessKey, v.signature),
			"a signature without its =": ask(v.method, v.uri, v.timestamp, accessKey,
				strings.TrimSuffix(v.signature, "=")),
		} {
			if status != http.StatusUnauthorized {
				t.Errorf("%s %s with %s: status %d, want 401", v.method, v.uri, what, status)
			}
		}
	}
}

func TestARequestThatNoServerReadIsSignedToo(t *testing.T) {
	s := serve(t, standin.Config{})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://example.com/api/v1/files/x?y=%2f", nil)
	must(t, err)
	sign(r.Header, r.Method, "/api/v1/files/x?y=%2f", time.Now())
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code == http.StatusUnauthorized {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func TestClockMayBeFiveMinutesOff(t *testing.T) {
	clock := standintest.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	s := serve(t, standin.Config{Now: clock.Now})
	for skew, want := range map[time.Duration]int{
		0:                                 400,
		5 * time.Minute:                   400,
		-5 * time.Minute:                  400,
		5*time.Minute + time.Millisecond:  401,
		-5*time.Minute - time.Millisecond: 401,
		6 * time.Minute:                   401,
		-1000 * time.Hour:                 401,
	} {
		req := s.request(http.MethodGet, "/api/v1/files/x", nil)
		sign(req.Header, http.MethodGet, "/api/v1/files/x", clock.Now().Add(skew))
		if a := s.send(req); a.Status != want || want == 401 && !strings.Contains(a.Error.Details, "timestamp") {
			t.Errorf("%s off: %d %s, want %d", skew, a.Status, a.Text, want)
		}
	}
}

func TestUnsignedRequestsAreRefusedLikeByTheGateway(t *testing.T) {
	s := serve(t, standin.Config{})
	for what, edit := range map[string]func(http.Header){
		"two signatures":           func(h http.Header) { h.Add("x-ncp-apigw-signature-v2", "x") },
		"a timestamp in words":     func(h http.Header) { h.Set("x-ncp-apigw-timestamp", "now") },
		"a timestamp of a year on": func(h http.Header) { h.Set("x-ncp-apigw-timestamp", "9223372036854775807") },
		"a negative timestamp":     func(h http.Header) { h.Set("x-ncp-apigw-timestamp", "-1") },
	} {
		req := s.request(http.MethodPost, "/api/v1/files", strings.NewReader(form(file("a.txt", "x"))), "Content-Type",
			formType)
		edit(req.Header)
		a := s.send(req).is(401, "200")
		if a.Error.Message != "Authentication Failed" || a.Error.Details == "" {
			t.Errorf("%s: %s", what, a.Text)
		}
		if strings.Contains(a.Text+s.log.String(), secretKey) {
			t.Errorf("%s: the secret is told", what)
		}
	}
	if n := s.count(); n != 0 {
		t.Errorf("%d objects are stored", n)
	}
}
