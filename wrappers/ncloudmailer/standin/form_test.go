package standin_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/ncloudmailer/standin"
	"github.com/putpost/putpost/wrappers/store"
)

func TestNamesLoseTheirDirectories(t *testing.T) {
	s := serve(t, standin.Config{})
	for _, c := range []struct{ disposition, want string }{
		{`filename="plain.txt"`, "plain.txt"},
		{`filename=token.txt`, "token.txt"},
		{`filename="송장 2026년.pdf"`, "송장 2026년.pdf"},
		{`filename="test\resources\test.txt"`, "test.txt"}, // the provider's example
		{`filename="C:\\dir\\test.txt"`, "test.txt"},       // Go, older curl
		{`filename="C:\dir\(1) [x].txt"`, "(1) [x].txt"},   // a backslash does not escape "("
		{`filename="\\server\share\new.txt"`, "new.txt"},   //
		{`filename="a/b\c/d.txt"`, "d.txt"},                //
		{`filename="../../etc/passwd"`, "passwd"},          //
		{`filename="..\..\boot.ini"`, "boot.ini"},          //
		{`filename="C:\\a \"quoted\" name.txt"`, `a "quoted" name.txt`},
		{`filename="a \"quoted\" name.txt"`, `a "quoted" name.txt`},       // Go, older curl
		{`filename="a %22quoted%22 name.txt"`, "a %22quoted%22 name.txt"}, // browsers, newer curl, or the name itself
		{`filename="100%.txt"`, "100%.txt"},
		{`filename="it's; a=b, c.txt"`, "it's; a=b, c.txt"},
		{`filename="...hidden"`, "...hidden"},
		{`filename*=UTF-8''%EC%86%A1%EC%9E%A5.pdf`, "송장.pdf"},
		{`filename="fallback.pdf"; filename*=UTF-8''%EC%86%A1%EC%9E%A5.pdf`, "송장.pdf"},
	} {
		a := s.create(form(part{`Content-Disposition: form-data; name="fileList"; ` + c.disposition + "\n", "x"}))
		if len(a.Files) != 1 || a.Files[0].FileName != c.want {
			t.Errorf("%s: %d %s, want %q", c.disposition, a.Status, a.Text, c.want)
		}
	}
}

func TestFileWithoutATypeIsOfTheDefault(t *testing.T) {
	s := serve(t, standin.Config{})
	for header, want := range map[string]string{
		"": store.DefaultContentType,
		"Content-Type: text/plain; charset=utf-8\n": "text/plain; charset=utf-8",
		"Content-Type: Application/PDF\n":           "Application/PDF",
	} {
		a := s.create(form(part{`Content-Disposition: form-data; name="fileList"; filename="x"` + "\n" +
			header, "x"}))
		if len(a.Files) != 1 {
			t.Fatalf("%q: %s", header, a.Text)
		}
		if _, got := s.stored(a.Files[0].FileID); got != want {
			t.Errorf("%q: stored as %s, want %s", header, got, want)
		}
	}
}

func TestWrongFormsLeaveNothing(t *testing.T) {
	s := serve(t, standin.Config{})
	const field = `Content-Disposition: form-data; name="x"` + "\n"
	const good = `Content-Disposition: form-data; name="fileList"; filename="a.txt"` + "\n"
	whole := form(file("a.txt", "file"))
	for _, c := range []struct{ what, body, details string }{
		{"no body", "", "not a whole form"},
		{"a body that is no form", "upload test file", "not a whole form"},
		{"an empty form", form(), "no fileList"},
		{"another field", form(part{`Content-Disposition: form-data; name="file"; filename="a.txt"` + "\n", "x"}),
			"no fileList"},
		{"fileList in capitals", form(part{`Content-Disposition: form-data; name="FILELIST"; filename="a"` + "\n",
			"x"}),
			"no fileList"},
		{"no file name", form(part{`Content-Disposition: form-data; name="fileList"` + "\n", "x"}), "no file name"},
		{"a folder with a dot", form(file("a/.", "x")), "no file name"},
		{"a folder with two dots", form(file("../..", "x")), "no file name"},
		{"no Content-Disposition", form(part{"Content-Type: text/plain\n", "x"}), "Content-Disposition"},
		{"another disposition", form(part{`Content-Disposition: attachment; name="fileList"; filename="a"` + "\n",
			"x"}),
			"Content-Disposition"},
		{"two names", form(part{`Content-Disposition: form-data; name="fileList"; filename="a"; filename="b"` + "\n",
			"x"}),
			"Content-Disposition"},
		{"a name that does not end", form(part{`Content-Disposition: form-data; name="fileList"; filename="a` + "\n",
			"x"}),
			""},
		{"a control character in the name", form(file("a\x01.txt", "x")), ""},
		{"a control character of Unicode", form(file("a\u0085.txt", "x")), "control"},
		{"a line end by way of filename*",
			form(part{`Content-Disposition: form-data; name="fileList"; filename*=UTF-8''a%0D%0Ab` + "\n", "x"}),
			"control"},
		{"a name in another encoding", form(file("\xbc\xdb\xc0\xe5.txt", "x")), "UTF-8"},
		{"a type that is none", form(part{good + "Content-Type: text\n", "x"}), "media type"},
		{"a type with a control character", form(part{good + "Content-Type: text/plain; x=\"\x01\"\n", "x"}), ""},
		{"a type outside ASCII", form(part{good + "Content-Type: text/plain; x=\"é\"\n", "x"}), "plain text"},
		{"an endless type", form(part{good + "Content-Type: text/" + strings.Repeat("x", 300) + "\n", "x"}),
			"too long"},
		{"a length that is too large", form(file("good.txt", "good"), part{good + "Content-Length: 5\n", "four"}),
			"declares 5 bytes and has 4"},
		{"a length that is too small", form(part{good + "Content-Length: 3\n", "four"}), "declares 3 bytes and has 4"},
		{"a length that is no number", form(part{good + "Content-Length: four\n", "four"}), "not a number"},
		{"a negative length", form(part{good + "Content-Length: -1\n", "four"}), "not a number"},
		{"base64", form(part{good + "Content-Transfer-Encoding: base64\n", "Zm91cg=="}), "Transfer-Encoding"},
		{"quoted-printable", form(part{good + "Content-Transfer-Encoding: quoted-printable\n", "a=3Db"}),
			"Transfer-Encoding"},
		{"torn in a header", whole[:80], "not a whole form"},
		{"torn in a file", whole[:strings.Index(whole, "file\r\n--")+2], "breaks off"},
		{"a second part that is wrong", form(file("a.txt", "first"), file("", "second")), "no file name"},
		{"endless headers", form(part{good + "X: " + strings.Repeat("x", 2<<20) + "\n", "x"}), ""},
		{"another field without an end", form(file("a.txt", "first"), part{field, strings.Repeat("x", 2<<20)}), ""},
		{"a boundary that never comes", strings.Repeat(strings.Repeat("x", 100)+"\r\n", 20<<10), ""},
		{"much behind the form", whole + strings.Repeat("x", 2<<20), "behind the form"},
	} {
		s.refused(c.what, formType, c.body, 400, "77102", c.details)
	}
	for _, c := range []struct {
		what, contentType, body string
		status                  int
		code, details           string
	}{
		{"JSON", "application/json", "{}", 415, "77002", ""},
		{"no Content-Type", "", whole, 415, "77002", ""},
		{"another multipart", "multipart/mixed; boundary=" + boundary, whole, 415, "77002", ""},
		{"a Content-Type that is none", "multipart", whole, 415, "77002", ""},
		{"no boundary", "multipart/form-data", whole, 400, "77102", ""},
		{"another boundary", "multipart/form-data; boundary=x", whole, 400, "77102", "not a whole form"},
	} {
		s.refused(c.what, c.contentType, c.body, c.status, c.code, c.details)
	}
}

// refused sends a form that must be refused and leave nothing.
func (s *service) refused(what, contentType, body string, status int, code, details string) {
	s.t.Helper()
	a := s.post(body, contentType).is(status, code)
	if a.Error.Message == "" || !strings.Contains(a.Error.Details, details) {
		s.t.Errorf("%s: %.300s, want %s", what, a.Text, details)
	}
	if n := s.count(); n != 0 {
		s.t.Errorf("%s: %d objects are stored", what, n)
	}
	if !strings.Contains(s.log.String(), a.Header.Get("x-ncp-trace-id")) {
		s.t.Errorf("%s: the reason is not logged", what)
	}
}

// A form that is cut at any byte is refused. Only the last line end may be
// missing.
func TestFormCutAnywhereLeavesNothing(t *testing.T) {
	s := serve(t, standin.Config{})
	whole := form(file("a.txt", "first"), file("b.txt", "second"))
	post := func(body string) int { return s.direct(io.MultiReader(strings.NewReader(body))).Code }
	for n := range len(whole) {
		if n == len(whole)-2 {
			continue
		}
		if status := post(whole[:n]); status != http.StatusBadRequest {
			t.Errorf("%q: status %d, want 400", whole[max(0, n-30):n], status)
		}
		if s.count() != 0 {
			t.Fatalf("%q: %d objects are stored", whole[max(0, n-30):n], s.count())
		}
	}
	for _, n := range []int{len(whole) - 2, len(whole)} {
		if status := post(whole[:n]); status != http.StatusCreated {
			t.Errorf("%q: status %d, want 201", whole[n-30:n], status)
		}
	}
}

func TestFilesTogetherAreLimited(t *testing.T) {
	s := serve(t, standin.Config{MaxSize: 1 << 20})
	half := strings.Repeat("x", 1<<19)
	for what, body := range map[string]string{
		"one file":                    form(file("a", half+half+"x")),
		"two files":                   form(file("a", half), file("b", half+"x")),
		"one that says so beforehand": form(file("a", strings.Repeat("x", 4<<20))),
	} {
		for _, stream := range []io.Reader{strings.NewReader(body),
			io.MultiReader(strings.NewReader(body))} { // with a length, and without
			a := s.send(s.request(http.MethodPost, "/api/v1/files", stream, "Content-Type", formType)).is(413, "430")
			if n := s.count(); n != 0 {
				t.Errorf("%s: %d objects are stored, though the answer is %s", what, n, a.Text)
			}
		}
	}
	s.create(form(file("a", half), file("b", half))).is(201, "")
}

func TestFullStoreIsTooLarge(t *testing.T) {
	s := serve(t, standin.Config{Store: store.Memory(1 << 20)})
	s.create(form(file("a.txt", "small"), file("b.txt", strings.Repeat("x", 4<<20)))).is(413, "430")
	if s.count() != 0 {
		t.Errorf("%d objects are stored", s.count())
	}
	s.create(form(file("a.txt", "small"))).is(201, "")
}

func TestStoreThatFailsIsAnInternalError(t *testing.T) {
	for what, fails := range map[string]func(key string, n int) bool{
		"in the first file":  func(_ string, n int) bool { return n == 1 },
		"in the second file": func(_ string, n int) bool { return n == 2 },
		"in the manifest":    func(key string, _ int) bool { return strings.HasSuffix(key, ".json") },
	} {
		n := 0
		s := serve(t, standin.Config{Store: failing{store.Memory(0).(store.Lister), func(key string) error {
			if n++; fails(key, n) {
				return errors.New("disk 7 is on fire")
			}
			return nil
		}}})
		a := s.create(form(file("a.txt", "first"), file("b.txt", "second"))).is(500, "77303")
		if strings.Contains(a.Text, "fire") || s.count() != 0 {
			t.Errorf("%s: the answer is %s, and %d objects are stored", what, a.Text, s.count())
		}
		if !strings.Contains(s.log.String(), "disk 7 is on fire") {
			t.Errorf("%s: the reason is not logged:\n%s", what, s.log)
		}
	}
}

// rawForm sends a form with a Content-Length that may be wrong.
func rawForm(t *testing.T, s *service, body string, length int) net.Conn {
	t.Helper()
	signed := http.Header{}
	sign(signed, http.MethodPost, "/api/v1/files", time.Now())
	var header strings.Builder
	signed.Write(&header)
	return standintest.Dial(t, s.url, fmt.Sprintf("POST /api/v1/files HTTP/1.1\nHost: x\n%sContent-Length: %d\n"+
		"Content-Type: %s\n\n%s", &header, length, formType, body))
}

func TestFormThatBreaksOffOrStallsLeavesNothing(t *testing.T) {
	s := serve(t, standin.Config{Stall: 50 * time.Millisecond})
	whole := form(file("a.txt", "first"), file("b.txt", "second"))
	for _, cut := range []int{0, 20, strings.Index(whole, "first") + 3, strings.Index(whole, "second") + 3,
		len(whole) - 3, len(whole)} {
		for _, c := range []struct {
			what   string
			status int
			code   string
		}{{"broken off", 400, `"77102"`}, {"silent", 504, `"510"`}} {
			conn := rawForm(t, s, whole[:cut], len(whole)+100)
			if c.what == "broken off" {
				conn.(*net.TCPConn).CloseWrite()
			}
			standintest.Receive(t, conn).Is(c.status, c.code)
			if n := s.count(); n != 0 {
				t.Errorf("%s at %d of %d: %d objects are stored", c.what, cut, len(whole), n)
			}
		}
	}
}

func TestThousandsOfPartsAreNotReadToTheirEnd(t *testing.T) {
	for what, p := range map[string]part{
		"files":        file("a.txt", "x"),
		"other fields": {"Content-Disposition: form-data; name=\"x\"\n", ""},
	} {
		s := serve(t, standin.Config{})
		one := strings.TrimSuffix(form(p), "--"+boundary+"--\r\n")
		body := strings.NewReader(strings.Repeat(one, 100_000))
		w := s.direct(body)
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
		if a := serve(t, standin.Config{}).create(form(c.parts...)); a.Status != c.status {
			t.Errorf("%s: %d %s, want %d", what, a.Status, a.Text, c.status)
		}
	}
}

func TestBoundaryIsLimited(t *testing.T) {
	s := serve(t, standin.Config{})
	for n, status := range map[int]int{1: 201, 70: 201, 71: 400, 4096: 400, 500_000: 400} {
		long := strings.Repeat("b", n)
		body := strings.ReplaceAll(form(file("a.txt", "file")), boundary, long)
		if a := s.post(body, "multipart/form-data; boundary="+long); a.Status != status {
			t.Errorf("%d characters: %d %s, want %d", n, a.Status, a.Text, status)
		}
	}
	if log := s.log.String(); !strings.Contains(log, "77102 BAD_REQUEST: The boundary has 71 characters") {
		t.Errorf("the log has %q", log)
	}
}
