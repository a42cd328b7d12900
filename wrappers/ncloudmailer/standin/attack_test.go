package standin_test

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
)

// knock opens a connection and sends the beginning of a signed request. Each
// line of header ends with "\n".
func knock(t *testing.T, s *service, method, uri, header, body string) net.Conn {
	t.Helper()
	signed := http.Header{}
	sign(signed, method, uri, time.Now())
	var b strings.Builder
	signed.Write(&b)
	return standintest.Dial(t, s.url, method+" "+uri+" HTTP/1.1\nHost: x\n"+b.String()+header+body)
}

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
		"paths":        {"Content-Disposition: form-data; name=\"../../etc\"; filename=\"a.txt\"\n", "x"},
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
		if n := s.census.count(); n != 0 {
			t.Errorf("%s: %d objects are stored", what, n)
		}
	}
}

func TestLimitsOfFormsAreSettable(t *testing.T) {
	const field = "Content-Disposition: form-data; name=\"x\"\n"
	some := strings.Repeat("x", 500)
	for _, c := range []struct {
		what    string
		parts   int
		framing int64
		form    string
		status  int
	}{
		{"three parts of three", 3, 0, form(file("a", "x"), file("b", "x"), part{field, ""}), 201},
		{"four parts of three", 3, 0, form(file("a", "x"), file("b", "x"), part{field, ""}, part{field, ""}), 400},
		{"little that is no file", 0, 1000, form(part{field, some}, file("a", strings.Repeat("x", 10_000))), 201},
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
	// Bytes that are almost the boundary belong to the file.
	content := strings.Repeat("\r\n--"+boundary[:len(boundary)-1]+"\r\n--"+strings.Repeat("-", 70), 20_000)
	_, a := s.create(form(file("a.txt", content)))
	if len(a.Files) != 1 || a.Files[0].FileSize != int64(len(content)) {
		t.Fatalf("a file of near boundaries: %.200s", a.text)
	}
	if got, _ := s.stored(a.Files[0].FileID); got != content {
		t.Error("a file of near boundaries is stored otherwise")
	}
}

func TestHeadersOfAPartAreLimited(t *testing.T) {
	s := serve(t, config())
	const good = `Content-Disposition: form-data; name="fileList"; filename="a.txt"` + "\n"
	for what, header := range map[string]string{
		"many":             good + strings.Repeat("X: x\n", 300_000),
		"one":              good + "X: " + strings.Repeat("x", 2<<20) + "\n",
		"folded":           good + "X: x\n" + strings.Repeat(" x\n", 500_000),
		"no end of a name": `Content-Disposition: form-data; name="fileList"; filename="` + strings.Repeat("../", 1<<20),
		"parameters": `Content-Disposition: form-data; name="fileList"; filename="a"` + strings.Repeat("; a=b",
			300_000) + "\n",
	} {
		resp, a := s.create(form(file("first.txt", "first"), part{header, "x"}))
		if resp.StatusCode != http.StatusBadRequest || a.Error.ErrorCode != "77102" {
			t.Errorf("%s: %d %.200s", what, resp.StatusCode, a.text)
		}
		if n := s.census.count(); n != 0 {
			t.Errorf("%s: %d objects are stored", what, n)
		}
	}
}

// No header of a part decides where its bytes are stored.
func TestNamesThatArePathsLeadNowhere(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "store")
	st, err := store.Disk(dir)
	if err != nil {
		t.Fatal(err)
	}
	cfg := config()
	cfg.Store = st
	s := serve(t, cfg)
	names := []string{
		"../../etc/passwd", `..\..\boot.ini`, "/etc/passwd", `C:\boot.ini`, "....//x", ".incoming", ".content-type",
		"a/../../b", "%2e%2e%2fx", "con", "a:b",
	}
	for _, name := range names {
		for _, c := range []struct {
			header string
			status int
		}{
			{`Content-Disposition: form-data; name="fileList"; filename="` + name + `"`, 201},
			{`Content-Disposition: form-data; name="` + name + `"; filename="x"`, 400}, // another field
		} {
			resp, a := s.create(form(part{c.header + "\n", "bytes"}))
			if resp.StatusCode != c.status {
				t.Errorf("%s: %d %s, want %d", c.header, resp.StatusCode, a.text, c.status)
			}
			for _, f := range a.Files {
				if strings.ContainsAny(f.FileName, `/\`) {
					t.Errorf("%s: fileName %q", c.header, f.FileName)
				}
			}
		}
	}
	err = filepath.WalkDir(parent, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if inFiles := filepath.Dir(path) == filepath.Join(dir, "ncloudmailer", "files"); string(b) == "bytes" &&
			(!inFiles || len(d.Name()) != 39) {
			t.Errorf("a file lies at %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestDeclaredSizeThatLies(t *testing.T) {
	s := serve(t, config())
	whole := form(file("a.txt", "first"), file("b.txt", "second"))
	for _, c := range []struct {
		what   string
		length string
		status []int
	}{
		{"less than there is", fmt.Sprint(len(whole) - 40), []int{400}},
		{"more than there is", fmt.Sprint(len(whole) + 1), []int{400}},
		{"a number that none holds", "9223372036854775808", []int{400}},
		{"two numbers", fmt.Sprintf("%d\nContent-Length: %d", len(whole), len(whole)-1), []int{400}},
	} {
		t.Run(c.what, func(t *testing.T) {
			conn := knock(t, s, http.MethodPost, "/api/v1/files",
				"Content-Type: "+formType+"\nContent-Length: "+c.length+"\n\n", whole)
			if strings.HasPrefix(c.what, "more") || strings.HasPrefix(c.what, "the largest") {
				conn.(*net.TCPConn).CloseWrite() // otherwise the server waits for more
			}
			got := standintest.Statuses(t, conn)
			if len(got) == 0 || got[0] != c.status[0] {
				t.Errorf("answers %v, want %v", got, c.status)
			}
			for _, status := range got {
				if status/100 != 4 {
					t.Errorf("answers %v: what was behind the body was taken for a request", got)
				}
			}
			if n := s.census.count(); n != 0 {
				t.Errorf("%d objects are stored", n)
			}
		})
	}
}

func TestNULAndControlCharactersInAddresses(t *testing.T) {
	s := serve(t, config())
	_, created := s.create(form(file("a.txt", "file")))
	for _, c := range []string{"\x00", "\x01", "\t", "\n", "\x7f", "\u0085", "\u202e"} {
		escaped := url.PathEscape(c)
		for _, uri := range []string{"/api/v1/files/" + created.TempRequestID + escaped, "/api/v1/files/" + escaped,
			"/api/v1/" + escaped, "/" + escaped + "/api/v1/files"} {
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				if resp, a := s.send(s.request(method, uri, nil)); resp.StatusCode != 400 && resp.StatusCode != 404 {
					t.Errorf("%s %s: %d %s", method, uri, resp.StatusCode, a.text)
				}
			}
		}
	}
	for line := range strings.Lines(s.log.String()) {
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x00\x01\x7f\u0085\u202e\r") {
			t.Errorf("in the log: %q", line)
		}
	}
	if got, _ := s.stored(created.Files[0].FileID); got != "file" {
		t.Errorf("stored in the end: %q", got)
	}
}
