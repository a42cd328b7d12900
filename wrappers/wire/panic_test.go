package wire_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// panicking is a source of size bytes that panics at one point.
func panicking(c *counted, size int64, where string) upload.Source {
	content := bytes.NewReader(make([]byte, size))
	src := c.source("a", size, func() (io.Reader, error) {
		if where == "Open" || where == "the second Open" && c.opened == 1 {
			panic(where)
		}
		content.Reset(make([]byte, size))
		return content, nil
	})
	open := src.Open
	src.Open = func() (io.ReadCloser, error) {
		rc, err := open()
		return &fragile{ReadCloser: rc, where: where}, err
	}
	return src
}

type fragile struct {
	io.ReadCloser
	where string
	read  int
}

func (f *fragile) Read(p []byte) (int, error) {
	if f.where == "Read" || f.where == "a later Read" && f.read > 0 {
		panic(f.where)
	}
	n, err := f.ReadCloser.Read(p[:min(len(p), 1000)])
	f.read += n
	return n, err
}

func (f *fragile) Close() error {
	f.ReadCloser.Close()
	if f.where == "Close" {
		panic(f.where)
	}
	return nil
}

// caught returns the panic of f.
func caught(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

// A body above 68 KiB is read on a goroutine of the transport, where a panic
// would end the process.
func TestPanicOfASourceComesOutOfTheCall(t *testing.T) {
	for _, size := range []int64{100, 68 << 10, 100_000, 2 << 20} {
		for _, where := range []string{"Open", "the second Open", "Read", "a later Read", "Close"} {
			if where == "a later Read" && size < 1000 {
				continue
			}
			var c counted
			_, d := serve(t, wire.API{Repeatable: true}, upload.Config{}, status(503), status(201))
			got := caught(func() { _ = post(t.Context(), d, panicking(&c, size, where)) })
			if got != where || c.opened != c.closed {
				t.Errorf("%d bytes, a panic in %s: recovered %v; %d opened, %d closed", size, where, got,
					c.opened, c.closed)
			}
		}
	}
}

// The end of the context closes the source on yet another goroutine.
func TestPanicOfACloseThatTheContextCausesComesOutOfTheCall(t *testing.T) {
	hold := make(chan struct{})
	_, d := serve(t, wire.API{}, upload.Config{}, func(http.ResponseWriter, *http.Request) { <-hold })
	defer close(hold)
	ctx, cancel := context.WithCancel(t.Context())
	var c counted
	src := upload.Track(panicking(&c, 100_000, "Close"), func(sent, _ int64) {
		if sent > 0 {
			cancel()
		}
	})
	got := caught(func() { _ = post(ctx, d, src) })
	if got != "Close" || c.opened != c.closed {
		t.Errorf("recovered %v; %d opened, %d closed", got, c.opened, c.closed)
	}
}

func TestPanicOfTheCredentialsClosesTheBody(t *testing.T) {
	var c counted
	_, d := serve(t, wire.API{Authorize: func(*http.Request) error { panic("no key") }}, upload.Config{}, status(201))
	got := caught(func() { _ = post(t.Context(), d, panicking(&c, 100, "")) })
	if got != "no key" || c.opened != 1 || c.closed != 1 {
		t.Errorf("recovered %v; %d opened, %d closed", got, c.opened, c.closed)
	}
}

// lying is a reader that returns a wrong count.
type lying int

func (l lying) Read(p []byte) (int, error) {
	if l < 0 {
		return int(l), nil
	}
	return len(p) + int(l), io.EOF
}

func TestReaderThatClaimsAnImpossibleCountIsInvalid(t *testing.T) {
	for _, size := range []int64{0, 100, 100_000} {
		for _, l := range []lying{-1, 1, 4096} {
			s, d := serve(t, wire.API{Repeatable: true}, upload.Config{}, status(201))
			err := post(t.Context(), d, upload.Source{Name: "a", Size: size,
				Open: func() (io.ReadCloser, error) { return io.NopCloser(l), nil }})
			if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), "its reader says") ||
				size <= 68<<10 && s.got() > 0 {
				t.Errorf("%d bytes, off by %d: %v after %d requests, want ErrInvalid", size, l, err, s.got())
			}
		}
	}
}

func TestSizesThatOverflowTogetherAreRefused(t *testing.T) {
	half := upload.ReaderAt("a", strings.NewReader("x"), math.MaxInt64/2)
	for _, srcs := range [][]upload.Source{{half, half}, {half, half, half}, {half, half, half, half, half}} {
		if err := wire.Form("file", srcs...).Err(); !errors.Is(err, upload.ErrInvalid) ||
			!strings.Contains(err.Error(), "too large") {
			t.Errorf("%d files: %v, want ErrInvalid", len(srcs), err)
		}
	}
}

// FailNow of a test ends the goroutine that it is called on.
func TestExitOfASourceEndsTheCallersGoroutine(t *testing.T) {
	for _, size := range []int{100, 100_000, 2 << 20} {
		_, d := serve(t, wire.API{}, upload.Config{}, status(201))
		var c counted
		src := c.source("a", int64(size), func() (io.Reader, error) { return bytes.NewReader(make([]byte, size)), nil })
		returned, done := false, make(chan struct{})
		go func() {
			defer close(done)
			_ = post(t.Context(), d, upload.Track(src, func(sent, _ int64) {
				if sent > 0 {
					runtime.Goexit()
				}
			}))
			returned = true
		}()
		<-done
		if returned || c.opened != 1 || c.closed != 1 {
			t.Errorf("%d bytes: returned: %t; %d opened, %d closed", size, returned, c.opened, c.closed)
		}
	}
}
