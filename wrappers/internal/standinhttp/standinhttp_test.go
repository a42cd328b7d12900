package standinhttp_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standinhttp"
	"github.com/putpost/putpost/wrappers/internal/standintest"
)

// serve starts a handler and returns the server's address.
func serve(t *testing.T, stall time.Duration, next http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(standinhttp.Handler{Stall: stall, Next: next})
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// pipe starts a handler inside a bubble, and returns a connection to it. Its
// clock depends on no machine, and it has no buffers that a test must fill.
func pipe(t *testing.T, stall time.Duration, next http.HandlerFunc) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	l := make(accepts, 1)
	l <- there
	srv := &http.Server{Handler: standinhttp.Handler{Stall: stall, Next: next}}
	go srv.Serve(l)
	t.Cleanup(func() { here.Close(); srv.Close() })
	return here
}

// accepts is a listener. It accepts the connections that it holds.
type accepts chan net.Conn

func (a accepts) Accept() (net.Conn, error) {
	if conn, ok := <-a; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (a accepts) Close() error   { close(a); return nil }
func (a accepts) Addr() net.Addr { return &net.TCPAddr{} }

// refuse answers 413 and reads nothing.
var refuse = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	standinhttp.Refuse(w, r, standinhttp.Answer{Status: http.StatusRequestEntityTooLarge}, errors.New("on purpose"))
})

// net/http reads the rest of a body up to 256 KiB on its own, but not for a
// caller who asked to close the connection. nginx's proxy_pass is such a
// caller.
func TestRefusalReachesWhoSendsAllBeforeListening(t *testing.T) {
	addr := serve(t, 0, refuse)
	for _, request := range []string{
		"PUT / HTTP/1.1\nHost: x\n", "PUT / HTTP/1.1\nHost: x\nConnection: close\n", "PUT / HTTP/1.0\n",
	} {
		for _, size := range []int{64 << 10, 200 << 10, 256 << 10, 32 << 20} {
			for _, framing := range []string{"Content-Length: %d\n\n", "Transfer-Encoding: chunked\n\n%x\n"} {
				if strings.Contains(request, "1.0") && strings.Contains(framing, "chunked") {
					continue // HTTP/1.0 has no chunks
				}
				conn := standintest.Dial(t, addr, request+fmt.Sprintf(framing, size))
				what := fmt.Sprintf("%q with %d bytes, %q", request, size, framing)
				half := make([]byte, size/2)
				if _, err := conn.Write(half); err != nil {
					t.Fatalf("%s: the connection was cut while the body was sent: %v", what, err)
				}
				if got := standintest.Receive(t, conn).Status; got != http.StatusRequestEntityTooLarge {
					t.Errorf("%s: status %d, want 413", what, got)
				}
				// A caller who sends all before listening is still sending now.
				if _, err := conn.Write(half); err != nil {
					t.Fatalf("%s: the connection was cut while the body was sent: %v", what, err)
				}
				if strings.Contains(framing, "chunked") {
					io.WriteString(conn, "\r\n0\r\n\r\n")
				}
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Errorf("%s: the connection was not closed in order: %v", what, err)
				}
			}
		}
	}
}

func TestRefusalDoesNotWaitForTheBody(t *testing.T) {
	for _, length := range []int{10, 100 << 10, 10 << 20} {
		for _, expect := range []string{"", "Expect: 100-continue\n"} {
			conn := standintest.Dial(t, serve(t, 0, refuse),
				fmt.Sprintf("PUT / HTTP/1.1\nHost: x\n%sContent-Length: %d\n\n", expect, length))
			conn.SetDeadline(time.Now().Add(2 * time.Second))
			if got := standintest.Receive(t, conn).Status; got != http.StatusRequestEntityTooLarge {
				t.Errorf("%d bytes %s: status %d, want 413", length, expect, got)
			}
			if expect == "" || length < 1<<20 { // then the server waits for a while
				conn.Close()
			} else if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("%d bytes %s: %v, though nobody sends anything", length, expect, err)
			}
		}
	}
}

func TestUnreadBodyIsNotTheNextRequest(t *testing.T) {
	body := "GET /smuggled HTTP/1.1\nHost: x\n\n"
	paths := make(chan string, 2)
	addr := serve(t, 0, func(w http.ResponseWriter, r *http.Request) {
		paths <- r.URL.Path
		refuse(w, r)
	})
	size := len(body) + strings.Count(body, "\n")
	conn := standintest.Dial(t, addr, fmt.Sprintf("PUT /first HTTP/1.1\nHost: x\nContent-Length: %d\n\n", size)+body)
	answers, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("the connection was not closed in order: %v", err)
	}
	if n := bytes.Count(answers, []byte("HTTP/1.1 ")); n != 1 || len(paths) != 1 {
		t.Errorf("%d answers to %d requests, want one", n, len(paths))
	}
}

func TestConnectionIsKeptWhenTheBodyWasRead(t *testing.T) {
	addr := serve(t, 0, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		refuse(w, r)
	})
	resp, err := http.Post("http://"+addr, "text/plain", strings.NewReader("body"))
	standintest.Must(t, err)
	resp.Body.Close()
	if resp.Close {
		t.Error("the answer closes the connection")
	}
}

func TestStalledBodyEnds(t *testing.T) {
	result := make(chan error, 1)
	addr := serve(t, 50*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if got := standinhttp.BodyError(r.Context()); got != err {
			t.Errorf("BodyError is %v, want %v", got, err)
		}
		result <- err
		refuse(w, r)
	})
	conn := standintest.Dial(t, addr, "PUT / HTTP/1.1\nHost: x\nContent-Length: 100\n\nbeginning")
	if err := <-result; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading ended with %v, want os.ErrDeadlineExceeded", err)
	}
	standintest.Receive(t, conn).Is(http.StatusRequestEntityTooLarge)
}

// A slow body may take longer than Stall, and so may the handler after it.
func TestSlowBodyIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := pipe(t, time.Minute, func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
			select {
			case <-r.Context().Done():
				t.Error(context.Cause(r.Context()))
			case <-time.After(2 * time.Minute):
			}
		})
		io.WriteString(conn, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\n")
		for range 6 {
			time.Sleep(40 * time.Second)
			io.WriteString(conn, "x")
		}
		standintest.Receive(t, conn).Is(http.StatusOK)
	})
}

func TestErrorOfABodyIsReported(t *testing.T) {
	result := make(chan error, 1)
	addr := serve(t, 0, func(_ http.ResponseWriter, r *http.Request) {
		if err := standinhttp.BodyError(r.Context()); err != nil {
			t.Errorf("BodyError is %v before anything was read", err)
		}
		io.Copy(io.Discard, r.Body)
		result <- standinhttp.BodyError(r.Context())
	})
	standintest.Dial(t, addr, "PUT / HTTP/1.1\nHost: x\nContent-Length: 100\n\nbeginning").Close()
	if err := <-result; err == nil {
		t.Error("no BodyError for a body that broke off")
	}
	standintest.Dial(t, addr, "PUT / HTTP/1.1\nHost: x\nContent-Length: 5\n\nwhole")
	if err := <-result; err != nil {
		t.Errorf("BodyError is %v for a body that is whole", err)
	}
}

func TestReasonIsLoggedUnderTheTraceID(t *testing.T) {
	var log bytes.Buffer
	ids := make(chan string, 2)
	h := standinhttp.Handler{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ids <- standinhttp.TraceID(r.Context())
			refuse(w, r)
		}),
	}
	for range 2 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, "/path%7F?signature=SECRET", nil))
	}
	a, b := <-ids, <-ids
	if a == b || a == "" {
		t.Errorf("trace ids %q and %q, want two", a, b)
	}
	for _, want := range []string{a, b, "status=413", "method=PUT", "path=/path%7F", `reason="on purpose"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("the log shows the query:\n%s", &log)
	}
}

func TestDateComesFromTheClock(t *testing.T) {
	now := time.Date(1997, 2, 26, 0, 0, 0, 0, time.FixedZone("KST", 9*60*60))
	w := httptest.NewRecorder()
	h := standinhttp.Handler{Next: refuse, Now: func() time.Time { return now }}
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if got := w.Header().Get("Date"); got != "Tue, 25 Feb 1997 15:00:00 GMT" {
		t.Errorf("Date is %s", got)
	}
}

// A byte now and then does not extend the time of a hurried body.
func TestHurriedBodyEndsHoweverItTrickles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := pipe(t, time.Minute, func(w http.ResponseWriter, r *http.Request) {
			standinhttp.Hurry(r.Context())
			if _, err := io.Copy(io.Discard, r.Body); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("reading ended with %v, want os.ErrDeadlineExceeded", err)
			}
			refuse(w, r)
		})
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
		begun := time.Now()
		var trickle sync.WaitGroup
		trickle.Go(func() {
			for err := error(nil); err == nil; time.Sleep(2 * time.Second) {
				_, err = io.WriteString(conn, "x")
			}
		})
		defer trickle.Wait()
		defer conn.Close()
		standintest.Receive(t, conn).Is(http.StatusRequestEntityTooLarge)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("the answer came after %s, want the handler's after a minute", took)
		}
	})
}

// If a handler does not read the body, net/http waits for the rest of the body
// before it sends the answer.
func TestUnreadBodyThatStopsHoldsNoConnection(t *testing.T) {
	addr := serve(t, 300*time.Millisecond, func(http.ResponseWriter, *http.Request) {})
	conn := standintest.Dial(t, addr, "GET / HTTP/1.1\nHost: x\nContent-Length: 100\n\n")
	standintest.Receive(t, conn).Is(http.StatusOK)
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection is held: %v", err)
	}
}

func TestCallerThatReadsNoAnswerIsCutOff(t *testing.T) {
	result := make(chan error, 1)
	addr := serve(t, 50*time.Millisecond, func(w http.ResponseWriter, _ *http.Request) {
		for { // until all buffers on the way are full
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				result <- err
				return
			}
		}
	})
	standintest.Dial(t, addr, "GET / HTTP/1.1\nHost: x\n\n")
	select {
	case err := <-result:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing ended with %v, want os.ErrDeadlineExceeded", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a caller that takes nothing holds the handler")
	}
}

// Each of these answers fits into the server's buffer.
func TestCallerThatSendsRequestsAndReadsNoAnswerIsCutOff(t *testing.T) {
	for what, next := range map[string]http.HandlerFunc{
		"a body":   func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 1<<10)) },
		"a header": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<10)) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn := pipe(t, time.Minute, next)
				conn.SetDeadline(time.Now().Add(time.Hour))
				for err := error(nil); err == nil; { // until the server closes the connection
					_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Error("the connection is held")
					}
				}
			})
		})
	}
}

// A caller who reads slowly keeps the connection.
func TestAnswerTakenSlowlyIsWhole(t *testing.T) {
	const size = 1 << 20
	synctest.Test(t, func(t *testing.T) {
		conn := pipe(t, time.Minute, func(w http.ResponseWriter, _ *http.Request) {
			for range size >> 16 {
				w.Write(make([]byte, 1<<16))
			}
		})
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		var got int64
		for err := error(nil); err == nil; time.Sleep(50 * time.Second) {
			var n int64
			n, err = io.CopyN(io.Discard, conn, size/16)
			got += n
		}
		if got < size {
			t.Errorf("%d of %d bytes came", got, size)
		}
	})
}

// A caller may close his half of the connection after he has sent all. net/http
// then ends the request's context, as if the caller had left.
func TestCallerWhoOnlyListensIsAnswered(t *testing.T) {
	addr := serve(t, 0, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusInternalServerError)
		case <-time.After(50 * time.Millisecond):
		}
	})
	conn := standintest.Dial(t, addr, "POST / HTTP/1.1\nHost: host\nContent-Length: 1\n\nx")
	standintest.Must(t, conn.(*net.TCPConn).CloseWrite())
	standintest.Receive(t, conn).Is(http.StatusOK)
}
