// Package standintest helps to test the stand-ins. It has a clock that tests
// move, a log that can be read while it is written, and requests with their
// answers, also some written by hand.
package standintest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/putpost/putpost/specs"
	"github.com/putpost/putpost/wrappers/store"
)

// Clock stands still until a test moves it.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at a time.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Log is a buffer that may be read while it is written.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Reset empties the buffer.
func (l *Log) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

// Unread is a body that must not be read.
type Unread struct{ T testing.TB }

// Read fails the test.
func (u Unread) Read([]byte) (int, error) {
	u.T.Error("the body was read")
	return 0, io.EOF
}

// Must ends the test if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Spec returns a provider's spec.
func Spec(t testing.TB, provider string) []byte {
	t.Helper()
	spec, err := specs.FS.ReadFile(provider + ".yaml")
	Must(t, err)
	return spec
}

// Request returns a request. Header alternates names and values.
func Request(t testing.TB, method, url string, body io.Reader, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	Must(t, err)
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	return req
}

// Send sends a request and reads the answer.
func Send(t testing.TB, client *http.Client, req *http.Request) Answer {
	t.Helper()
	resp, err := client.Do(req)
	return read(t, req.Method+" "+req.URL.RequestURI(), resp, err)
}

// Receive reads an answer from a connection of [Dial].
func Receive(t testing.TB, conn net.Conn) Answer {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	return read(t, "a request by hand", resp, err)
}

func read(t testing.TB, asked string, resp *http.Response, err error) Answer {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: no answer: %v", asked, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	Must(t, err)
	return Answer{t, asked, resp.StatusCode, resp.Header, string(text)}
}

// Answer is the whole answer to a request.
type Answer struct {
	T      testing.TB
	Asked  string
	Status int
	Header http.Header
	Text   string
}

// Is checks the status, and that the text has each of the words.
func (a Answer) Is(status int, words ...string) Answer {
	a.T.Helper()
	if a.Status != status {
		a.T.Errorf("%s: %d %.300s, want %d", a.Asked, a.Status, a.Text, status)
	}
	for _, word := range words {
		if !strings.Contains(a.Text, word) {
			a.T.Errorf("%s: %d %.300s, want %q in it", a.Asked, a.Status, a.Text, word)
		}
	}
	return a
}

// Decode decodes the text, which is JSON, into v.
func (a Answer) Decode(v any) {
	a.T.Helper()
	if err := json.Unmarshal([]byte(a.Text), v); err != nil {
		a.T.Fatalf("%s: %d %.300s: %v", a.Asked, a.Status, a.Text, err)
	}
}

// Keeper gives back the files that it took, as each stand-in does.
type Keeper interface {
	Open(ctx context.Context, id string) (io.ReadCloser, store.Info, error)
}

// Stored returns the file that k has under an id, or "nothing".
func Stored(t testing.TB, k Keeper, id string) (content, contentType string) {
	t.Helper()
	rc, info, err := k.Open(t.Context(), id)
	if errors.Is(err, fs.ErrNotExist) {
		return "nothing", ""
	}
	Must(t, err)
	defer rc.Close()
	b, err := io.ReadAll(rc)
	Must(t, err)
	return string(b), info.ContentType
}

// Opens returns k's Open as the contract kit takes it.
func Opens(k Keeper) func(ctx context.Context, id string) (io.ReadCloser, string, error) {
	return func(ctx context.Context, id string) (io.ReadCloser, string, error) {
		rc, info, err := k.Open(ctx, id)
		return rc, info.ContentType, err
	}
}

// InProcess returns a client whose every request h answers, whatever its
// address. It needs no socket, so the clock of testing/synctest runs on while a
// request waits.
func InProcess(h http.Handler) *http.Client { return &http.Client{Transport: inProcess{h}} }

type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	rec, got := httptest.NewRecorder(), httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	got.Header = r.Header.Clone()
	p.ServeHTTP(rec, got)
	if r.Body != nil {
		r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// Dial opens a connection to a server and sends the beginning of a request.
// Each "\n" is sent as "\r\n".
func Dial(t testing.TB, url, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	Must(t, err)
	t.Cleanup(func() { conn.Close() })
	Must(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, strings.NewReplacer("\r\n", "\r\n", "\n", "\r\n").Replace(text))
	Must(t, err)
	return conn
}
