package faults

import (
	"context"
	"io"
	"iter"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	mailer "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest"
)

// place is one request of an upload. Its text is the Op of an error, and the
// kit's name of the operation.
type place string

const (
	token      place = uploadtest.Token
	fileUpload place = "fileUpload"
	presigned  place = uploadtest.Presigned
	createFile place = "createFile"
)

var (
	apiCalls = []place{fileUpload, createFile}            // the calls of the two APIs
	carriers = []place{presigned, createFile}             // the requests that carry the file
	requests = []place{fileUpload, presigned, createFile} // all but the token call, whose repeats cannot be hurried
)

// provider returns the provider to which the place belongs.
func (p place) provider() string {
	if p == createFile {
		return "ncloudmailer"
	}
	return "twentyfourseven"
}

// traceHeader returns the name of the API's trace header.
func (p place) traceHeader() string {
	if p == createFile {
		return "X-Ncp-Trace-Id"
	}
	return "X-Trace-Id"
}

// planted stands in every secret that the lab makes up, and nowhere else.
const planted = "planted"

const (
	clientID     = "the-client"
	clientSecret = planted + "-client-secret/+=Zx81"
	accessKey    = planted + "-access-key-Q7"
	secretKey    = planted + "-secret-key-J3"
)

// storeHost is the host of the presigned URLs. It leads to the stand-in too.
// Certificates of httptest are valid for it.
const storeHost = "example.com"

// standin has the methods of a provider's stand-in that the lab needs.
type standin interface {
	http.Handler
	Open(ctx context.Context, id string) (io.ReadCloser, store.Info, error)
	Files(ctx context.Context) iter.Seq2[office.File, error]
}

// lab holds the servers and the client of one row. The provider's stand-in is
// behind the kit's server. That server injects the row's fault, and holds every
// exchange to the spec.
type lab struct {
	t  *testing.T
	at place // the request with the fault

	// A row may change these before the client is made.
	fault  fault
	h2     bool // HTTP/2, by a proxy in front of the server
	cfg    upload.Config
	client *http.Client
	tokens oauth2.TokenSource
	src    upload.Source
	sent   *counted // watches src's readers

	// A row may change these when the server has started.
	baseURL string // scheme and host of the API
	origin  string // scheme and host of the presigned URLs

	srv     *uploadtest.Server
	front   string // host and port to which clients connect
	standin standin
	inject  *uploadtest.Injection
	cancel  context.CancelCauseFunc   // ends the context
	stopped atomic.Pointer[time.Time] // when the row ended the context
	awaited atomic.Bool               // the row ends the context once its answer has come
	release chan struct{}             // closed at the end of the row, to release what hangs
	log     standintest.Log

	mu      sync.Mutex
	traced  string // the trace id of the last answer of a fault
	hijacks []net.Conn
	closers []func()
}

func newLab(t *testing.T, at place) *lab {
	l := &lab{t: t, at: at, release: make(chan struct{})}
	l.cfg.Retry.MaxWait = 2 * time.Millisecond
	l.cfg.Logger = slog.New(slog.NewJSONHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.client = &http.Client{Transport: &http.Transport{
		DialContext:           l.dial,
		ExpectContinueTimeout: 5 * time.Second, // longer than any row, so that only the server ends the wait
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true,
	}}
	l.cfg.HTTPClient = l.client
	l.send(small)
	return l
}

func (l *lab) transport() *http.Transport { return l.client.Transport.(*http.Transport) }

// dial connects to the server, also for storeHost.
func (l *lab) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if strings.HasPrefix(addr, storeHost+":") {
		addr = l.front
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &clientConn{TCPConn: conn.(*net.TCPConn), lab: l}, nil
}

// clientConn ends the context of a row that awaits its answer: when the client
// has read the answer's first bytes, and reads on.
type clientConn struct {
	*net.TCPConn
	lab      *lab
	answered bool // only the goroutine that reads uses it
}

func (c *clientConn) Read(p []byte) (int, error) {
	if c.answered {
		c.lab.stopNow()
	}
	n, err := c.TCPConn.Read(p)
	c.answered = n > 0 && c.lab.awaited.Load()
	return n, err
}

// start starts the stand-in.
func (l *lab) start() {
	var err error
	if l.at == createFile {
		l.standin, err = mailer.New(mailer.Config{AccessKey: accessKey, SecretKey: secretKey})
	} else {
		l.standin, err = office.New(office.Config{ClientID: clientID, ClientSecret: clientSecret,
			Origin: func(*http.Request) string { return l.origin }})
	}
	if err != nil {
		l.t.Fatal(err)
	}
	l.srv = uploadtest.Serve(l.t, l.standin, standintest.Spec(l.t, l.at.provider()))
	l.baseURL, l.origin = l.srv.URL, "http://"+storeHost
	if l.h2 {
		l.speakHTTP2()
	}
	_, l.front, _ = strings.Cut(l.baseURL, "://")
	if l.fault == nil {
		return
	}
	var n atomic.Int64
	l.inject = l.srv.Inject(string(l.at), -1, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			l.fault(&hit{w: w, r: r, n: int(n.Add(1)), lab: l, next: next})
		})
	})
}

// speakHTTP2 puts a server with TLS and HTTP/2 in front of the stand-in's.
func (l *lab) speakHTTP2() {
	behind, err := url.Parse(l.srv.URL)
	if err != nil {
		l.t.Fatal(err)
	}
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	proxy := &httputil.ReverseProxy{Transport: transport,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(behind); r.Out.Host = r.In.Host },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			l.t.Errorf("the request came in %s", r.Proto)
		}
		proxy.ServeHTTP(w, r)
	}))
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.EnableHTTP2 = true
	front.StartTLS()
	l.closers = append(l.closers, front.CloseClientConnections, front.Close, transport.CloseIdleConnections)
	l.transport().ForceAttemptHTTP2 = true
	l.transport().TLSClientConfig = front.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	l.baseURL, l.origin = front.URL, "https://"+storeHost
}

// end releases the handlers that hang and closes what the lab itself opened.
func (l *lab) end() {
	close(l.release)
	l.mu.Lock()
	for _, c := range l.hijacks {
		c.Close()
	}
	l.mu.Unlock()
	l.client.CloseIdleConnections()
	for _, c := range l.closers {
		c()
	}
	l.client.CloseIdleConnections()
}

// aim sends the requests of the row's place to another address.
func (l *lab) aim(address string) {
	if l.at == presigned {
		l.origin = address
	} else {
		l.baseURL = address
	}
}

// target returns the host to which the requests of the row's place go.
func (l *lab) target() string {
	if l.at == presigned {
		return storeHost
	}
	return l.front
}

// listen accepts connections on a new port and calls serve for each, until the
// row is over. It returns the host:port.
func (l *lab) listen(serve func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	l.closers = append(l.closers, func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

func (l *lab) uploader() upload.Uploader {
	l.cfg.BaseURL = l.baseURL + strings.TrimPrefix(l.srv.BaseURL, l.srv.URL)
	var u upload.Uploader
	var err error
	if l.at == createFile {
		u, err = ncloudmailer.New(ncloudmailer.Credentials{AccessKey: accessKey, SecretKey: secretKey}, l.cfg)
	} else {
		if l.tokens == nil {
			l.tokens = l.credentials().TokenSource(context.WithValue(context.Background(), oauth2.HTTPClient, l.client))
		}
		u, err = twentyfourseven.New(l.tokens, l.cfg)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return u
}

func (l *lab) credentials() twentyfourseven.ClientCredentials {
	return twentyfourseven.ClientCredentials{ClientID: clientID, ClientSecret: clientSecret, Organization: "42",
		TokenURL: l.srv.URL + "/oauth/token"}
}

// received returns the requests of a place.
func (l *lab) received(at place) (list []uploadtest.Request) {
	for _, r := range l.srv.Requests() {
		if r.Op == string(at) {
			list = append(list, r)
		}
	}
	return list
}

// trace returns the trace id of the API's last answer.
func (l *lab) trace() string {
	if l.at == presigned {
		trace := ""
		for _, start := range l.received(fileUpload) {
			trace = start.AnswerHeader.Get(l.at.traceHeader())
		}
		return trace
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.traced
}

// context returns a context that the row can end with l.cancel. It ends after
// a minute in any case.
func (l *lab) context() (context.Context, func()) {
	ctx, stop := context.WithTimeout(l.t.Context(), time.Minute)
	ctx, l.cancel = context.WithCancelCause(ctx)
	return ctx, func() { l.cancel(nil); stop() }
}
