package wire_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func quietTLS(t *testing.T, change func(*tls.Config)) *httptest.Server {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request went out")
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{}
	change(srv.TLS)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// socks returns a transport whose proxy answers each message of the client with
// the next of answers.
func socks(t *testing.T, answers ...string) http.RoundTripper {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for _, answer := range answers {
				c.Read(make([]byte, 512))
				io.WriteString(c, answer)
			}
			c.Close()
		}
	}()
	tr := upload.NewTransport()
	tr.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse("socks5://user:password@" + l.Addr().String()) }
	return tr
}

func TestWhatCannotPassIsNotRepeated(t *testing.T) {
	untrusted := quietTLS(t, func(*tls.Config) {})
	mutual := quietTLS(t, func(c *tls.Config) {
		c.ClientAuth = tls.RequireAnyClientCert
		c.MaxVersion = tls.VersionTLS12
	})
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	proxy := httptest.NewServer(status(407, "Proxy-Authenticate", "Basic"))
	defer proxy.Close()
	proxied := upload.NewTransport()
	proxied.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	bare := &http.Transport{Proxy: proxied.Proxy} // has net/http's own words for the refusal
	fails := func(err error) http.RoundTripper {
		return answers(func(*http.Request) (*http.Response, error) { return nil, err })
	}
	nowhere := upload.NewTransport()
	nowhere.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "nowhere.example", IsNotFound: true}
	}
	for _, tt := range []struct {
		name, base string
		tr         http.RoundTripper
		says       string
	}{
		{"a certificate that is not trusted", untrusted.URL, nil, "certificate"},
		{"a certificate for another host", strings.Replace(untrusted.URL, "127.0.0.1", "localhost", 1),
			tlsClient(untrusted).Transport, "certificate"},
		{"no client certificate where one is asked for", mutual.URL, tlsClient(mutual).Transport, "tls"},
		{"http on https", strings.Replace(plain.URL, "http:", "https:", 1), nil, "tls"},
		{"a host that does not exist", "https://nowhere.example", nowhere, "no such host"},
		{"a proxy that refuses us", "https://host.example", proxied, "status 407"},
		{"a proxy that refuses us, without our transport", "https://host.example", bare,
			"Proxy Authentication Required"},
		{"a SOCKS proxy that takes none of our ways to log in", "https://host.example", socks(t, "\x05\xff"),
			"authentication"},
		{"a SOCKS proxy that refuses our password", "https://host.example", socks(t, "\x05\x02", "\x01\x01"),
			"authentication failed"},
		{"a SOCKS proxy that may not go there", "https://host.example",
			socks(t, "\x05\x00", "\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00"), "ruleset"},
		{"an issuer that is not known", "https://host.example", fails(x509.UnknownAuthorityError{}),
			"unknown authority"},
		{"a certificate that has ended", "https://host.example",
			fails(x509.CertificateInvalidError{Cert: &x509.Certificate{}, Reason: x509.Expired}), "expired"},
		{"no record of TLS", "https://host.example", fails(tls.RecordHeaderError{Msg: "no TLS there"}), "no TLS there"},
		{"an address without a port", "https://host.example", fails(&net.AddrError{Err: "missing port"}),
			"missing port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDoer(t, wire.API{Repeatable: true}, upload.Config{BaseURL: tt.base,
				Retry: upload.Retry{MaxWait: time.Millisecond}, HTTPClient: &http.Client{Transport: tt.tr}})
			err := post(t.Context(), d, upload.Bytes("a", []byte("x")))
			if f := failed(err); !errors.Is(err, upload.ErrUnavailable) || f.Attempts != 1 || f.Temporary() ||
				!strings.Contains(err.Error(), tt.says) {
				t.Errorf("%+v, want ErrUnavailable after one attempt, not temporary, saying %q", f, tt.says)
			}
		})
	}
}
