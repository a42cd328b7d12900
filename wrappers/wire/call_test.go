package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// get reads one answer.
func get(t *testing.T, d *wire.Doer) (body, trace string, err error) {
	t.Helper()
	trace, err = getBy(t, d, func(b []byte) error { body = string(b); return nil })
	return body, trace, err
}

func getBy(t *testing.T, d *wire.Doer, read func([]byte) error) (trace string, err error) {
	return d.Call(t.Context(), "getThing", read, func(ctx context.Context) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.BaseURL, nil)
		if err != nil {
			return nil, err
		}
		return d.Do(req)
	})
}

func TestAnswerOfUpToAMebibyteIsRead(t *testing.T) {
	for _, size := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1<<20 + 2, 2 << 20} {
		for _, chunked := range []bool{false, true} {
			want := strings.Repeat("x", size)
			_, d := serve(t, wire.API{}, upload.Config{}, func(w http.ResponseWriter, _ *http.Request) {
				if chunked {
					_ = http.NewResponseController(w).Flush()
				}
				_, _ = io.WriteString(w, want)
			})
			got, _, err := get(t, d)
			switch {
			case size > 1<<20:
				if !errors.Is(err, upload.ErrUnavailable) ||
					!strings.Contains(err.Error(), "longer than 1048576 bytes") {
					t.Errorf("%d bytes (chunked: %t): %v, want ErrUnavailable, since it is too long", size, chunked,
						err)
				}
			case err != nil || got != want:
				t.Errorf("%d bytes (chunked: %t): %d bytes and %v", size, chunked, len(got), err)
			}
		}
	}
}

func TestAnswerThatAnnouncesMoreThanThereIsMemory(t *testing.T) {
	_, d := serve(t, wire.API{}, upload.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "9000000000000000000")
		_, _ = io.WriteString(w, "x")
	})
	if _, _, err := get(t, d); !errors.Is(err, upload.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

func TestWholeAnswerCountsWhenTheConnectionBreaksOff(t *testing.T) {
	for body, whole := range map[string]bool{`{"id":1}`: true, `{"id":1`: false} {
		_, d := serve(t, wire.API{}, upload.Config{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, body)
		})
		if read, _, err := get(t, d); (err == nil) != whole || whole && read != body {
			t.Errorf("%s: %q, %v", body, read, err)
		}
	}
}

func TestCutAnswerSaysOnceThatItIsCut(t *testing.T) {
	_, d := serve(t, wire.API{}, upload.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"id":1`)
	})
	_, err := getBy(t, d, func([]byte) error { return io.ErrUnexpectedEOF })
	if err == nil || strings.Count(err.Error(), io.ErrUnexpectedEOF.Error()) != 1 {
		t.Errorf("got %v, want the break, said once", err)
	}
}

func TestTraceIDDoesNotRepeatTheCredentials(t *testing.T) {
	for _, tt := range []struct{ name, header, value, trace, want string }{
		{"a token", "Authorization", "Bearer 123456", "t-123456", wire.Redacted},
		{"a token without a scheme", "Authorization", "123456", "t-123456", wire.Redacted},
		{"a key", "X-Key", "123456", "123456", wire.Redacted},
		{"a token of eight", "Authorization", "Bearer 12345678", "t-12345678", wire.Redacted},
		{"the end of a longer token", "Authorization", "Bearer 0123456789abcdef", "t-89abcdef", wire.Redacted},
		{"less of it", "Authorization", "Bearer 0123456789abcdef", "t-9abcdef", "t-9abcdef"},
		{"another token", "Authorization", "Bearer 123456", "t-654321", "t-654321"},
		{"what is too short to be a secret", "Authorization", "Bearer 12345", "t-12345", "t-12345"},
		{"nothing was secret", "X-Other", "123456", "t-123456", "t-123456"},
	} {
		for _, code := range []int{200, 404} {
			authorize := func(req *http.Request) error { req.Header.Set(tt.header, tt.value); return nil }
			_, d := serve(t, wire.API{TraceHeader: "X-Trace-Id", Secret: []string{"X-Key"}, Authorize: authorize},
				upload.Config{}, status(code, "X-Trace-Id", tt.trace))
			_, trace, err := get(t, d)
			if f, ok := errors.AsType[*upload.Error](err); trace != tt.want || ok && f.TraceID != tt.want {
				t.Errorf("%s, status %d: the trace id is %q (%v), want %q", tt.name, code, trace, err, tt.want)
			}
		}
	}
}

func TestRefusedRequestIsOfOneKind(t *testing.T) {
	_, d := serve(t, wire.API{}, upload.Config{}, status(201))
	for _, tt := range []struct {
		name          string
		err           error
		kind, without error
	}{
		{"by an editor", errors.New("no"), upload.ErrInvalid, upload.ErrNotReplayable},
		{"for its source", fmt.Errorf("%w: no", upload.ErrInvalid), upload.ErrInvalid, upload.ErrNotReplayable},
		{"for a source that was read", fmt.Errorf("%w: no", upload.ErrNotReplayable), upload.ErrNotReplayable,
			upload.ErrInvalid},
	} {
		_, err := d.Call(t.Context(), "getThing", nil,
			func(context.Context) (*http.Response, error) { return nil, tt.err })
		f, _ := errors.AsType[*upload.Error](err)
		if f == nil || f.Attempts != 0 || !errors.Is(err, tt.kind) || errors.Is(err, tt.without) ||
			strings.Count(err.Error(), tt.kind.Error()) != 1 {
			t.Errorf("refused %s: %v, want %q, once, and nothing sent", tt.name, err, tt.kind)
		}
	}
}
