package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// dying is a connection that is dead in every second round. A write then fails
// without writing anything, unless the connection was made in that round.
type dying struct {
	net.Conn
	born  int32
	round *atomic.Int32
}

func (d *dying) Write(p []byte) (int, error) {
	if now := d.round.Load(); now%2 == 1 && d.born < now {
		return 0, syscall.EPIPE
	}
	return d.Conn.Write(p)
}

// A small body lies in a pooled buffer while the transport writes it. The
// transport writes it again if a kept connection is dead.
func TestSmallBodiesAreNotMixedUpOnDyingConnections(t *testing.T) {
	var whole, mixed atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			whole.Add(1)
			if bytes.Count(body, body[:1]) != len(body) {
				mixed.Add(1)
			}
		}
	}))
	defer srv.Close()
	var round atomic.Int32
	cfg := upload.Config{BaseURL: srv.URL, Retry: upload.Retry{MaxWait: time.Millisecond},
		HTTPClient: &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: 16, WriteBufferSize: 64 << 10,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				return &dying{conn, round.Load(), &round}, err
			},
		}}}
	d := newDoer(t, wire.API{}, cfg)
	p := d.Presigned()
	for range 30 {
		round.Add(1)
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				_ = sendTo(t, p, "PUT", srv.URL+"/x", wire.Raw(upload.Bytes("a",
					bytes.Repeat([]byte{byte('a' + i)}, 16<<10))))
			})
		}
		wg.Wait()
	}
	if mixed.Load() > 0 || whole.Load() < 240 {
		t.Errorf("%d whole bodies arrived, %d of them with bytes of another upload", whole.Load(), mixed.Load())
	}
}

// put sends src through the given transport.
func put(t *testing.T, transport rawTransport, src upload.Source) error {
	t.Helper()
	cfg := upload.Config{BaseURL: "http://host/v1", AnswerTimeout: -1, Retry: upload.Retry{Attempts: 1},
		HTTPClient: &http.Client{Transport: transport}}
	d := newDoer(t, wire.API{}, cfg)
	return sendTo(t, d.Presigned(), "PUT", "http://host/x", wire.Raw(src))
}

// rawTransport is a transport whose func reads the body.
type rawTransport func(*http.Request) (*http.Response, error)

func (f rawTransport) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestBodyOfUpTo68KiBIsReadBeforeItIsSent(t *testing.T) {
	for size, want := range map[int]bool{1: true, 68<<10 - 1: true, 68 << 10: true, 68<<10 + 1: false, 1 << 20: false} {
		content := bytes.Repeat([]byte("x"), size)
		left := bytes.NewReader(nil)
		src := upload.Source{Name: "a", Size: int64(size), Open: func() (io.ReadCloser, error) {
			left = bytes.NewReader(content)
			return io.NopCloser(left), nil
		}}
		err := put(t, func(req *http.Request) (*http.Response, error) {
			if got := left.Len() == 0; got != want {
				t.Errorf("%d bytes: read before they are sent: %t", size, got)
			}
			// The buffer of such a body is used again when this hook is called.
			// Nothing else sets the hook here, since AnswerTimeout is off.
			trace := httptrace.ContextClientTrace(req.Context())
			if (trace != nil && trace.WroteRequest != nil) != want {
				t.Errorf("%d bytes: the transport is asked to say when they are written: %t", size, !want)
			}
			if got, err := io.ReadAll(req.Body); err != nil || !bytes.Equal(got, content) ||
				req.ContentLength != int64(size) {
				t.Errorf("%d bytes: %d bytes of %d and %v", size, len(got), req.ContentLength, err)
			}
			return respond(201, nil), nil
		}, src)
		if err != nil {
			t.Error(err)
		}
	}
}

func TestSourceThatFailsIsTheFailureAndNotTriedAgain(t *testing.T) {
	for _, size := range []int64{1000, 100_000} {
		n := 0
		cfg := upload.Config{BaseURL: "http://host/v1",
			HTTPClient: &http.Client{Transport: rawTransport(func(req *http.Request) (*http.Response, error) {
				n++
				defer req.Body.Close()
				_, err := io.Copy(io.Discard, req.Body)
				return nil, err
			})}}
		d := newDoer(t, wire.API{Repeatable: true}, cfg)
		err := post(t.Context(), d, upload.ReaderAt("a", bytes.NewReader(make([]byte, size-1)), size))
		if f := failed(err); !errors.Is(err, upload.ErrInvalid) || errors.Is(err, upload.ErrUnavailable) ||
			f.Attempts != 1 {
			t.Errorf("%d bytes: %v, want ErrInvalid alone, and one attempt", size, err)
		}
		if sent := size > 68<<10; sent != (n == 1) {
			t.Errorf("%d bytes: sent %d times, want that only of a large body", size, n)
		}
	}
}

// A transport sends a body again by itself if the network says that it was not
// sent.
func TestBodyThatTheTransportAsksForAgainIsTheOneThatCounts(t *testing.T) {
	for _, size := range []int{1000, 100_000} {
		var c counted
		content := bytes.Repeat([]byte("x"), size)
		err := put(t, func(req *http.Request) (*http.Response, error) {
			_, _ = io.CopyN(io.Discard, req.Body, 10)
			again, err := req.GetBody()
			if err != nil {
				return nil, err
			}
			if got, err := io.ReadAll(again); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes: the second time %d bytes and %v", size, len(got), err)
			}
			req.Body.Close()
			return respond(201, nil), nil
		}, c.source("a", int64(size), func() (io.Reader, error) { return bytes.NewReader(content), nil }))
		if err != nil || c.opened != 2 || c.closed != 2 {
			t.Errorf("%d bytes: %v; opened %d times, closed %d times, want 2 and 2", size, err, c.opened, c.closed)
		}
	}
}

func TestBodyThatCannotBeOpenedAgainLeavesTheTransportsFailure(t *testing.T) {
	reset := errors.New("connection reset")
	for _, size := range []int64{1000, 100_000} {
		err := put(t, func(req *http.Request) (*http.Response, error) {
			_, _ = io.CopyN(io.Discard, req.Body, 10)
			if _, err := req.GetBody(); !errors.Is(err, upload.ErrNotReplayable) {
				t.Errorf("%d bytes: GetBody gave %v", size, err)
			}
			req.Body.Close()
			return nil, reset
		}, upload.Reader("a", bytes.NewReader(make([]byte, size)), size))
		if !errors.Is(err, upload.ErrUnavailable) || !errors.Is(err, reset) || errors.Is(err, upload.ErrInvalid) {
			t.Errorf("%d bytes: %v, want ErrUnavailable for the reset connection", size, err)
		}
	}
}

func TestBodyAskedForAfterTheCallIsClosed(t *testing.T) {
	var late func() (io.ReadCloser, error)
	var c counted
	err := put(t, func(req *http.Request) (*http.Response, error) {
		late = req.GetBody
		_, _ = io.Copy(io.Discard, req.Body)
		return respond(201, nil), nil
	}, c.source("a", 100_000, func() (io.Reader, error) { return bytes.NewReader(make([]byte, 100_000)), nil }))
	must(t, err)
	body, err := late()
	if err == nil {
		_, err = body.Read(make([]byte, 1))
	}
	if err == nil || err == io.EOF || c.opened != c.closed {
		t.Errorf("it could be read (%v); opened %d times, closed %d times", err, c.opened, c.closed)
	}
}

// After a write that failed, a transport may send the same reader once more.
func TestBufferIsKeptWhileTheTransportMayReadIt(t *testing.T) {
	send := func(b byte, meanwhile func()) error {
		content := bytes.Repeat([]byte{b}, 16<<10)
		return put(t, func(req *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(req.Context()).WroteRequest(httptrace.WroteRequestInfo{Err: io.ErrClosedPipe})
			meanwhile()
			if got, err := io.ReadAll(req.Body); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes and %v, and they are not its own", len(got), err)
			}
			return respond(201, nil), nil
		}, upload.Bytes("a", content))
	}
	for range 20 {
		must(t, send('a', func() { _ = send('b', func() {}) }))
	}
}

func TestTraceOfTheCallerHearsOfEveryBody(t *testing.T) {
	for _, size := range []int{0, 1000, 100_000} {
		_, d := serve(t, wire.API{Repeatable: true}, upload.Config{}, status(503), status(201))
		var wrote atomic.Int32
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { wrote.Add(1) },
		})
		err := post(ctx, d, upload.Bytes("a", make([]byte, size)))
		for range 1000 { // an answer may come before the hook is called
			if wrote.Load() == 2 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if err != nil || wrote.Load() != 2 {
			t.Errorf("%d bytes: %v, and the trace heard of %d requests, want 2", size, err, wrote.Load())
		}
	}
}
