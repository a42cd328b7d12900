package ncloudmailer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/wire"
)

// The headers of NAVER's API Gateway, signature version 2.
const (
	headerTimestamp = "X-Ncp-Apigw-Timestamp"
	headerAccessKey = "X-Ncp-Iam-Access-Key"
	headerSignature = "X-Ncp-Apigw-Signature-V2"
)

// MaxClockSkew is the largest difference between a request's timestamp and the
// gateway's clock that the gateway accepts.
const MaxClockSkew = 5 * time.Minute

// Credentials is a pair of API authentication keys, as NAVER Cloud Platform's
// portal issues them. It prints redacted.
type Credentials struct{ AccessKey, SecretKey string }

// Format prints no key, whatever the verb.
func (Credentials) Format(s fmt.State, _ rune) {
	io.WriteString(s, "ncloudmailer.Credentials"+wire.Redacted)
}

// MarshalText keeps the keys out of JSON and logs.
func (Credentials) MarshalText() ([]byte, error) { return []byte(wire.Redacted), nil }

// Sign sets the three headers that authenticate req at the time now. It also
// works for requests of the generated client. The path and the query are
// signed, but not the body. So req must be sent with the same path and query,
// within [MaxClockSkew].
func (c Credentials) Sign(req *http.Request, now time.Time) { newSigner(c).sign(req, now) }

// Signature returns signature version 2 of a request. Uri is the path and the
// raw query exactly as they are sent, without scheme and host. Timestamp is the
// text of the timestamp header, in milliseconds since 1970.
func (c Credentials) Signature(method, uri, timestamp string) string {
	return newSigner(c).signature(method, uri, timestamp)
}

// signer signs any number of requests with one pair of keys. It keeps the HMAC
// states of the secret key: computing them costs more than a signature.
type signer struct {
	accessKey string
	macs      sync.Pool
}

func newSigner(c Credentials) *signer {
	key := []byte(c.SecretKey)
	return &signer{accessKey: c.AccessKey, macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

func (s *signer) sign(req *http.Request, now time.Time) {
	timestamp := strconv.FormatInt(now.UnixMilli(), 10)
	values := []string{timestamp, s.accessKey, s.signature(req.Method, req.URL.RequestURI(), timestamp)}
	for i, name := range []string{headerTimestamp, headerAccessKey, headerSignature} { // in canonical form
		req.Header[name] = values[i : i+1 : i+1]
	}
}

func (s *signer) signature(method, uri, timestamp string) string {
	mac := s.macs.Get().(hash.Hash)
	defer s.macs.Put(mac)
	mac.Reset()
	text := make([]byte, 0, 256)
	for _, piece := range []string{method, " ", uri, "\n", timestamp, "\n", s.accessKey} {
		text = append(text, piece...)
	}
	mac.Write(text)
	sum := mac.Sum(text[:0])
	return string(base64.StdEncoding.AppendEncode(sum[len(sum):], sum))
}
