package standin_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestThousandsOfPartsAreNotReadToTheirEnd(t *testing.T) {
	for what, p := range map[string]part{
		"files":        file("a.txt", "x"),
		"other fields": {"Content-Disposition: form-data; name=\"x\"\n", ""},
	} {
		s := serve(t, config())
		one := strings.TrimSuffix(form(p), "--"+boundary+"--\r\n")
		body := strings.NewReader(strings.Repeat(one, 100_000))
		r := httptest.NewRequest(http.MethodPost, "/api/v1/files", body)
		r.Header.Set("Content-Type", formType)
		sign(r.Header, r.Method, "/api/v1/files", time.Now())
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "1000 parts") {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
		read := int(body.Size()) - body.Len()
		if most := 1001*len(one) + 128<<10; read > most { // 128 KiB may be read ahead
			t.Errorf("%s: %d bytes were read, want at most %d", what, read, most)
		}
		if n := s.count(); n != 0 {
			t.Errorf("%s: %d objects are stored", what, n)
		}
	}
}

func TestPartsAndBytesThatAreNoFileAreLimited(t *testing.T) {
	field := func(size int) part {
		return part{"Content-Disposition: form-data; name=\"x\"\n", strings.Repeat("x", size)}
	}
	for what, c := range map[string]struct {
		parts  []part
		status int
	}{
		"1000 files":              {slices.Repeat([]part{file("a", "x")}, 1000), 201},
		"1001 parts":              {append(slices.Repeat([]part{field(0)}, 1000), file("a", "x")), 400},
		"much that is no file":    {[]part{field(1<<20 - 1000), file("a", strings.Repeat("x", 1<<20))}, 201},
		"1 MiB that is no file":   {[]part{field(1 << 20), file("a", "x")}, 400},
		"the same after the file": {[]part{file("a", "x"), field(1 << 20)}, 400},
	} {
		s := serve(t, config())
		if resp, a := s.create(form(c.parts...)); resp.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", what, resp.StatusCode, a.text, c.status)
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
