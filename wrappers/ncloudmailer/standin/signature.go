package standin

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// maxSkew is the provider's limit for the caller's clock.
const maxSkew = 5 * time.Minute

// The headers of a signed request. The client has its own copy of these and of
// the signature on purpose, so that one mistake does not make both sides wrong
// together.
const (
	timestampHeader = "X-Ncp-Apigw-Timestamp"
	accessKeyHeader = "X-Ncp-Iam-Access-Key"
	signatureHeader = "X-Ncp-Apigw-Signature-V2"
)

// signedBy returns a check of signature v2. The check does not read the body,
// because the body is not signed. Its error names the fault, but not the right
// value.
func signedBy(accessKey, secretKey string, now func() time.Time) func(*http.Request) error {
	macs := sync.Pool{New: func() any { return hmac.New(sha256.New, []byte(secretKey)) }}
	return func(r *http.Request) error {
		for _, name := range []string{timestampHeader, accessKeyHeader, signatureHeader} {
			if n := len(r.Header.Values(name)); n != 1 {
				return unauthorized("There are %d headers %s instead of one.", n, strings.ToLower(name))
			}
		}
		if !standinhttp.Same(r.Header.Get(accessKeyHeader), accessKey) {
			return unauthorized("The access key is not known.")
		}
		timestamp := r.Header.Get(timestampHeader)
		ms, err := strconv.ParseUint(timestamp, 10, 48)
		if err != nil {
			return unauthorized("The timestamp is not a number of milliseconds since 1970.")
		}
		if skew := now().Sub(time.UnixMilli(int64(ms))); skew.Abs() > maxSkew {
			return unauthorized("The timestamp is %s from the server's clock, and at most %s are allowed.",
				skew.Abs().Round(time.Second), maxSkew)
		}
		// The path and query stay unchanged: a parser may write them
		// differently. A request that a test hands over without a server has
		// only the parsed ones.
		uri := cmp.Or(r.RequestURI, r.URL.RequestURI())
		m := macs.Get().(hash.Hash)
		defer macs.Put(m)
		m.Reset()
		_, _ = io.WriteString(m, r.Method+" "+uri+"\n"+timestamp+"\n"+accessKey)
		if !standinhttp.Same(r.Header.Get(signatureHeader), base64.StdEncoding.EncodeToString(m.Sum(nil))) {
			return unauthorized("The signature does not fit the request and the keys.")
		}
		return nil
	}
}
