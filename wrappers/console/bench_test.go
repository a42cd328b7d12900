package console_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/console"
	naver "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
)

// BenchmarkWatching compares a stand-in alone with the same one under the
// console.
func BenchmarkWatching(b *testing.B) {
	standin, err := naver.New(naver.Config{AccessKey: "test-access-key", SecretKey: "test-secret-key"})
	if err != nil {
		b.Fatal(err)
	}
	spec, err := specs.FS.ReadFile("ncloudmailer.yaml")
	if err != nil {
		b.Fatal(err)
	}
	c, err := console.New(console.Config{Providers: []console.Provider{
		{Name: "ncloudmailer", Spec: spec, Standin: standin},
	}})
	if err != nil {
		b.Fatal(err)
	}
	const (
		head = "--b\r\nContent-Disposition: form-data; name=\"fileList\"; filename=\"a.bin\"\r\n" +
			"Content-Type: application/octet-stream\r\n\r\n"
		tail = "\r\n--b--\r\n"
	)
	form := []byte(head + string(make([]byte, 16<<10)) + tail)
	for name, h := range map[string]http.Handler{"alone": standin, "watched": c.Watch("ncloudmailer")} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := httptest.NewRequest(http.MethodPost, "/api/v1/files", bytes.NewReader(form))
				ts := strconv.FormatInt(time.Now().UnixMilli(), 10)
				mac := hmac.New(sha256.New, []byte("test-secret-key"))
				fmt.Fprintf(mac, "POST /api/v1/files\n%s\ntest-access-key", ts)
				r.Header = http.Header{
					"Content-Type": {"multipart/form-data; boundary=b"}, "Content-Length": {strconv.Itoa(len(form))},
					"X-Ncp-Apigw-Timestamp": {ts}, "X-Ncp-Iam-Access-Key": {"test-access-key"},
					"X-Ncp-Apigw-Signature-V2": {base64.StdEncoding.EncodeToString(mac.Sum(nil))},
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != http.StatusCreated {
					b.Fatal(w.Code, w.Body)
				}
				if i%10000 == 9999 { // the memory store holds 1 GiB
					b.StopTimer()
					if err := standin.Reset(b.Context()); err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
			}
		})
	}
}
