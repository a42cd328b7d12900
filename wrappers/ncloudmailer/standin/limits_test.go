package standin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
)

// counting counts the bytes of a body that were read.
type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func TestThousandsOfPartsAreNotReadToTheirEnd(t *testing.T) {
	for what, p := range map[string]part{
		"files":        file("a.txt", "x"),
		"other fields": {"Content-Disposition: form-data; name=\"x\"\n", ""},
	} {
		s := serve(t, config())
		one := strings.TrimSuffix(form(p), "--"+boundary+"--\r\n")
		body := &counting{Reader: strings.NewReader(strings.Repeat(one, 100_000))}
		r := httptest.NewRequest(http.MethodPost, "/api/v1/files", body)
		r.Header.Set("Content-Type", formType)
		sign(r.Header, r.Method, "/api/v1/files", time.Now())
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "1000 parts") {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
		if most := 1001*len(one) + 128<<10; body.n > most { // 128 KiB may be read ahead
			t.Errorf("%s: %d bytes were read, want at most %d", what, body.n, most)
		}
		if n := s.count(); n != 0 {
			t.Errorf("%s: %d objects are stored", what, n)
		}
	}
}

func TestLimitsOfFormsAreSettable(t *testing.T) {
	const field = "Content-Disposition: form-data; name=\"x\"\n"
	for _, c := range []struct {
		what    string
		parts   int
		framing int64
		form    string
		status  int
	}{
		{"three parts of three", 3, 0, form(file("a", "x"), file("b", "x"), part{field, ""}), 201},
		{"four parts of three", 3, 0, form(file("a", "x"), file("b", "x"), part{field, ""}, part{field, ""}), 400},
		{"little that is no file", 0, 1000, form(part{field, ""}, file("a", strings.Repeat("x", 10_000))), 201},
		{"much that is no file", 0, 1000, form(part{field, strings.Repeat("x", 100_000)}, file("a", "x")), 400},
		{"a little more than the default", 0, 2 << 20, form(part{field, strings.Repeat("x", 1<<20)}, file("a", "x")), 201},
		{"the same with the default", 0, 0, form(part{field, strings.Repeat("x", 1<<20)}, file("a", "x")), 400},
	} {
		cfg := config()
		cfg.MaxParts, cfg.MaxFraming = c.parts, c.framing
		s := serve(t, cfg)
		if resp, a := s.create(c.form); resp.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.what, resp.StatusCode, a.text, c.status)
		}
	}
	for _, cfg := range []standin.Config{{MaxParts: -1}, {MaxFraming: -1}} {
		cfg.AccessKey, cfg.SecretKey = accessKey, secretKey
		if _, err := standin.New(cfg); err == nil {
			t.Errorf("%v is taken", cfg)
		}
	}
}

func TestBoundaryIsLimited(t *testing.T) {
	s := serve(t, config())
	for n, status := range map[int]int{1: 201, 70: 201, 71: 400, 4096: 400, 500_000: 400} {
		long := strings.Repeat("b", n)
		body := strings.ReplaceAll(form(file("a.txt", "file")), boundary, long)
		resp, a := s.post(body, "multipart/form-data; boundary="+long)
		if resp.StatusCode != status {
			t.Errorf("%d characters: %d %s, want %d", n, resp.StatusCode, a.text, status)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "77102 BAD_REQUEST: The boundary has 71 characters") {
		t.Errorf("the log has %q", log)
	}
}
