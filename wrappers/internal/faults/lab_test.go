package faults

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

// place is one request of an upload. Its text is the Op of an error.
type place string

const (
	token      place = "token"
	fileUpload place = "fileUpload"
	presigned  place = "presigned"
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

// api reports whether the place is a call of the provider's API.
func (p place) api() bool { return p != token && p != presigned }

// planted stands in every secret that the lab makes up, and nowhere else.
const planted = "planted"

const (
	clientSecret = planted + "-client-secret/+=Zx81"
	accessKey    = planted + "-access-key-Q7"
	secretKey    = planted + "-secret-key-J3"
)

// lab holds what one row needs: the servers of one provider and a client. The
// servers are correct, and the row puts its fault in front.
type lab struct {
	t  *testing.T
	at place // the request with the fault

	// A row may change these before the client is made.
	faults map[place]fault
	secure bool // https everywhere
	h2     bool // and HTTP/2
	cfg    upload.Config
	client *http.Client
	tokens oauth2.TokenSource
	src    upload.Source
	counts []*counted // every source that was counted

	// A row may change these when the servers have started.
	baseURL   string
	tokenURL  string
	uploadURL func(id string) string // makes the presigned URL of an id

	api, storage *httptest.Server
	cancel       context.CancelCauseFunc // ends the context
	stopped      moment                  // when the row ended the context
	release      chan struct{}           // closed at the end of the row, to release what hangs
	log          standintest.Log
	flooded      atomic.Int64 // bytes that a flood has sent

	mu      sync.Mutex
	seen    map[place][]*http.Request
	stored  map[string]object
	secrets []string        // secrets of the row without the planted word
	valid   map[string]bool // access tokens
	trace   string          // of the API's last answer
	hijacks []net.Conn
	closers []func()
}

// object is a stored file.
type object struct {
	size int64
	hash uint64
}

func newLab(t *testing.T, at place) *lab {
	l := &lab{
		t: t, at: at,
		faults:  map[place]fault{},
		seen:    map[place][]*http.Request{},
		stored:  map[string]object{},
		valid:   map[string]bool{},
		release: make(chan struct{}),
	}
	l.cfg.Retry.MaxWait = 2 * time.Millisecond
	l.cfg.Logger = slog.New(slog.NewJSONHandler(&l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l.client = &http.Client{Transport: &http.Transport{
		ExpectContinueTimeout: 5 * time.Second, // longer than any row, so that only the server ends the wait
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true,
	}}
	l.cfg.HTTPClient = l.client
	l.uploadURL = l.presign
	l.src = l.count(small)
	return l
}

func (l *lab) transport() *http.Transport { return l.client.Transport.(*http.Transport) }

// start opens the servers: the API's (and the token's), and the object store's.
func (l *lab) start() {
	mux := http.NewServeMux()
	mux.HandleFunc("/oauth/token", l.serve(token))
	mux.HandleFunc("/v1/fileUpload", l.serve(fileUpload))
	mux.HandleFunc("/api/v1/files", l.serve(createFile))
	store := http.NewServeMux()
	store.HandleFunc("/", l.serve(presigned))
	l.api, l.storage = l.server(mux), l.server(store)
	l.baseURL, l.tokenURL = l.api.URL+"/v1", l.api.URL+"/oauth/token"
	if l.at.provider() == "ncloudmailer" {
		l.baseURL = l.api.URL + "/api/v1"
	}
}

// correct returns the handler that answers the requests of a place correctly.
func (l *lab) correct(at place) http.HandlerFunc {
	return map[place]http.HandlerFunc{token: l.issueToken, fileUpload: l.initiate, presigned: l.takeObject,
		createFile: l.takeForm}[at]
}

// server starts one more server, with or without TLS as the lab says.
func (l *lab) server(h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = quiet
	l.closers = append(l.closers, func() { s.CloseClientConnections(); s.Close() })
	if !l.secure {
		s.Start()
		return s
	}
	s.EnableHTTP2 = l.h2
	l.transport().ForceAttemptHTTP2 = l.h2
	s.StartTLS()
	trust := s.Client().Transport.(*http.Transport).TLSClientConfig
	if own := l.transport().TLSClientConfig; own != nil {
		own.RootCAs.AddCert(s.Certificate())
	} else {
		l.transport().TLSClientConfig = trust.Clone()
	}
	return s
}

// end releases the handlers that hang and closes the servers.
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
		l.uploadURL = func(id string) string { return address + "/bucket/" + id + "?" + s3Query(time.Now(), time.Minute) }
		return
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(l.baseURL, l.api.URL), "/")
	l.baseURL = address + "/" + path
}

// target returns the host and port to which the requests of the row's place go.
func (l *lab) target() string {
	if l.at == presigned {
		return l.storage.Listener.Addr().String()
	}
	return l.api.Listener.Addr().String()
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

// deadAddress returns a host:port that refuses connections.
func (l *lab) deadAddress() string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (l *lab) uploader() upload.Uploader {
	l.cfg.BaseURL = l.baseURL
	var u upload.Uploader
	var err error
	if l.at.provider() == "ncloudmailer" {
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
	return twentyfourseven.ClientCredentials{
		ClientID: "the-client", ClientSecret: clientSecret, Organization: "42",
		TokenURL: l.tokenURL,
	}
}

// serve counts the requests of a place. It gives each to the row's fault, or to
// the correct handler.
func (l *lab) serve(at place) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.seen[at] = append(l.seen[at], r)
		n := len(l.seen[at])
		l.remember(r)
		if at.api() {
			l.trace = fmt.Sprintf("trace-%s-%d", at, n)
			w.Header().Set(at.traceHeader(), l.trace)
		} else {
			w.Header().Set("X-Trace-Id", "not-the-api's") // must not become an error's TraceID
		}
		f := l.faults[at]
		l.mu.Unlock()
		if f == nil {
			l.correct(at)(w, r)
			return
		}
		f(&hit{w: w, r: r, n: n, at: at, lab: l, correct: func() { l.correct(at)(w, r) }})
	}
}

// remember keeps the secrets of a request, which must not be printed.
func (l *lab) remember(r *http.Request) {
	if s := r.Header.Get("X-Ncp-Apigw-Signature-V2"); s != "" {
		l.secrets = append(l.secrets, s)
	}
}

func (l *lab) received(at place) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen[at])
}

func (l *lab) issueToken(w http.ResponseWriter, r *http.Request) {
	if got, want := r.PostFormValue("client_secret"), clientSecret; got != want ||
		r.PostFormValue("login_organization") != "42" {
		l.t.Errorf("the token call has the form %v", r.PostForm)
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, l.newToken())
}

func (l *lab) newToken() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := planted + "-token-" + rand.Text()
	l.valid[t] = true
	return t
}

func (l *lab) initiate(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	l.mu.Lock()
	valid := l.valid[token] && strings.EqualFold(scheme, "Bearer")
	l.mu.Unlock()
	if !valid {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var body struct{ ContentType string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.ContentType == "" {
		l.t.Errorf("fileUpload was told no content type: %v", err)
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, l.ticket(rand.Text()))
}

// presign returns a presigned URL as S3 writes it.
func (l *lab) presign(id string) string {
	return l.storage.URL + "/bucket/" + id + "?" + s3Query(time.Now(), 900*time.Second)
}

func s3Query(from time.Time, life time.Duration) string {
	return url.Values{
		"X-Amz-Algorithm":     {"AWS4-HMAC-SHA256"},
		"X-Amz-Credential":    {planted + "-credential/eu-west-1/s3/aws4_request"},
		"X-Amz-Date":          {from.UTC().Format("20060102T150405Z")},
		"X-Amz-Expires":       {fmt.Sprint(int(life.Seconds()))},
		"X-Amz-SignedHeaders": {"content-type;host"},
		"X-Amz-Signature":     {planted + "-signature-" + rand.Text()},
	}.Encode()
}

// takeObject answers the presigned step. It checks the request like an object
// store.
func (l *lab) takeObject(w http.ResponseWriter, r *http.Request) {
	for name := range r.Header {
		switch name {
		case "Content-Type", "Content-Length", "User-Agent", "Accept-Encoding", "Expect":
		case "X-Ms-Blob-Type":
			if !r.URL.Query().Has("sig") {
				l.t.Errorf("%s was sent to a store that is not Azure's", name)
			}
		default:
			l.t.Errorf("the presigned request has the header %s", name)
		}
	}
	l.checkLength(r)
	o, err := digestOf(r.Body)
	if err != nil || o.size != r.ContentLength {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.keep(strings.TrimPrefix(r.URL.Path, "/bucket/"), o)
}

func (l *lab) checkLength(r *http.Request) {
	if r.TransferEncoding != nil || r.ContentLength < 0 || r.Header.Get("Content-Length") == "" {
		l.t.Errorf("%s goes out without Content-Length (Transfer-Encoding %v)", r.URL.Path, r.TransferEncoding)
	}
}

func (l *lab) keep(id string, o object) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored[id] = o
}

func (l *lab) checkSignature(r *http.Request) {
	mac := hmac.New(sha256.New, []byte(secretKey))
	fmt.Fprintf(mac, "%s %s\n%s\n%s", r.Method, r.RequestURI, r.Header.Get("X-Ncp-Apigw-Timestamp"),
		r.Header.Get("X-Ncp-Iam-Access-Key"))
	if r.Header.Get("X-Ncp-Apigw-Signature-V2") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		l.t.Errorf("%s %s is not signed", r.Method, r.URL.Path)
	}
}

// takeForm answers createFile. It stores the files when it has read the whole
// form.
func (l *lab) takeForm(w http.ResponseWriter, r *http.Request) {
	l.checkSignature(r)
	l.checkLength(r)
	refuse := func() {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":{"errorCode":"77102","message":"BAD_REQUEST"}}`)
	}
	form, err := r.MultipartReader()
	if err != nil {
		refuse()
		return
	}
	type file struct {
		FileName string `json:"fileName"`
		FileSize int64  `json:"fileSize"`
		FileID   string `json:"fileId"`
	}
	answer := struct {
		TempRequestID string `json:"tempRequestId"`
		Files         []file `json:"files"`
	}{TempRequestID: rand.Text()}
	batch := map[string]object{}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		var o object
		if err == nil {
			o, err = digestOf(part)
		}
		if err != nil {
			refuse()
			return
		}
		id := rand.Text()
		batch[id] = o
		answer.Files = append(answer.Files, file{part.FileName(), o.size, id})
	}
	for id, o := range batch {
		l.keep(id, o)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	json.NewEncoder(w).Encode(answer)
}

// context returns a context that the row can end with l.cancel. It ends after
// 20 s in any case.
func (l *lab) context() (context.Context, func()) {
	ctx, stop := context.WithTimeout(l.t.Context(), 20*time.Second)
	ctx, l.cancel = context.WithCancelCause(ctx)
	return ctx, func() { l.cancel(nil); stop() }
}

// traceHeader returns the name of the API's trace header.
func (p place) traceHeader() string {
	return map[string]string{"ncloudmailer": "X-Ncp-Trace-Id", "twentyfourseven": "X-Trace-Id"}[p.provider()]
}

// quiet discards the servers' logs of broken connections.
var quiet = log.New(io.Discard, "", 0)

// ticket returns the body of the answer to fileUpload.
func (l *lab) ticket(id string) string {
	return fmt.Sprintf(`{"uploadMethod":"PUT","uploadUrl":%q,"fileId":%q}`, l.uploadURL(id), id)
}
