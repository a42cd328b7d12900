package wire_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

// coded answers with a body that is said to be coded.
func coded(code int, coding, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", coding)
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func TestAnswerThatIsCompressedUnaskedIsRead(t *testing.T) {
	text := strings.Repeat("It was read. ", 10)
	for _, tt := range []struct {
		name, coding, body, want string
	}{
		{"gzip", "gzip", zipped(text), text},
		{"in its old name and other case", "X-GZip", zipped(text), text},
		{"in a list with identity", "gzip, identity", zipped(text), text},
		{"only said to be", "gzip", text, text},
		{"and empty", "gzip", "", ""},
		{"identity", "identity", text, text},
	} {
		for _, code := range []int{200, 400} {
			s, d := serve(t, wire.API{}, upload.Config{}, coded(code, tt.coding, tt.body))
			got, _, err := get(t, d)
			if f, ok := errors.AsType[*upload.Error](err); ok {
				got = f.Message
			}
			if strings.TrimSpace(got) != strings.TrimSpace(tt.want) || (err == nil) != (code == 200) {
				t.Errorf("%s, status %d: %q and %v, want %q", tt.name, code, got, err, tt.want)
			}
			if asked := s.headers[0]["Accept-Encoding"]; len(asked) != 1 || asked[0] != "identity" {
				t.Errorf("the request asks for %q, want identity", asked)
			}
		}
	}
}

func TestCompressedAnswerIsBoundedAsItComesOut(t *testing.T) {
	bomb := zipped(strings.Repeat(" ", 8<<20))
	for _, code := range []int{200, 400} {
		_, d := serve(t, wire.API{}, upload.Config{}, coded(code, "gzip", bomb))
		body, _, err := get(t, d)
		if err == nil || len(body) > 1<<20+1 || code == 200 && !strings.Contains(err.Error(), "longer than") {
			t.Errorf("status %d: %d bytes and %v", code, len(body), err)
		}
	}
}

func TestCompressedAnswerThatBreaksOff(t *testing.T) {
	whole := zipped(strings.Repeat("text", 1000))
	for _, body := range []string{whole[:5], whole[:len(whole)/2], whole[:len(whole)-1], whole[:20] + "garbage"} {
		_, d := serve(t, wire.API{}, upload.Config{}, coded(200, "gzip", body))
		if _, _, err := get(t, d); !errors.Is(err, upload.ErrUnavailable) ||
			!strings.Contains(err.Error(), "broke off") {
			t.Errorf("%d bytes of %d: %v, want ErrUnavailable", len(body), len(whole), err)
		}
	}
}
