package upload

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// NewTransport returns a fresh transport with the settings that uploads need.
// Clients use one like it unless [Config].HTTPClient has its own. To change one
// setting, change it on the returned transport:
//
//	tr := upload.NewTransport()
//	tr.TLSClientConfig = &tls.Config{RootCAs: pool}
//	cfg := upload.Config{HTTPClient: &http.Client{Transport: tr}}
//
// It speaks HTTP/1.1, since a large body costs a third less CPU than over
// HTTP/2. It keeps as many idle connections as uploads were in flight. The
// write buffer takes the header and a small body in one write. Compression is
// off, since the answers are a few bytes. [Config].AnswerTimeout limits the
// wait for an answer; a ResponseHeaderTimeout that is set here takes its place.
//
// Each transport has connections of its own: make one and share it.
func NewTransport() *http.Transport {
	var h1 http.Protocols
	h1.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &conn{Conn: c}, nil
		},
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   math.MaxInt, // never more than were in flight at once
		WriteBufferSize:       writeBuffer,
		DisableCompression:    true,
		Protocols:             &h1,

		OnProxyConnectResponse: checkProxyAnswer,
	}
}

// checkProxyAnswer refuses an answer of a proxy that is no success. Net/http
// would repeat the words of the proxy's status line, and these may hold our
// credentials.
func checkProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return proxyError(resp.StatusCode)
}

// proxyError is the status with which a proxy refused to connect.
type proxyError int

func (e proxyError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the proxy does not connect: status %d %s", int(e), http.StatusText(int(e))))
}

// Lasting reports whether the proxy will refuse again.
func (e proxyError) Lasting() bool { return e/100 == 4 }
