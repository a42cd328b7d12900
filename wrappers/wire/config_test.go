package wire_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", "https://default.example/v1"},
		{"https://host/api/v1-sgn", "https://host/api/v1-sgn"},
		{"https://host/api/v1-sgn/", "https://host/api/v1-sgn"},
		{"https://host/api/v1//", "https://host/api/v1"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"host/v1", ""},
		{"ftp://host/v1", ""},
		{"https:///v1", ""},
		{"https://:443/v1", ""},
		{"https://user:hunter2@host/v1", ""},
		{"https://host/v1?key=hunter2", ""},
		{"https://host/v1?", ""},
		{"https://host/v1#hunter2", ""},
		{"https://ho st/hunter2", ""},
		{"::", ""},
		{"https://host/v1 ", ""},
		{"https://host:65536/v1", ""},
		{"https://host:0/v1", ""},
		{"https://host:65535/v1", "https://host:65535/v1"},
	} {
		d, err := wire.NewDoer(wire.API{Provider: "example", BaseURL: "https://default.example/v1"},
			upload.Config{BaseURL: tt.in})
		switch {
		case tt.want == "":
			if !errors.Is(err, upload.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q: error %v, want ErrInvalid without the secret", tt.in, err)
			}
		case err != nil || d.BaseURL != tt.want:
			t.Errorf("%q: %v, %v, want %q", tt.in, d, err, tt.want)
		}
	}
}

func TestHeaderThatWouldUndoTheRequestIsRefused(t *testing.T) {
	for name, ok := range map[string]bool{
		"X-Ncp-Lang": true, "x-ncp-lang": true, "Accept-Language": true,
		"Authorization": false, "authorization": false, "Content-Type": false, "content-length": false,
		"Content-MD5": false, "X-Signature": false, "x-signature": false, "Transfer-Encoding": false, "Host": false,
		"Expect": false, "TE": false, "Upgrade": false, "bad name": false, "": false,
		"X-Käse": false, "X-\x7f": false, "X-\x00": false, "X:Y": false, "X~Y!": true,
	} {
		_, err := wire.NewDoer(wire.API{BaseURL: "https://host", Secret: []string{"X-Signature"}},
			upload.Config{Header: http.Header{name: {"v"}}})
		if (err == nil) != ok || err != nil && !errors.Is(err, upload.ErrInvalid) {
			t.Errorf("%q: %v, want it accepted: %t", name, err, ok)
		}
	}
	for value, ok := range map[string]bool{"": true, "a\tb": true, "한": true, "a\r\nb": false, "\x00": false,
		"a\x7f": false} {
		_, err := wire.NewDoer(wire.API{BaseURL: "https://host"},
			upload.Config{Header: http.Header{"X-A": {"fine", value}}})
		if (err == nil) != ok || err != nil && !errors.Is(err, upload.ErrInvalid) {
			t.Errorf("the value %q: %v, want it accepted: %t", value, err, ok)
		}
	}
}

func TestSettingThatCannotBeUsedIsNamed(t *testing.T) {
	over := func(tr http.RoundTripper) upload.Config {
		return upload.Config{HTTPClient: &http.Client{Transport: tr}}
	}
	changed := func(change func(*http.Transport)) upload.Config { // the tuned transport with a change
		tr := upload.NewTransport()
		change(tr)
		return over(tr)
	}
	secured := func(c *tls.Config) upload.Config {
		return changed(func(tr *http.Transport) { tr.TLSClientConfig = c })
	}
	proxied := func(address string) upload.Config {
		return changed(func(tr *http.Transport) {
			tr.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(address) }
		})
	}
	certified := func(c tls.Certificate) upload.Config {
		return secured(&tls.Config{Certificates: []tls.Certificate{c}})
	}
	nobody := secured(&tls.Config{RootCAs: x509.NewCertPool()})
	wrapped := over(struct{ http.RoundTripper }{nobody.HTTPClient.Transport})
	for _, tt := range []struct {
		field string
		cfg   upload.Config
	}{
		{"HTTPClient.Transport is a nil *http.Transport", over((*http.Transport)(nil))},
		{"HTTPClient.Transport is a nil wire_test.rawTransport", over(rawTransport(nil))},
		{"HTTPClient.Timeout", upload.Config{HTTPClient: &http.Client{Timeout: -1}}},
		{"Connections", upload.Config{Connections: -1}},
		{"MaxConnsPerHost", upload.Config{Connections: 3, HTTPClient: &http.Client{Transport: upload.NewTransport()}}},
		{"Retry.Attempts", upload.Config{Retry: upload.Retry{Attempts: -1}}},
		{"Retry.MaxWait", upload.Config{Retry: upload.Retry{MaxWait: -1}}},
		{"UserAgent", upload.Config{UserAgent: "a\r\nX-Injected: 1"}},
		{"Header", upload.Config{Header: http.Header{"bad name": {"x"}}}},
		{"BaseURL", upload.Config{BaseURL: "host/v1"}},
		{"Transport.TLSHandshakeTimeout", changed(func(tr *http.Transport) { tr.TLSHandshakeTimeout = -time.Second })},
		{"Transport.ResponseHeaderTimeout", changed(func(tr *http.Transport) {
			tr.ResponseHeaderTimeout = -time.Second
		})},
		{"TLSClientConfig.RootCAs", nobody},
		{"TLSClientConfig.RootCAs", wrapped},
		{"TLSClientConfig.Certificates[0]", certified(tls.Certificate{})},
		{"TLSClientConfig.Certificates[0]", certified(tls.Certificate{Certificate: [][]byte{{1}}})},
		{"TLSClientConfig.Certificates[0]", certified(tls.Certificate{PrivateKey: "a key"})},
		{"MinVersion", secured(&tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12})},
		{"Transport.Proxy", proxied("http://user:hunter2@ho st")},
		{"Transport.Proxy", proxied("http://user:hunter2@host:99999")},
		{"Transport.Proxy", proxied("ftp://user:hunter2@host:21")},
		{"Transport.Proxy", proxied("http://user:hunter2@:3128")},
		{"Transport.ProxyConnectHeader",
			changed(func(tr *http.Transport) { tr.ProxyConnectHeader = http.Header{"X-A": {"hunter2\n"}} })},
	} {
		_, err := wire.NewDoer(wire.API{Provider: "example", BaseURL: "https://default.example/v1"}, tt.cfg)
		if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), tt.field) ||
			strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%v, want ErrInvalid that names %s in one line, without the password", err, tt.field)
		}
	}
	for _, cfg := range []upload.Config{
		certified(tls.Certificate{Certificate: [][]byte{{1}}, PrivateKey: "a key"}),
		secured(&tls.Config{MinVersion: tls.VersionTLS12}),
		secured(&tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS13}),
	} {
		newDoer(t, wire.API{}, cfg)
	}
}

func TestHeadersOfTheConfigGoOutAsTheyWereGiven(t *testing.T) {
	lang := []string{"ko-KR"}
	header := http.Header{"x-lang": lang} // not in the form that net/http would give it
	s, d := serve(t, wire.API{}, upload.Config{Header: header, UserAgent: "invoices/2"}, status(200))
	lang[0] = "zh-CN" // too late
	_, _, err := get(t, d)
	if got := s.headers[0]; err != nil || got.Get("X-Lang") != "ko-KR" || got.Get("User-Agent") != "invoices/2" {
		t.Errorf("%v, %v", got, err)
	}
}
