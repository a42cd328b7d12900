package s3_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/ncloudmailer"
	naver "github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store/s3"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// The stand-ins on a bucket: the promises for replicas, and uploads by presigned
// URL to a real S3 server.

var keys = ncloudmailer.Credentials{AccessKey: "test-access-key", SecretKey: "test-secret-key"}

// replica is both stand-ins with a store and a socket of their own, as in a
// process of their own.
type replica struct {
	url      string
	office   *office.Handler
	naver    *naver.Handler
	received *atomic.Int64 // bytes on all connections
}

// replicas returns two replicas below one prefix of the bucket.
func replicas(t *testing.T, g *gateway, urlLife time.Duration) (a, b *replica) {
	t.Helper()
	address := g.url(fmt.Sprintf("replicas/%d", prefixes.Add(1)))
	start := func() *replica {
		st, err := s3.Open(address, cred)
		if err != nil {
			t.Fatal(err)
		}
		r := &replica{received: new(atomic.Int64)}
		if r.office, err = office.New(office.Config{Store: st, ClientID: "test-client-id",
			ClientSecret: "test-client-secret", URLLife: urlLife}); err != nil {
			t.Fatal(err)
		}
		if r.naver, err = naver.New(naver.Config{Store: st, AccessKey: keys.AccessKey,
			SecretKey: keys.SecretKey}); err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle("/api/", r.naver)
		mux.Handle("/", r.office)
		srv := httptest.NewUnstartedServer(mux)
		srv.Listener = countingListener{srv.Listener, r.received}
		srv.Start()
		t.Cleanup(srv.Close)
		r.url = srv.URL
		return r
	}
	return start(), start()
}

type countingListener struct {
	net.Listener
	received *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{conn, l.received}, nil
}

type countingConn struct {
	net.Conn
	received *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.received.Add(int64(n))
	return n, err
}

func (r *replica) tokens(t *testing.T) oauth2.TokenSource {
	return twentyfourseven.ClientCredentials{
		ClientID: "test-client-id", ClientSecret: "test-client-secret", Organization: "1", TokenURL: r.url + "/oauth/token",
	}.TokenSource(t.Context())
}

// officeClient returns a client of r with tokens from issuer.
func (r *replica) officeClient(t *testing.T, issuer *replica) *twentyfourseven.Client {
	t.Helper()
	client, err := twentyfourseven.New(issuer.tokens(t), upload.Config{BaseURL: r.url + "/v1"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (r *replica) naverClient(t *testing.T) *ncloudmailer.Client {
	t.Helper()
	client, err := ncloudmailer.New(keys, upload.Config{BaseURL: r.url + "/api/v1"})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func noise(t *testing.T, size int) []byte {
	t.Helper()
	b := make([]byte, size)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// wantStored compares a stored file with the one that was sent.
func wantStored(t *testing.T, content io.ReadCloser, contentType, wantType string, want []byte) {
	t.Helper()
	defer content.Close()
	got, err := io.ReadAll(content)
	if err != nil || !bytes.Equal(got, want) || contentType != wantType {
		t.Errorf("stored are %d bytes of %s (%v), want the %d of %s that were sent", len(got), contentType, err, len(want),
			wantType)
	}
}

// initiate asks r for a presigned URL and does not use it.
func (r *replica) initiate(t *testing.T, issuer *replica, contentType string) (uploadURL, fileID string) {
	t.Helper()
	token, err := issuer.tokens(t).Token()
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/v1/fileUpload",
		strings.NewReader(fmt.Sprintf(`{"contentType":%q}`, contentType)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	token.SetAuthHeader(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var ticket struct{ UploadURL, FileID string }
	if err := json.NewDecoder(resp.Body).Decode(&ticket); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return ticket.UploadURL, ticket.FileID
}

func TestOneReplicaKnowsWhatAnotherInitiated(t *testing.T) {
	g := startGateway(t)
	a, b := replicas(t, g, 0)
	onB := b.officeClient(t, a) // with tokens from a
	uploadURL, fileID := a.initiate(t, b, "application/pdf")
	if st, err := onB.Status(t.Context(), fileID); err != nil || st.Status != "Pending" || st.DocumentID != 0 {
		t.Errorf("before the file arrived: %+v, %v", st, err)
	}
	if status := send(t, uploadURL, "application/pdf", strings.NewReader("%PDF-1.7")); status != http.StatusOK {
		t.Fatalf("the store answered %d", status)
	}
	onA := a.officeClient(t, b)
	stA, errA := onA.Status(t.Context(), fileID)
	stB, errB := onB.Status(t.Context(), fileID)
	if errA != nil || errB != nil || stA.Status != "Completed" || stA.DocumentID == 0 || stA.DocumentID != stB.DocumentID {
		t.Errorf("one says %+v, %v, the other %+v, %v", stA, errA, stB, errB)
	}
}

func TestTheBytesOfAPresignedPutNeverPassThroughTheStandIn(t *testing.T) {
	g := startGateway(t)
	a, b := replicas(t, g, 0)
	content := noise(t, 6<<20)
	res, err := a.officeClient(t, b).Upload(t.Context(), upload.Bytes("scan.pdf", content))
	if err != nil {
		t.Fatal(err)
	}
	if n := a.received.Load() + b.received.Load(); n == 0 || n > 8<<10 {
		t.Errorf("the replicas received %d bytes, want those of two small requests", n)
	}
	body, info, err := b.office.Open(t.Context(), res.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantStored(t, body, info.ContentType, "application/pdf", content)

	uploadURL, _ := a.initiate(t, a, "application/pdf")
	if u, err := url.Parse(uploadURL); err != nil || u.Host != g.addr {
		t.Errorf("the presigned URL leads to %s, want the store's own %s", u.Host, g.addr)
	}
}

func TestOneReplicaDeletesWhatAnotherTook(t *testing.T) {
	g := startGateway(t)
	a, b := replicas(t, g, 0)
	onA, onB := a.naverClient(t), b.naverClient(t)
	large, small := noise(t, 5<<20+1), []byte("견적")
	sent, err := onA.CreateFile(t.Context(), upload.Bytes("scan.pdf", large), upload.Bytes(`견적서 "9월".txt`, small))
	if err != nil {
		t.Fatal(err)
	}
	found, err := onB.GetFile(t.Context(), sent.TempRequestID)
	if err != nil || len(found.Files) != 2 {
		t.Fatalf("the other found %+v, %v", found, err)
	}
	for i, want := range []struct {
		name, contentType string
		content           []byte
	}{{"scan.pdf", "application/pdf", large}, {`견적서 "9월".txt`, "text/plain", small}} {
		f := found.Files[i]
		if f.ID != sent.Files[i].ID || f.Name != want.name || f.Size != int64(len(want.content)) {
			t.Errorf("the other found %+v, want %+v", f, sent.Files[i])
		}
		body, info, err := b.naver.Open(t.Context(), f.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantStored(t, body, info.ContentType, want.contentType, want.content)
	}
	if _, err := onB.DeleteFile(t.Context(), sent.TempRequestID); err != nil {
		t.Fatal(err)
	}
	if _, err := onA.GetFile(t.Context(), sent.TempRequestID); !errors.Is(err, upload.ErrNotFound) {
		t.Errorf("after the other deleted it: error %v, want ErrNotFound", err)
	}
	g.wantNothing()
}

// dialAndSend writes the header of a request and the beginning of its body, and
// leaves the connection open.
func dialAndSend(t *testing.T, req *http.Request, length int, begin []byte) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	var head bytes.Buffer
	fmt.Fprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", req.Method, req.URL.RequestURI(),
		req.URL.Host, length)
	_ = req.Header.Write(&head)
	head.WriteString("\r\n")
	if _, err := conn.Write(append(head.Bytes(), begin...)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestAFormThatIsCutOffInMidPartLeavesNothing(t *testing.T) {
	g := startGateway(t)
	a, _ := replicas(t, g, 0)
	req, err := http.NewRequest(http.MethodPost, a.url+"/api/v1/files", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "multipart/form-data; boundary=cut")
	keys.Sign(req, time.Now())
	form := "--cut\r\nContent-Disposition: form-data; name=\"fileList\"; filename=\"small.txt\"\r\n\r\nwhole\r\n" +
		"--cut\r\nContent-Disposition: form-data; name=\"fileList\"; filename=\"large.bin\"\r\n\r\n"
	conn := dialAndSend(t, req, 20<<20, append([]byte(form), make([]byte, 13<<20)...))
	defer conn.Close()
	until(t, "the second file is on its way to the bucket", func() bool { return len(g.uploads()) == 1 })
	conn.Close()
	until(t, "the bucket is rid of it", func() bool { return len(g.uploads()) == 0 && len(g.objects("")) == 0 })
}

// The connection is reset, as by a crash. A connection that is closed normally
// would not do: versitygw v1.8.0 takes its end for the end of the body (fixed
// by its pull request 2415).
func TestAPresignedPutThatIsCutOffLeavesNothing(t *testing.T) {
	g := startGateway(t)
	a, b := replicas(t, g, 0)
	uploadURL, fileID := a.initiate(t, a, "application/pdf")
	onB := b.officeClient(t, a)
	pending := func(when string) {
		t.Helper()
		if st, err := onB.Status(t.Context(), fileID); err != nil || st.Status != "Pending" {
			t.Errorf("%s: %+v, %v", when, st, err)
		}
		g.wantNothing()
	}
	req, err := http.NewRequest(http.MethodPut, uploadURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/pdf")
	conn := dialAndSend(t, req, 12<<20, make([]byte, 7<<20))
	pending("with half of the file there")
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	pending("after the connection was cut")

	content := noise(t, 12<<20)
	if status := send(t, uploadURL, "application/pdf", bytes.NewReader(content)); status != http.StatusOK {
		t.Fatalf("the store answered %d to the second attempt", status)
	}
	body, info, err := b.office.Open(t.Context(), fileID)
	if err != nil {
		t.Fatal(err)
	}
	wantStored(t, body, info.ContentType, "application/pdf", content)
}

// once is a source that calls opened at its first Open, and half at the first
// read of its second half.
type once struct {
	opened, half func()
	opens        int
}

func (o *once) source(name string, content []byte) upload.Source {
	src := upload.Bytes(name, content)
	src.Open = func() (io.ReadCloser, error) {
		half := len(content) / 2
		between := func() {}
		if o.opens++; o.opens == 1 {
			if o.opened != nil {
				o.opened()
			}
			if o.half != nil {
				between = o.half
			}
		}
		rest := bytes.NewReader(content[half:])
		return io.NopCloser(io.MultiReader(bytes.NewReader(content[:half]),
			readerFunc(func([]byte) (int, error) { between(); return 0, io.EOF }), rest)), nil
	}
	return src
}

func TestAnUploadOutlastsARestartOfTheStore(t *testing.T) {
	g := startGateway(t)
	a, b := replicas(t, g, 0)
	content := noise(t, 8<<20)
	restart := func() { g.kill(); g.start() }

	o := &once{half: restart}
	res, err := a.officeClient(t, a).Upload(t.Context(), o.source("scan.pdf", content))
	if err != nil || o.opens != 2 {
		t.Fatalf("presigned: %v after the source was opened %d times, want nil after 2", err, o.opens)
	}
	body, info, err := b.office.Open(t.Context(), res.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantStored(t, body, info.ContentType, "application/pdf", content)

	o = &once{half: restart} // here the bytes go to the stand-in, which does not restart
	res, err = a.naverClient(t).Upload(t.Context(), o.source("scan.pdf", content))
	if err != nil || o.opens != 1 {
		t.Fatalf("form: %v after the source was opened %d times, want nil after 1", err, o.opens)
	}
	body, info, err = b.naver.Open(t.Context(), res.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantStored(t, body, info.ContentType, "application/pdf", content)
	g.wantNoUploads()
}

func TestAURLThatExpiredCostsANewStart(t *testing.T) {
	t.Parallel()
	g := startGateway(t)
	a, _ := replicas(t, g, time.Second)
	// The URL is handed out before the source is opened. S3 counts from the
	// start of the second.
	o := &once{opened: func() { time.Sleep(2100 * time.Millisecond) }}
	res, err := a.officeClient(t, a).Upload(t.Context(), o.source("scan.pdf", []byte("%PDF-1.7")))
	if err != nil || o.opens != 2 || len(g.objects("")) != 1 {
		t.Fatalf("%+v, %v after the source was opened %d times, want nil after 2", res, err, o.opens)
	}
}
