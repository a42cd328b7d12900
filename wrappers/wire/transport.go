package wire

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/putpost/putpost/wrappers/upload"
)

// shared holds the transports of all Doers that have none of their own, by
// their settings. So the clients of many organizations share one set of
// connections.
var shared sync.Map // of *http.Transport, by sharedSettings

type sharedSettings struct {
	connections   int           // to one host; 0 is no bound
	answerTimeout time.Duration // 0 is none
}

func sharedTransport(s sharedSettings) *http.Transport {
	if tr, found := shared.Load(s); found {
		return tr.(*http.Transport)
	}
	tr := upload.NewTransport()
	tr.MaxConnsPerHost = s.connections
	tr.ResponseHeaderTimeout = s.answerTimeout // costs less than a limit of ours
	first, _ := shared.LoadOrStore(s, tr)
	return first.(*http.Transport)
}

// checkClient refuses settings with which no request could be sent.
func checkClient(cfg upload.Config) error {
	if cfg.Connections < 0 {
		return fmt.Errorf("field Connections is %d; 0 means no bound", cfg.Connections)
	}
	c := cfg.HTTPClient
	switch {
	case c == nil:
		return nil
	case c.Timeout < 0:
		return fmt.Errorf("HTTPClient.Timeout is %s; 0 means none", c.Timeout)
	case c.Transport == nil:
		return nil
	case cfg.Connections > 0:
		return errors.New("field Connections is for the shared transport; set MaxConnsPerHost of HTTPClient.Transport")
	}
	if v := reflect.ValueOf(c.Transport); (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
		return fmt.Errorf("HTTPClient.Transport is a nil %s", v.Type())
	}
	return nil
}

// checkTransport refuses faulty settings of the transport at the bottom of
// HTTPClient. Target is the API's base URL.
func checkTransport(tr *http.Transport, target string) error {
	for name, d := range map[string]time.Duration{
		"TLSHandshakeTimeout": tr.TLSHandshakeTimeout, "ResponseHeaderTimeout": tr.ResponseHeaderTimeout,
		"ExpectContinueTimeout": tr.ExpectContinueTimeout, "IdleConnTimeout": tr.IdleConnTimeout,
	} {
		if d < 0 {
			return fmt.Errorf("HTTPClient.Transport.%s is %s; 0 means none", name, d)
		}
	}
	if c := tr.TLSClientConfig; c != nil {
		if c.RootCAs != nil && c.RootCAs.Equal(x509.NewCertPool()) {
			return errors.New("HTTPClient.Transport.TLSClientConfig.RootCAs holds no certificate; " +
				"see what AppendCertsFromPEM returned")
		}
		for i, cert := range c.Certificates {
			if len(cert.Certificate) == 0 || cert.PrivateKey == nil {
				return fmt.Errorf("HTTPClient.Transport.TLSClientConfig.Certificates[%d] "+
					"lacks its certificate or key", i)
			}
		}
		if c.MaxVersion != 0 && c.MinVersion > c.MaxVersion {
			return errors.New("HTTPClient.Transport.TLSClientConfig has a MinVersion above its MaxVersion")
		}
	}
	for name, values := range tr.ProxyConnectHeader {
		if err := checkField(name, values); err != nil {
			return fmt.Errorf("HTTPClient.Transport.ProxyConnectHeader: %w", err)
		}
	}
	return checkProxy(tr, target)
}

// checkProxy refuses a proxy that cannot be used. Its errors show only the
// scheme of the proxy's address, since a password may stand in it.
func checkProxy(tr *http.Transport, target string) error {
	if tr.Proxy == nil {
		return nil
	}
	req, err := http.NewRequest(http.MethodPost, target, nil)
	if err != nil {
		return err
	}
	proxy, err := tr.Proxy(req)
	switch {
	case err != nil:
		return errors.New("HTTPClient.Transport.Proxy has no usable address; " +
			"it is like http://host:port, also in HTTPS_PROXY and HTTP_PROXY")
	case proxy == nil:
		return nil
	case proxy.Scheme != "http" && proxy.Scheme != "https" && proxy.Scheme != "socks5" && proxy.Scheme != "socks5h":
		return fmt.Errorf("HTTPClient.Transport.Proxy has the scheme %q; http, https, socks5 and socks5h can be used",
			oneLine(proxy.Scheme, 32))
	case proxy.Hostname() == "":
		return errors.New("HTTPClient.Transport.Proxy names no host")
	case strings.ContainsFunc(proxy.Host, unicode.IsSpace):
		return errors.New("HTTPClient.Transport.Proxy has blanks in its host")
	case !usablePort(proxy):
		return errors.New("HTTPClient.Transport.Proxy has a port that is not from 1 to 65535")
	}
	return nil
}
