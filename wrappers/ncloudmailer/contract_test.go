package ncloudmailer_test

import (
	_ "embed"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// The same authors wrote client and stand-in, and may have made the same
// mistake in both. So each exchange is held to the spec. Each side is also
// tested with the documentation's own examples. They are in testdata, byte for
// byte.

var must = standintest.Must

//go:embed testdata/createFile.request
var documentedRequest string

//go:embed testdata/createFile.response
var documentedResponse string

func newStandin(t testing.TB, s store.Store) *standin.Handler {
	t.Helper()
	h, err := standin.New(standin.Config{Store: s, AccessKey: testKeys.AccessKey, SecretKey: testKeys.SecretKey})
	must(t, err)
	return h
}

// connect returns a client.
func connect(t testing.TB, cfg upload.Config) *ncloudmailer.Client {
	t.Helper()
	client, err := ncloudmailer.New(testKeys, cfg)
	must(t, err)
	return client
}

func TestContract(t *testing.T) {
	uploadtest.Run(t, func(t testing.TB) uploadtest.Subject {
		held := store.Memory(0)
		h := newStandin(t, held)
		srv := uploadtest.Serve(t, h, standintest.Spec(t, "ncloudmailer"))
		return uploadtest.Subject{
			Uploader: connect(t, upload.Config{
				BaseURL: srv.BaseURL,
				Header:  http.Header{"X-Ncp-Lang": {"ko-KR"}},
				Retry:   upload.Retry{MaxWait: time.Millisecond},
			}),
			Patient: connect(t, upload.Config{BaseURL: srv.BaseURL}),
			Server:  srv,
			Stored:  standintest.Opens(h),
			Count: func() (n int) { // also of files without a manifest
				for range store.Keys(t.Context(), held, "ncloudmailer/files") {
					n++
				}
				return n
			},
			Secrets: []string{testKeys.AccessKey, testKeys.SecretKey},
		}
	})
}

func TestStandinKeepsTheSpec(t *testing.T) {
	for _, region := range paths(t) {
		t.Run(region, func(t *testing.T) {
			const limit = 1 << 20
			var moved atomic.Int64 // how far the stand-in's clock is ahead
			h, err := standin.New(standin.Config{
				AccessKey: testKeys.AccessKey, SecretKey: testKeys.SecretKey, MaxSize: limit,
				Now: func() time.Time { return time.Now().Add(time.Duration(moved.Load())) },
			})
			must(t, err)
			ts := httptest.NewServer(h)
			defer ts.Close()
			sign := func(r *http.Request) { testKeys.Sign(r, time.Now()) }
			uploadtest.Probe(t, ts.URL+region, standintest.Spec(t, "ncloudmailer"), sign,
				uploadtest.Probing{MaxSize: limit, Advance: func(d time.Duration) { moved.Add(int64(d)) }})
		})
	}
}

func TestStandinTakesTheDocumentedRequest(t *testing.T) {
	srv := uploadtest.Serve(t, newStandin(t, nil), standintest.Spec(t, "ncloudmailer"))
	req := standintest.Request(t, http.MethodPost, srv.BaseURL+"/files", strings.NewReader(documentedRequest),
		"Content-Type", "multipart/form-data; boundary=a29b1180-70f5-42f7-afbe-0d68a15f2370")
	testKeys.Sign(req, time.Now())
	standintest.Send(t, http.DefaultClient, req).Is(http.StatusCreated, `"fileName":"test.txt"`, `"fileSize":16`)
	files := srv.Files()
	if len(files) != 1 || files[0].Name != `test\resources\test.txt` || string(files[0].Body) != "upload test file" {
		t.Errorf("the server received %+v", files)
	}
}

func TestClientUnderstandsTheDocumentedAnswer(t *testing.T) {
	srv := uploadtest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, documentedResponse)
	}), standintest.Spec(t, "ncloudmailer"))
	client := connect(t, upload.Config{BaseURL: srv.BaseURL})
	res, err := client.Upload(t.Context(), upload.Bytes(`test\resources\test.txt`, []byte("upload test file")))
	must(t, err)
	if res.ID != "40fe58bd-91fe-4f89-a62e-705a7c17d65e-99" ||
		res.TempRequestID != "f355aac1-7776-4c0b-8484-20eaa065cb65-99" || res.Name != "test.txt" || res.Size != 16 {
		t.Errorf("got %+v", res)
	}
}
