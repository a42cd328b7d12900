package s3_test

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store/s3"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	office "github.com/putpost/putpost/wrappers/twentyfourseven/standin"
	"github.com/putpost/putpost/wrappers/upload"
)

// send puts body to the URL. A body without a size goes out chunked.
func send(t *testing.T, rawURL, contentType string, body io.Reader) (status int) {
	t.Helper()
	req := standintest.Request(t, http.MethodPut, rawURL, body, "Content-Type", contentType)
	req.Close = true // after a refusal in the middle of a body the connection is of no use
	return standintest.Send(t, http.DefaultClient, req).Status
}

func TestPresigningNeedsNoServer(t *testing.T) {
	st := opened(t, "s3://bucket/in/box?endpoint=http://127.0.0.1:1&region=eu-north-1")
	rawURL, err := st.PresignPut(t.Context(), "a/b", "application/pdf", 1500*time.Millisecond)
	must(t, err)
	u, err := url.Parse(rawURL)
	must(t, err)
	q := u.Query()
	if u.Host != "127.0.0.1:1" || u.Path != "/bucket/in/box/a/b" {
		t.Errorf("the URL is of %s%s", u.Host, u.Path)
	}
	if got := q.Get("X-Amz-SignedHeaders"); got != "content-type;host" {
		t.Errorf("signed are %q, want content-type;host", got)
	}
	if got := q.Get("X-Amz-Expires"); got != "2" {
		t.Errorf("it holds for %s s, want 1.5 rounded up", got)
	}
	if !strings.Contains(q.Get("X-Amz-Credential"), "/eu-north-1/s3/") {
		t.Errorf("it is signed for %q, want eu-north-1", q.Get("X-Amz-Credential"))
	}
	for life, want := range map[time.Duration]string{time.Second: "1", 7 * 24 * time.Hour: "604800"} {
		if got, err := st.PresignPut(t.Context(), "a", "", life); !strings.Contains(got, "X-Amz-Expires="+want+"&") {
			t.Errorf("a life of %v: %s, %v", life, got, err)
		}
	}
	for _, life := range []time.Duration{0, -time.Second, 7*24*time.Hour + 1} {
		if _, err := st.PresignPut(t.Context(), "a", "", life); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("a life of %v: error %v, want fs.ErrInvalid", life, err)
		}
	}
}

func TestBucketAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"s3://bucket/in/box/?endpoint=http://10.0.0.1&region=eu-north-1": "http://10.0.0.1/bucket/in/box/a",
		"s3://bucket/": "https://bucket.s3.us-east-1.amazonaws.com/a",
		"s3://bucket?public=https://files.example.com": "https://files.example.com/bucket/a",
		"s3://bucket/in?region=eu-north-1":             "https://bucket.s3.eu-north-1.amazonaws.com/in/a",
		"s3://bucket":                                  "https://bucket.s3.us-east-1.amazonaws.com/a",
		"s3://abc":                                     "https://abc.s3.us-east-1.amazonaws.com/a",
		"s3://" + strings.Repeat("b", 63): "https://" + strings.Repeat("b", 63) +
			".s3.us-east-1.amazonaws.com/a",
		"s3://bucket.example.com": "https://s3.us-east-1.amazonaws.com" +
			"/bucket.example.com/a",
		"s3://bucket/in?endpoint=http://127.0.0.1:9000":                     "http://127.0.0.1:9000/bucket/in/a",
		"s3://bucket?endpoint=https://gateway.example.com/s3/":              "https://gateway.example.com/s3/bucket/a",
		"s3://bucket?endpoint=http://[::1]:9000":                            "http://[::1]:9000/bucket/a",
		"s3://bucket?endpoint=http://10.0.0.1&public=https://files.test":    "https://files.test/bucket/a",
		"s3://bucket?endpoint=http://10.0.0.1/s3/&public=https://f.test/s3": "https://f.test/s3/bucket/a",
	} {
		st := opened(t, address)
		u, err := st.PresignPut(t.Context(), "a", "", time.Minute)
		if got, _, _ := strings.Cut(u, "?"); err != nil || got != want {
			t.Errorf("%s: a presigned URL leads to %s, %v, want %s", address, got, err, want)
		}
	}
}

// The store signs for the host that the uploader sees, and sends its own
// requests elsewhere.
func TestAPresignedURLForAnotherHost(t *testing.T) {
	g := startGateway(t)
	public := strings.Replace(g.addr, "127.0.0.1", "localhost", 1)
	st := opened(t, g.url("x")+"&public=http://"+public)
	rawURL, err := st.PresignPut(t.Context(), "a", "application/pdf", time.Minute)
	must(t, err)
	if !strings.HasPrefix(rawURL, "http://"+public+"/"+bucket+"/x/a?") {
		t.Errorf("the URL is of %.60s", rawURL)
	}
	if status := send(t, rawURL, "application/pdf", strings.NewReader("x")); status != 200 {
		t.Errorf("status %d, want 200", status)
	}
	if status := send(t, strings.Replace(rawURL, public, g.addr, 1), "application/pdf",
		strings.NewReader("x")); status != 403 {
		t.Errorf("at the store's own address: status %d, want 403", status)
	}
	if info, err := st.Stat(t.Context(), "a"); err != nil || info.Size != 1 {
		t.Errorf("Stat = %+v, %v", info, err)
	}
}

// A client learns by the store's own words that its URL has expired.
func TestAURLThatExpiredCostsANewStart(t *testing.T) {
	g := startGateway(t)
	st, prefix := g.openNew(t)
	s3.SetClock(st, time.Now().Add(-2*time.Minute))
	h, err := office.New(office.Config{Store: st, Token: "static-token", URLLife: time.Minute})
	must(t, err)
	srv := httptest.NewServer(h)
	defer srv.Close()
	client, err := twentyfourseven.New(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "static-token"}),
		upload.Config{BaseURL: srv.URL + "/v1"})
	must(t, err)
	src, opens := upload.Bytes("scan.pdf", []byte("%PDF-1.7")), 0
	src.Open = func() (io.ReadCloser, error) {
		opens++
		s3.SetClock(st, time.Now())
		return io.NopCloser(strings.NewReader("%PDF-1.7")), nil
	}
	res, err := client.Upload(t.Context(), src)
	if err != nil || opens != 2 || len(g.objects(prefix)) != 1 {
		t.Errorf("%+v, %v after the source was opened %d times, want nil after 2", res, err, opens)
	}
}
