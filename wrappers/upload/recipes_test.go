package upload_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"iter"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/upload"
)

var keys = ncloudmailer.Credentials{AccessKey: "an-access-key", SecretKey: "a-secret-key"}

// mailer answers like createFile.
func mailer(w http.ResponseWriter, r *http.Request) {
	_, file, err := r.FormFile("fileList")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"tempRequestId":"t-1","files":[{"fileName":%q,"fileSize":%d,"fileId":"f-1"}]}`, file.Filename,
		file.Size)
}

func certificate(srv *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A stream whose length nobody knows is copied into a file. The file can be
// sent again, too.
func ExampleReaderAt_unknownLength() {
	stream := strings.NewReader("insert into shop")

	file, err := os.CreateTemp("", "upload-")
	check(err)
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := io.Copy(file, stream) // such as os.Stdin
	check(err)
	src := upload.ReaderAt("shop.sql", file, size) // the name at the provider

	res, err := client.Upload(context.Background(), src)
	fmt.Println(res.Name, res.Size, err)
	// Output: shop.sql 16 <nil>
}

// A server whose certificate comes from a CA of your own.
func ExampleNewTransport_ownCA() {
	srv := httptest.NewTLSServer(http.HandlerFunc(mailer))
	defer srv.Close()
	caPEM := certificate(srv) // yours is in a file

	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(caPEM) {
		panic("no certificate in the file")
	}
	tr := upload.NewTransport()
	tr.TLSClientConfig = &tls.Config{RootCAs: pool}
	cfg := upload.Config{HTTPClient: &http.Client{Transport: tr}}

	cfg.BaseURL = srv.URL
	client, err := ncloudmailer.New(keys, cfg)
	if err != nil {
		panic(err)
	}

	res, err := client.Upload(context.Background(), upload.Bytes("hello.txt", []byte("hello")))
	fmt.Println(res.ID, res.Name, err)
	// Output:
	// f-1 hello.txt <nil>
}

// A server that asks for a client certificate.
func ExampleNewTransport_clientCertificate() {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("the server saw", len(r.TLS.PeerCertificates), "certificate")
		mailer(w, r)
	}))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	srv.StartTLS()
	defer srv.Close()
	cert := srv.TLS.Certificates[0]

	tr := upload.NewTransport()
	tr.TLSClientConfig = &tls.Config{Certificates: []tls.Certificate{cert}} // from tls.LoadX509KeyPair
	cfg := upload.Config{HTTPClient: &http.Client{Transport: tr}}

	tr.TLSClientConfig.RootCAs = x509.NewCertPool() // this server's, and not the system's
	tr.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
	cfg.BaseURL = srv.URL
	client, err := ncloudmailer.New(keys, cfg)
	if err != nil {
		panic(err)
	}

	_, err = client.Upload(context.Background(), upload.Bytes("hello.txt", []byte("hello")))
	fmt.Println(err)
	// Output:
	// the server saw 1 certificate
	// <nil>
}

// HTTPS_PROXY and HTTP_PROXY of the environment are used unless you set a proxy
// of your own.
func ExampleNewTransport_proxy() {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("the proxy is asked for", r.Host)
		mailer(w, r) // in place of the server
	}))
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		panic(err)
	}

	tr := upload.NewTransport()
	tr.Proxy = http.ProxyURL(address) // a *url.URL
	cfg := upload.Config{HTTPClient: &http.Client{Transport: tr}}

	cfg.BaseURL = "http://mail.example/api/v1"
	client, err := ncloudmailer.New(keys, cfg)
	if err != nil {
		panic(err)
	}

	_, err = client.Upload(context.Background(), upload.Bytes("hello.txt", []byte("hello")))
	fmt.Println(err)
	// Output:
	// the proxy is asked for mail.example
	// <nil>
}

// within is an Uploader that limits the time of each file.
type within struct {
	upload.Uploader
	limit time.Duration
}

func (w within) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	return w.Uploader.Upload(ctx, src)
}

// sticky is an Uploader that gets stuck at one file.
type sticky struct{}

func (sticky) Upload(ctx context.Context, src upload.Source) (upload.Result, error) {
	if src.Name == "stuck.txt" {
		<-ctx.Done()
	}
	return upload.Result{}, ctx.Err()
}

// Each file has its own deadline.
func ExampleMany_deadlineForEachFile() {
	var sources iter.Seq2[upload.Source, error] = func(yield func(upload.Source, error) bool) {
		_ = yield(upload.Bytes("stuck.txt", []byte("x")), nil) && yield(upload.Bytes("fine.txt", []byte("x")), nil)
	}
	for sent, err := range upload.Many(context.Background(), within{sticky{}, 200 * time.Millisecond}, 1, sources) {
		fmt.Println(sent.Source.Name, errors.Is(err, context.DeadlineExceeded))
	}
	// Output:
	// stuck.txt true
	// fine.txt false
}

// Files gives Many its sources, and each result names the path of its file.
func ExampleFiles() {
	srv := httptest.NewServer(http.HandlerFunc(mailer))
	defer srv.Close()
	client, err := ncloudmailer.New(keys, upload.Config{BaseURL: srv.URL})
	if err != nil {
		panic(err)
	}
	ctx, paths := context.Background(), []string{"missing.pdf", "recipes_test.go"}

	for sent, err := range upload.Many(ctx, client, 16, upload.Files(paths...)) {
		if err != nil {
			log.Printf("%s: %v", sent.Source.Name, err) // the others go on
			continue
		}
		fmt.Println(sent.Result.ID, sent.Source.Name)
	}
	// Output:
	// f-1 recipes_test.go
}

// roundTrip is a RoundTripper that is a func.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// withoutQuery wraps network with a tracer that sees every address without its
// query.
func withoutQuery(tracer func(http.RoundTripper) http.RoundTripper, network http.RoundTripper) http.RoundTripper {
	type address struct{}
	traced := tracer(roundTrip(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL = req.Context().Value(address{}).(*url.URL)
		return network.RoundTrip(req)
	}))
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(context.WithValue(req.Context(), address{}, req.URL))
		req.URL.RawQuery = ""
		return traced.RoundTrip(req)
	})
}

// printer stands for the package otelhttp: it prints what a tracer would record.
type printer struct{}

func (printer) NewTransport(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		fmt.Println("the trace says", req.URL.RequestURI())
		return next.RoundTrip(req)
	})
}

// OpenTelemetry's otelhttp records the whole address of each request as
// url.full, and the query of a presigned URL holds its signature.
func ExampleConfig_openTelemetry() {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		fmt.Println("the server got", r.URL.RequestURI())
	}))
	defer srv.Close()
	var otelhttp printer // in place of the package

	tracer := func(next http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(next) }
	cfg := upload.Config{HTTPClient: &http.Client{Transport: withoutQuery(tracer, upload.NewTransport())}}

	resp, err := cfg.HTTPClient.Get(srv.URL + "/bucket/file?X-Amz-Signature=abc") // as a client does with cfg
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	// Output:
	// the trace says /bucket/file
	// the server got /bucket/file?X-Amz-Signature=abc
}
