package wire_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// adding returns a RoundTripper that adds a header in a func, where inspect
// cannot see it.
func adding(base http.RoundTripper, name, value string) http.RoundTripper {
	return rawTransport(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set(name, value)
		return base.RoundTrip(req)
	})
}

func TestCredentialsThatARoundTripperAddsNeverReachThePresignedHost(t *testing.T) {
	for _, secure := range []string{"http", "https", "h2"} {
		for _, size := range []int{0, 100, 100_000, 2 << 20} {
			for name, leaks := range map[string]bool{
				"Authorization": true, "authorization": true, "Proxy-Authorization": true, "X-Api-Key": true,
				"Cookie": true, "X-Unheard-Of": true, "X-Request-Id": true,
				"Traceparent": false, "User-Agent": false, "Idempotency-Key": false,
			} {
				var reached, heard atomic.Int32
				srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					reached.Add(1)
					if strings.Contains(strings.Join(r.Header[http.CanonicalHeaderKey(name)], ""), "the-credentials") {
						heard.Add(1)
					}
					io.Copy(io.Discard, r.Body)
				}))
				client := &http.Client{}
				switch secure {
				case "http":
					srv.Start()
					client.Transport = upload.NewTransport()
				case "https":
					srv.StartTLS()
					client = tlsClient(srv)
				case "h2":
					srv.EnableHTTP2 = true
					srv.StartTLS()
					client = srv.Client()
				}
				value := "the-credentials"
				if name == "X-Request-Id" {
					value = "Bearer the-credentials" // known by its value
				}
				client.Transport = adding(client.Transport, name, value)
				step := presigned(t, srv.URL, client)
				_, err := step.Send(t.Context(), wire.Target{Method: "PUT", URL: srv.URL + "/x?sig=1"},
					wire.Raw(upload.Bytes("a", make([]byte, size))))
				if leaks {
					if f := failed(err); !errors.Is(err, upload.ErrInvalid) || f.Attempts != 1 ||
						!strings.Contains(err.Error(), "HTTPClient adds the header") || reached.Load() != 0 {
						t.Errorf("%s, %d bytes, %s: %v, %d requests arrived; want ErrInvalid and none", secure,
							size, name, err, reached.Load())
					}
				} else if err != nil || heard.Load() == 0 {
					t.Errorf("%s, %d bytes, %s: %v, want it sent", secure, size, name, err)
				}
				srv.Close()
			}
		}
	}
}

// A short value under an unknown name is no secret, here as elsewhere.
func TestShortHeaderThatARoundTripperAddsIsSent(t *testing.T) {
	for value, short := range map[string]bool{"acme-12": true, "acme-123": false} {
		client := &http.Client{Transport: adding(upload.NewTransport(), "X-Tenant", value)}
		s, d := serve(t, wire.API{}, upload.Config{HTTPClient: client}, status(200))
		err := sendTo(t, d.Presigned(), "PUT", d.BaseURL, letter)
		if (err == nil) != short || short && s.headers[0].Get("X-Tenant") != value {
			t.Errorf("%s: %v, %v", value, err, s.headers)
		}
	}
}

// No hook shows the query before it is sent.
func TestParameterThatARoundTripperAddsIsAnError(t *testing.T) {
	tr := upload.NewTransport()
	client := &http.Client{Transport: rawTransport(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.URL.RawQuery += "&key=the-credentials"
		return tr.RoundTrip(req)
	})}
	_, d := serve(t, wire.API{}, upload.Config{HTTPClient: client}, status(200))
	err := sendTo(t, d.Presigned(), "PUT", d.BaseURL+"?sig=1", letter)
	if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), "HTTPClient adds the parameter key,") ||
		strings.Contains(err.Error(), "the-credentials") {
		t.Errorf("%v, want upload.ErrInvalid that says so", err)
	}
}

// The API's own host may get them: some programs authenticate that way.
func TestCredentialsThatARoundTripperAddsReachTheAPI(t *testing.T) {
	s, d := serve(t, wire.API{}, upload.Config{HTTPClient: &http.Client{Transport: adding(upload.NewTransport(),
		"Authorization", "Bearer x")}}, status(201))
	if err := post(t.Context(), d, upload.Bytes("a", []byte("x"))); err != nil ||
		s.headers[0].Get("Authorization") != "Bearer x" {
		t.Errorf("%v, %v", err, s.headers)
	}
}

// A RoundTripper that changes its request breaks net/http's rules.
func TestRoundTripperThatChangesItsRequestChangesOnlyThatAttempt(t *testing.T) {
	n := 0
	client := &http.Client{Transport: rawTransport(func(req *http.Request) (*http.Response, error) {
		n++
		if got := req.Header.Values("X-Seen"); len(got) > 0 {
			t.Errorf("attempt %d begins with %q", n, got)
		}
		req.Header.Set("X-Seen", "x")
		io.Copy(io.Discard, req.Body)
		return respond(503, nil), nil
	})}
	err := sendTo(t, presigned(t, "http://host", client), "PUT", "http://host/x", letter)
	if !errors.Is(err, upload.ErrUnavailable) || n != 4 {
		t.Errorf("%d attempts and %v", n, err)
	}
}

// A proxy may repeat the credentials that it got.
func TestCredentialsOfTheProxyAreNotShown(t *testing.T) {
	const user, password = "proxy-user", "pr0xy+pass/word"
	said := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	for _, tt := range []struct{ name, base, status, body string }{
		{"in the status line of a tunnel", "https://api.example", "407 denied to Basic " + said + " " + password, ""},
		{"in the body of a tunnel's refusal", "https://api.example", "407 no", said + password},
		{"in a body", "http://api.example", "407 no", "denied to Basic " + said + ", which is " + user +
			":" + password},
		{"in a body, cut", "http://api.example", "407 no", said[:len(said)-4] + "... " + password[:10]},
	} {
		for _, how := range []string{"own", "net/http's", "net/http's, with a header"} {
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, buf, _ := w.(http.Hijacker).Hijack()
				defer conn.Close()
				buf.WriteString("HTTP/1.1 " + tt.status + "\r\nConnection: close\r\n\r\n" + tt.body)
				buf.Flush()
			}))
			tr := &http.Transport{}
			if how == "own" {
				tr = upload.NewTransport()
			}
			tr.Proxy = func(*http.Request) (*url.URL, error) {
				u, err := url.Parse(proxy.URL)
				u.User = url.UserPassword(user, password)
				if tr.ProxyConnectHeader != nil {
					u.User = nil
				}
				return u, err
			}
			if strings.HasSuffix(how, "header") {
				tr.ProxyConnectHeader = http.Header{"Proxy-Authorization": {"Basic " + said}}
			}
			d := newDoer(t, wire.API{}, upload.Config{BaseURL: tt.base, HTTPClient: &http.Client{Transport: tr},
				Retry: upload.Retry{MaxWait: time.Millisecond}})
			err := post(t.Context(), d, upload.Bytes("a", []byte("x")))
			if err == nil {
				t.Fatal("success")
			}
			for _, secret := range []string{said[:8], said[8:16], "proxy-us", password[:8]} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s, %s transport: %v shows %q", tt.name, how, err, secret)
				}
			}
			proxy.Close()
		}
	}
}
