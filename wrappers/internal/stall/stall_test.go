package stall

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// slowPeer takes a body in pieces, and answers in two.
type slowPeer struct{ piece, header, answer time.Duration }

func (p slowPeer) RoundTrip(req *http.Request) (*http.Response, error) {
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-req.Context().Done():
			return context.Cause(req.Context())
		}
	}
	for {
		if err := wait(p.piece); err != nil {
			return nil, err
		}
		if _, err := req.Body.Read(make([]byte, 32<<10)); err == io.EOF {
			break
		}
	}
	if err := wait(p.header); err != nil {
		return nil, err
	}
	read := func([]byte) (int, error) {
		if err := wait(p.answer); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(readFunc(read))}, nil
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

var errStalled = errors.New("stalled")

func TestOnlyWhatDoesNotMoveIsStalled(t *testing.T) {
	for name, tc := range map[string]struct {
		peer    slowPeer
		stalled bool
	}{
		"at once":            {slowPeer{}, false},
		"slow all the way":   {slowPeer{59 * time.Second, 59 * time.Second, 59 * time.Second}, false},
		"a piece too long":   {slowPeer{piece: 61 * time.Second}, true},
		"no answer":          {slowPeer{header: 61 * time.Second}, true},
		"half of the answer": {slowPeer{answer: 61 * time.Second}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				guard := &Transport{Base: tc.peer, After: time.Minute, Reason: errStalled}
				body := strings.NewReader(strings.Repeat("x", 320<<10))
				req, err := http.NewRequestWithContext(WithCancel(ctx, cancel), http.MethodPut, "http://host/", body)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := guard.RoundTrip(req)
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				if (err != nil) != tc.stalled || errors.Is(context.Cause(ctx), errStalled) != tc.stalled {
					t.Errorf("got %v, and the file ended with %v", err, context.Cause(ctx))
				}
				time.Sleep(time.Hour) // no timer may fire later
				if !tc.stalled && ctx.Err() != nil {
					t.Errorf("it ended later with %v", context.Cause(ctx))
				}
			})
		})
	}
}

// A peer that reads a little at a time is slow, and not stalled, although the
// system's buffer took the whole body long before.
func TestBytesInTheSystemsBufferMove(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux is asked what its buffer holds")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const size = 3 << 20
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(64 << 10)
		for range size >> 16 {
			time.Sleep(50 * time.Millisecond)
			if _, err := io.CopyN(io.Discard, conn, 1<<16); err != nil {
				return
			}
		}
		io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	}()
	guard := &Transport{Base: upload.NewTransport(), After: time.Second, Reason: errStalled}
	body := strings.NewReader(strings.Repeat("x", size))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+ln.Addr().String(), body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := guard.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}
