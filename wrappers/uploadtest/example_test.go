package uploadtest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	naver "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

var keys = ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}

// A test that asks what the code under test has uploaded.
func ExampleServe() {
	t := newT() // the *testing.T of your test
	defer t.end()

	handler, _ := naver.New(naver.Config{AccessKey: keys.AccessKey, SecretKey: keys.SecretKey})
	spec, _ := specs.FS.ReadFile("ncloudmailer.yaml")
	srv := uploadtest.Serve(t, handler, spec)

	client, _ := ncloudmailer.New(keys, upload.Config{BaseURL: srv.BaseURL})
	_, err := client.Upload(context.Background(), upload.Bytes("송장.pdf", []byte("%PDF-1.7")))

	f := srv.Files()[0]
	fmt.Println(err, f.Field, f.Name, f.ContentType, f.Size, string(f.Body))
	// Output: <nil> fileList 송장.pdf application/pdf 8 %PDF-1.7
}

// A client survives one cut connection: it sends the file again. A refusal is
// its error.
func ExampleServer_Inject() {
	t := newT() // the *testing.T of your test
	defer t.end()

	handler, _ := office.New(office.Config{Token: "test-token"})
	spec, _ := specs.FS.ReadFile("twentyfourseven.yaml")
	srv := uploadtest.Serve(t, handler, spec)
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"})
	client, _ := twentyfourseven.New(tokens,
		upload.Config{BaseURL: srv.BaseURL, Retry: upload.Retry{MaxWait: time.Millisecond}})
	send := func() error {
		_, err := client.Upload(context.Background(), upload.Bytes("a.txt", []byte("a")))
		return err
	}

	srv.Inject(uploadtest.Presigned, 1, uploadtest.ResetMiddle)
	fmt.Println(send())
	for _, r := range srv.Requests() {
		fmt.Println(r.Op, r.Status)
	}
	srv.Inject("fileUpload", -1, uploadtest.Answer(http.StatusForbidden, ""))
	fmt.Println(errors.Is(send(), upload.ErrForbidden))
	// Output:
	// <nil>
	// fileUpload 200
	// presigned 0
	// presigned 200
	// true
}

// Every presigned URL has run out before the file is sent.
func ExampleServe_expiredURL() {
	t := newT() // the *testing.T of your test
	defer t.end()

	handler, _ := office.New(office.Config{Token: "test-token", URLLife: time.Nanosecond})
	spec, _ := specs.FS.ReadFile("twentyfourseven.yaml")
	srv := uploadtest.Serve(t, handler, spec)
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "test-token"})
	client, _ := twentyfourseven.New(tokens, upload.Config{BaseURL: srv.BaseURL})

	_, err := client.Upload(context.Background(), upload.Bytes("a.txt", []byte("a")))
	fmt.Println(errors.Is(err, upload.ErrExpired))
	// Output: true
}

// A fault of your own: no answer comes while the caller waits.
func ExampleFault() {
	t := newT() // the *testing.T of your test
	defer t.end()

	handler, _ := naver.New(naver.Config{AccessKey: keys.AccessKey, SecretKey: keys.SecretKey})
	spec, _ := specs.FS.ReadFile("ncloudmailer.yaml")
	srv := uploadtest.Serve(t, handler, spec)
	ctx, cancel := context.WithCancel(context.Background())
	srv.Inject("createFile", 1, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			cancel()
			<-r.Context().Done() // the caller has left
			panic(http.ErrAbortHandler)
		})
	})

	client, _ := ncloudmailer.New(keys, upload.Config{BaseURL: srv.BaseURL})
	_, err := client.Upload(ctx, upload.Bytes("a.txt", []byte("a")))
	fmt.Println(errors.Is(err, context.Canceled))
	// Output: true
}

// A client of your own instead of ncloudmailer's: nothing else changes.
func ExampleRun() {
	t := newT() // the *testing.T of your test
	defer t.end()

	spec, _ := specs.FS.ReadFile("ncloudmailer.yaml")
	uploadtest.Run(t, func(t testing.TB) uploadtest.Subject {
		handler, err := naver.New(naver.Config{AccessKey: keys.AccessKey, SecretKey: keys.SecretKey})
		if err != nil {
			t.Fatal(err)
		}
		srv := uploadtest.Serve(t, handler, spec)
		client, err := ncloudmailer.New(keys, upload.Config{BaseURL: srv.BaseURL,
			Retry: upload.Retry{MaxWait: time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		return uploadtest.Subject{
			Uploader: client,
			Server:   srv,
			Stored: func(ctx context.Context, id string) (io.ReadCloser, string, error) {
				content, info, err := handler.Open(ctx, id)
				return content, info.ContentType, err
			},
			Secrets: []string{keys.SecretKey},
		}
	})
	fmt.Println("all properties hold")
	// Output: all properties hold
}

// A server of your own behind httptest.NewServer, or any that runs elsewhere.
func ExampleProbe() {
	t := newT() // the *testing.T of your test
	defer t.end()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusTeapot) // whatever it is asked
	}))
	defer server.Close()
	spec, _ := specs.FS.ReadFile("twentyfourseven.yaml")
	uploadtest.Probe(t, server.URL+"/v1", spec, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer test-token")
	})
	// Output: 24SevenOffice file upload: fileUpload: response status: 418 is not declared (POST /v1/fileUpload)
}

// A look at what a program and a service say to each other.
func ExampleCheck() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, `{"tempRequestId":"r-1","files":[{"fileId":"f-1","fileName":"a.txt","fileSize":"1"}]}`)
	}))
	defer service.Close()

	spec, _ := specs.FS.ReadFile("ncloudmailer.yaml")
	check := &uploadtest.Check{Spec: spec, Report: func(err error) { fmt.Println(err) }}
	client, _ := ncloudmailer.New(keys, upload.Config{BaseURL: service.URL + "/api/v1",
		HTTPClient: &http.Client{Transport: check}})
	client.Upload(context.Background(), upload.Bytes("a.txt", []byte("a")))
	// Output: NAVER Cloud Outbound Mailer files: createFile: response body: status 201: at /files/0/fileSize: value must be an integer (POST /api/v1/files)
}

// The service of NAVER itself, with keys that it knows, instead of its
// stand-in: nothing else changes. The uploads are deleted.
func ExampleLive() {
	t := newT() // the *testing.T of your test
	defer t.end()

	handler, _ := naver.New(naver.Config{AccessKey: keys.AccessKey, SecretKey: keys.SecretKey})
	service := httptest.NewServer(handler)
	defer service.Close()

	baseURL := service.URL + "/api/v1"
	spec, _ := specs.FS.ReadFile("ncloudmailer.yaml")
	uploadtest.Live(t, baseURL, spec, func(hc *http.Client) uploadtest.Service {
		client, _ := ncloudmailer.New(keys, upload.Config{BaseURL: baseURL, HTTPClient: hc})
		return uploadtest.Service{
			Uploader: client,
			Delete: func(ctx context.Context, res upload.Result) error {
				_, err := client.DeleteFile(ctx, res.TempRequestID)
				return err
			},
			Secrets: []string{keys.AccessKey, keys.SecretKey},
		}
	})
	fmt.Println("all that it answers is right")
	// Output: all that it answers is right
}

// T is a test that prints its first failure, for the examples.
type T struct {
	testing.TB
	failed   bool
	cleanups []func()
}

func newT() *T { return &T{} }

func (t *T) Helper()                  {}
func (t *T) Logf(string, ...any)      {}
func (t *T) Context() context.Context { return context.Background() }
func (t *T) Cleanup(f func())         { t.cleanups = append(t.cleanups, f) }
func (t *T) Fatal(args ...any)        { panic(fmt.Sprint(args...)) }
func (t *T) Error(args ...any)        { t.Errorf("%s", fmt.Sprint(args...)) }
func (t *T) Errorf(format string, args ...any) {
	if !t.failed {
		fmt.Printf(format+"\n", args...)
	}
	t.failed = true
}

func (t *T) end() {
	for _, f := range t.cleanups {
		f()
	}
}
