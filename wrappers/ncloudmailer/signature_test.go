package ncloudmailer_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
)

var testKeys = ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}

// The first two signatures were published by others, independently of each
// other. The rest come from this package. Each request here has every part that
// is signed, so a signature that leaves a part out differs.
var signatures = []struct{ method, uri, timestamp, want string }{
	{"POST", "/api/v1/files", "856915200000", "q1JhbYivx0lU//wBoOyh+yn/y7+Lg9Ez/Xj6FDzxap4="},
	{"POST", "/api/v1/mails", "1789174800000", "sUivhBVe0ZI9YKhZPcvrMaOmFgI67grJuG5OI+T9nrE="},
	{"POST", "/api/v1-sgn/files", "856915200000", "ViiYmCf8OECp0+UBGDtAl6sjLDHGWqeeFzSs6Y3W6Vc="},
	{"GET", "/api/v1/files/f355aac1-7776-4c0b-8484-20eaa065cb65-99", "856915200000",
		"+qZo3pMpnEOIGAG+PKnUw4Gl15g/wemMg34vTOUaudQ="},
}

func TestSignatureOfTheKnownVectors(t *testing.T) {
	for _, v := range signatures {
		if got := testKeys.Signature(v.method, v.uri, v.timestamp); got != v.want {
			t.Errorf("%s %s at %s: %s, want %s", v.method, v.uri, v.timestamp, got, v.want)
		}
	}
}

func TestSignSetsTheThreeHeaders(t *testing.T) {
	v := signatures[0]
	req, err := http.NewRequest(v.method, "https://mail.apigw.ntruss.com"+v.uri, nil)
	must(t, err)
	req.Header.Set("x-ncp-apigw-timestamp", "of an earlier attempt")
	testKeys.Sign(req, time.UnixMilli(856915200000))
	for name, want := range map[string]string{
		"x-ncp-apigw-timestamp":    v.timestamp,
		"x-ncp-iam-access-key":     "test-access-key",
		"x-ncp-apigw-signature-v2": v.want,
	} {
		if got := req.Header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(req.Header) != 3 {
		t.Errorf("there are other headers: %v", req.Header)
	}
}

// The signature covers the query too. Both are signed exactly as they are sent.
func TestSignTakesPathAndQueryAsTheyAreSent(t *testing.T) {
	for _, uri := range []string{
		"/api/v1/files?",
		"/api/v1/files?b=2&a=1",
		"/api/v1/files?name=%EC%83%81%20x+y",
		"/api/v1/files/a%2Fb%20c",
		"/api/v1/files/%ec%83%81", // lower-case hex stays
	} {
		req, err := http.NewRequest(http.MethodGet, "https://mail.apigw.ntruss.com"+uri, nil)
		must(t, err)
		testKeys.Sign(req, time.UnixMilli(1))
		if got, want := req.Header.Get("x-ncp-apigw-signature-v2"), testKeys.Signature("GET", uri, "1"); got != want {
			t.Errorf("%s was not signed as it is", uri)
		}
	}
}
