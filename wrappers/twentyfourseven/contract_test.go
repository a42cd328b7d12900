package twentyfourseven_test

import (
	"bytes"
	_ "embed"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// The same authors wrote client and stand-in, and may have made the same
// mistake in both. So each exchange is held to the spec. Each side is also
// tested with the documentation's own examples. They are in testdata, byte for
// byte.

var must = standintest.Must

//go:embed testdata/fileUpload.request
var documentedRequest string

//go:embed testdata/fileUpload.response
var documentedResponse string

const (
	staticToken  = "contract-static-token"
	clientSecret = "contract-client-secret"
)

func newStandin(t testing.TB) *standin.Handler {
	t.Helper()
	h, err := standin.New(standin.Config{Token: staticToken, ClientID: "contract-client", ClientSecret: clientSecret})
	must(t, err)
	return h
}

// subject returns a client with the given tokens, and the stand-in.
func subject(t testing.TB, h *standin.Handler, tokens oauth2.TokenSource) uploadtest.Subject {
	t.Helper()
	srv := uploadtest.Serve(t, h, standintest.Spec(t, "twentyfourseven"))
	return uploadtest.Subject{
		Uploader: connect(t, tokens, upload.Config{
			BaseURL: srv.BaseURL,
			Header:  http.Header{"X-Custom": {"for the API alone"}},
			Retry:   upload.Retry{MaxWait: time.Millisecond},
		}),
		Patient: connect(t, tokens, upload.Config{BaseURL: srv.BaseURL}),
		Server:  srv,
		Stored:  standintest.Opens(h),
		Secrets: []string{staticToken, clientSecret},
	}
}

// The tokens come from a server of their own, so faults meet the API alone: a
// token source may wait between its attempts as long as it likes. The tests of
// the token cover other sources.
func TestContract(t *testing.T) {
	uploadtest.Run(t, func(t testing.TB) uploadtest.Subject {
		h := newStandin(t)
		issuer := uploadtest.Serve(t, h, standintest.Spec(t, "twentyfourseven"))
		return subject(t, h, twentyfourseven.ClientCredentials{
			ClientID: "contract-client", ClientSecret: clientSecret, Organization: "1234", TokenURL: issuer.URL +
				"/oauth/token",
		}.TokenSource(t.Context()))
	})
}

// Every exchange of upload and download is held to the spec.
func TestWhatWasSentComesBack(t *testing.T) {
	s := subject(t, newStandin(t), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: staticToken}))
	client := s.Uploader.(*twentyfourseven.Client)
	for _, size := range []int{0, 1, 64 << 10, 5<<20 + 1} {
		sent := make([]byte, size)
		rand.NewChaCha8([32]byte{1}).Read(sent)
		res, err := client.Upload(t.Context(), upload.Bytes("invoice.pdf", sent))
		must(t, err)
		st, err := client.Wait(t.Context(), res.ID)
		must(t, err)
		doc, err := client.Document(t.Context(), st.DocumentID)
		if err != nil || doc.ContentType != "application/pdf" {
			t.Errorf("%+v, %v", doc, err)
		}
		var got bytes.Buffer
		if n, err := client.Download(t.Context(), st.DocumentID, &got, int64(size)); err != nil || n != int64(size) ||
			!bytes.Equal(got.Bytes(), sent) {
			t.Errorf("%d bytes came back of %d: %v", n, size, err)
		}
	}
}

func TestStandinKeepsTheSpec(t *testing.T) {
	var moved atomic.Int64 // how far the stand-in's clock is ahead
	h, err := standin.New(standin.Config{Token: staticToken,
		Now: func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }})
	must(t, err)
	ts := httptest.NewServer(h)
	defer ts.Close()
	uploadtest.Probe(t, ts.URL+"/v1", standintest.Spec(t, "twentyfourseven"),
		func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+staticToken) },
		uploadtest.Probing{Advance: func(d time.Duration) { moved.Add(int64(d)) }})
}

func TestStandinTakesTheDocumentedRequest(t *testing.T) {
	srv := uploadtest.Serve(t, newStandin(t), standintest.Spec(t, "twentyfourseven"))
	req := standintest.Request(t, http.MethodPost, srv.BaseURL+"/fileUpload", strings.NewReader(documentedRequest),
		"Content-Type", "application/json", "Authorization", "Bearer "+staticToken)
	standintest.Send(t, http.DefaultClient, req).Is(http.StatusOK) // srv holds the body to the spec
}

// The example's addresses are the provider's own. So the client keeps its
// default address, and the network is replaced.
func TestClientUnderstandsTheDocumentedAnswer(t *testing.T) {
	var sent []byte
	mux := http.NewServeMux()
	mux.HandleFunc("POST rest.api.24sevenoffice.com/v1/fileUpload", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, documentedResponse)
	})
	mux.HandleFunc("PUT attachment.api.24sevenoffice.com/upload/abc123", func(w http.ResponseWriter, r *http.Request) {
		sent, _ = io.ReadAll(r.Body)
	})
	check := &uploadtest.Check{Spec: standintest.Spec(t, "twentyfourseven"), Base: standintest.InProcess(mux).Transport,
		Report: func(err error) { t.Error(err) }}
	client := connect(t, static, upload.Config{HTTPClient: &http.Client{Transport: check}})
	res, err := client.Upload(t.Context(), upload.Bytes("invoice.pdf", []byte("%PDF-")))
	must(t, err)
	if res.ID != "67890" || string(sent) != "%PDF-" {
		t.Errorf("fileId %q, and %q was sent", res.ID, sent)
	}
}
