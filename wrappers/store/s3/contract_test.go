package s3_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	naver "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store/s3"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// These tests hold both stand-ins to the contract, with a real S3 server.

var keys = ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}

func TestContractOfAFormIntoABucket(t *testing.T) {
	g := startGateway(t)
	contract := standintest.Spec(t, "ncloudmailer")
	uploadtest.Run(t, func(t testing.TB) uploadtest.Subject {
		st, prefix := g.openNew(t)
		h, err := naver.New(naver.Config{Store: st, AccessKey: keys.AccessKey, SecretKey: keys.SecretKey})
		must(t, err)
		srv := uploadtest.Serve(t, h, contract)
		client, err := ncloudmailer.New(keys, upload.Config{BaseURL: srv.BaseURL,
			Retry: upload.Retry{MaxWait: time.Millisecond}})
		must(t, err)
		return uploadtest.Subject{
			Uploader: client,
			Server:   srv,
			Stored:   standintest.Opens(h),
			Count:    func() int { return len(g.objects(prefix + "/ncloudmailer/files/")) },
			Secrets:  []string{keys.SecretKey, cred.SecretAccessKey},
		}
	})
}

func TestContractOfAPresignedPutIntoABucket(t *testing.T) {
	g := startGateway(t)
	contract := standintest.Spec(t, "twentyfourseven")
	const token = "contract-static-token"
	uploadtest.Run(t, func(t testing.TB) uploadtest.Subject {
		var h http.Handler
		srv := uploadtest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }),
			contract)
		front := g.front(t, srv.URL)
		standin, err := office.New(office.Config{Store: front, Token: token})
		must(t, err)
		mux := http.NewServeMux()
		mux.Handle("/v1/", standin)
		mux.Handle("/"+bucket+"/", front)
		h = mux
		client, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}),
			upload.Config{BaseURL: srv.BaseURL, Retry: upload.Retry{MaxWait: time.Millisecond}})
		must(t, err)
		return uploadtest.Subject{
			Uploader: client,
			Server:   srv,
			Stored:   standintest.Opens(standin),
			Count:    func() int { return len(g.objects(front.prefix + "/twentyfourseven/files/")) },
			Secrets:  []string{token, cred.SecretAccessKey},
		}
	})
}

// Here the presigned step goes to the S3 server itself.
func TestStandinsOnABucketKeepTheirSpecs(t *testing.T) {
	g := startGateway(t)
	st, _ := g.openNew(t)
	form, err := naver.New(naver.Config{Store: st, AccessKey: keys.AccessKey, SecretKey: keys.SecretKey})
	must(t, err)
	presigned, err := office.New(office.Config{Store: st, Token: "static-token"})
	must(t, err)
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", form)
	mux.Handle("/v1/", presigned)
	mux.Handle("/download/", presigned)
	ts := httptest.NewServer(mux)
	defer ts.Close()
	uploadtest.Probe(t, ts.URL+"/api/v1", standintest.Spec(t, "ncloudmailer"), func(r *http.Request) {
		keys.Sign(r, time.Now())
	})
	uploadtest.Probe(t, ts.URL+"/v1", standintest.Spec(t, "twentyfourseven"), func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer static-token")
	})
}

// fronted is a store whose presigned URLs lead to the kit, so the kit sees the
// presigned step and injects faults into it. The signatures are for the kit's
// address. The S3 server behind it checks them.
type fronted struct {
	*s3.Store // for what the stand-in itself does
	named     *s3.Store
	prefix    string
	http.Handler
}

func (f *fronted) PresignPut(ctx context.Context, key, contentType string, life time.Duration) (string, error) {
	return f.named.PresignPut(ctx, key, contentType, life)
}

func (g *gateway) front(t testing.TB, rawURL string) *fronted {
	t.Helper()
	f := &fronted{}
	f.Store, f.prefix = g.openNew(t)
	f.named = opened(t, strings.Replace(g.url(f.prefix), "http://"+g.addr, rawURL, 1))
	behind := &url.URL{Scheme: "http", Host: g.addr}
	transport := &http.Transport{
		ExpectContinueTimeout: time.Minute,
		// A cut-off connection is reset, as by a crash. versitygw v1.8.0 takes
		// a normal end for the end of the body (fixed by its pull request 2415).
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err == nil {
				err = conn.(*net.TCPConn).SetLinger(0)
			}
			return conn, err
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	f.Handler = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(behind)
			r.Out.Host = r.In.Host
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	return f
}
