package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// signer signs requests by Signature Version 4, as Amazon describes it in
// "Authenticating Requests (AWS Signature Version 4)". It signs only the
// requests of this package: their paths need no escaping, and their header
// values have no double spaces. A signing library would replace only two
// methods here and bring 27 packages.
type signer struct {
	cred   func() Credentials // behind a func: fmt prints its address and no more
	region string
	now    func() time.Time
	next   http.RoundTripper
}

const (
	algorithm = "AWS4-HMAC-SHA256"
	stamp     = "20060102T150405Z"

	dateHeader   = "X-Amz-Date"
	digestHeader = "X-Amz-Content-Sha256"
	tokenHeader  = "X-Amz-Security-Token"
)

// RoundTrip signs a copy of the request in its headers and sends the copy. The
// request already has the digest of its body in a header. The response keeps
// the original, because package wire hides every secret of a request from
// errors: the words of a signature are not secrets.
func (s *signer) RoundTrip(req *http.Request) (*http.Response, error) {
	signed := req.Clone(req.Context())
	s.authorize(signed)
	resp, err := s.next.RoundTrip(signed)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

func (s *signer) authorize(req *http.Request) {
	now := s.now().UTC()
	req.Header.Set(dateHeader, now.Format(stamp))
	if token := s.cred().SessionToken; token != "" {
		req.Header.Set(tokenHeader, token)
	}
	headers := map[string]string{"host": req.URL.Host}
	for name := range req.Header {
		if lower := strings.ToLower(name); lower == "content-type" || strings.HasPrefix(lower, "x-amz-") {
			headers[lower] = req.Header.Get(name)
		}
	}
	signed, signature := s.sign(now, req.Method, req.URL, headers, req.Header.Get(digestHeader))
	req.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s, SignedHeaders=%s, Signature=%s",
		algorithm, s.credential(now), signed, signature))
}

// presign signs a PUT of any body with this content type in the query of u.
func (s *signer) presign(u *url.URL, contentType string, life time.Duration) {
	now := s.now().UTC()
	headers := map[string]string{"host": u.Host, "content-type": contentType}
	query := url.Values{
		"X-Amz-Algorithm":     {algorithm},
		"X-Amz-Credential":    {s.credential(now)},
		dateHeader:            {now.Format(stamp)},
		"X-Amz-Expires":       {strconv.Itoa(int(life / time.Second))},
		"X-Amz-SignedHeaders": {"content-type;host"},
	}
	if token := s.cred().SessionToken; token != "" {
		query.Set(tokenHeader, token)
	}
	u.RawQuery = escape(query)
	_, signature := s.sign(now, http.MethodPut, u, headers, "UNSIGNED-PAYLOAD")
	u.RawQuery += "&X-Amz-Signature=" + signature
}

// sign returns the names of the headers and the signature of the request. The
// query of u must be sorted, as escape returns it.
func (s *signer) sign(now time.Time, method string, u *url.URL, headers map[string]string, digest string,
) (signed, signature string) {
	var names, lines []string
	for name := range headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lines = append(lines, name+":"+headers[name]+"\n")
	}
	signed = strings.Join(names, ";")
	canonical := strings.Join([]string{method, u.EscapedPath(), u.RawQuery, strings.Join(lines, ""), signed, digest},
		"\n")
	text := strings.Join([]string{algorithm, now.Format(stamp), s.scope(now), hexSHA256([]byte(canonical))}, "\n")
	key := []byte("AWS4" + s.cred().SecretAccessKey)
	for _, part := range append(strings.Split(s.scope(now), "/"), text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return signed, hex.EncodeToString(key)
}

// scope returns the day, the region and the service that a signature is for.
func (s *signer) scope(now time.Time) string {
	return now.Format("20060102") + "/" + s.region + "/s3/aws4_request"
}

func (s *signer) credential(now time.Time) string { return s.cred().AccessKeyID + "/" + s.scope(now) }

// escape encodes a query in the order and the form that a signature needs.
func escape(query url.Values) string { return strings.ReplaceAll(query.Encode(), "+", "%20") }

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
