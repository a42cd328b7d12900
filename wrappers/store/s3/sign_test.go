package s3

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The examples of Amazon's documentation, "Signature Calculations for the
// Authorization Header" and "Authenticating Requests: Using Query Parameters".
var example = &signer{
	cred: func() Credentials {
		return Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE",
			SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	},
	region: "us-east-1",
	now:    func() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) },
}

func TestSignaturesAreThoseOfAmazonsExamples(t *testing.T) {
	empty := hexSHA256(nil)
	tests := []struct {
		name, method, url string
		headers           map[string]string
		digest, want      string
	}{
		{
			"GET of a range", http.MethodGet, "https://examplebucket.s3.amazonaws.com/test.txt",
			map[string]string{"range": "bytes=0-9"}, empty,
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
		},
		{
			"PUT of an object", http.MethodPut, "https://examplebucket.s3.amazonaws.com/test%24file.text",
			map[string]string{"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
			hexSHA256([]byte("Welcome to Amazon S3.")),
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
		},
		{
			"a query without a value", http.MethodGet, "https://examplebucket.s3.amazonaws.com/?" +
				escape(url.Values{"lifecycle": {""}}),
			nil, empty, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		},
		{
			"a query with values", http.MethodGet, "https://examplebucket.s3.amazonaws.com/?" +
				escape(url.Values{"prefix": {"J"}, "max-keys": {"2"}}),
			nil, empty, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.Parse(tt.url)
			if err != nil {
				t.Fatal(err)
			}
			now := example.now()
			headers := map[string]string{"host": u.Host, "x-amz-date": now.Format(stamp),
				"x-amz-content-sha256": tt.digest}
			for name, value := range tt.headers {
				headers[name] = value
			}
			if _, got := example.sign(now, tt.method, u, headers, tt.digest); got != tt.want {
				t.Errorf("signature %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("the query of a URL", func(t *testing.T) {
		u := &url.URL{Scheme: "https", Host: "examplebucket.s3.amazonaws.com", Path: "/test.txt"}
		u.RawQuery = escape(url.Values{
			"X-Amz-Algorithm": {algorithm}, "X-Amz-Credential": {example.credential(example.now())},
			"X-Amz-Date": {"20130524T000000Z"}, "X-Amz-Expires": {"86400"}, "X-Amz-SignedHeaders": {"host"},
		})
		_, got := example.sign(example.now(), http.MethodGet, u, map[string]string{"host": u.Host}, "UNSIGNED-PAYLOAD")
		if want := "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"; got != want {
			t.Errorf("signature %s, want %s", got, want)
		}
	})
}

func TestASessionTokenIsSentAndSigned(t *testing.T) {
	s := *example
	s.cred = func() Credentials {
		cred := example.cred()
		cred.SessionToken = "session/of+the=test"
		return cred
	}
	req, err := http.NewRequest(http.MethodPut, "https://examplebucket.s3.amazonaws.com/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set(digestHeader, hexSHA256(nil))
	s.authorize(req)
	const names = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
	if got := req.Header.Get("Authorization"); !strings.Contains(got, names) || req.Header.Get(tokenHeader) == "" {
		t.Errorf("the request has %s, want %s", got, names)
	}
	u := &url.URL{Scheme: "https", Host: "examplebucket.s3.amazonaws.com", Path: "/a"}
	s.presign(u, "text/plain", time.Minute)
	if got := u.Query().Get(tokenHeader); got != "session/of+the=test" {
		t.Errorf("the presigned URL has the token %q", got)
	}
}
