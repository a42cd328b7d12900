package standin

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
)

// maxSkew is how far the caller's clock may be from ours.
const maxSkew = 5 * time.Minute

const (
	timestampHeader = "x-ncp-apigw-timestamp"
	accessKeyHeader = "x-ncp-iam-access-key"
	signatureHeader = "x-ncp-apigw-signature-v2"
)

// signedBy checks signature v2 and says what is wrong with it; empty means that
// nothing is. It looks at no byte of the body, which is not signed. What it says is
// for the caller: what to look at, and nothing of what would be right.
func signedBy(accessKey, secretKey string, now func() time.Time) func(*http.Request) string {
	return func(r *http.Request) string {
		for _, name := range []string{timestampHeader, accessKeyHeader, signatureHeader} {
			if n := len(r.Header.Values(name)); n != 1 {
				return fmt.Sprintf("There are %d headers %s instead of one.", n, name)
			}
		}
		if !standinhttp.Same(r.Header.Get(accessKeyHeader), accessKey) {
			return "The access key is not known."
		}
		timestamp := r.Header.Get(timestampHeader)
		ms, err := strconv.ParseUint(timestamp, 10, 48)
		if err != nil {
			return "The timestamp is not a number of milliseconds since 1970."
		}
		if skew := now().Sub(time.UnixMilli(int64(ms))); skew.Abs() > maxSkew {
			return fmt.Sprintf("The timestamp is %s from the server's clock, and at most %s are allowed.", skew.Abs().Round(time.Second), maxSkew)
		}
		// The path and query as they came: what a parser made of them may be
		// written differently.
		uri := r.RequestURI
		if uri == "" {
			uri = r.URL.RequestURI()
		}
		m := hmac.New(sha256.New, []byte(secretKey))
		fmt.Fprintf(m, "%s %s\n%s\n%s", r.Method, uri, timestamp, accessKey)
		if !standinhttp.Same(r.Header.Get(signatureHeader), base64.StdEncoding.EncodeToString(m.Sum(nil))) {
			return "The signature does not fit the request and the keys."
		}
		return ""
	}
}
