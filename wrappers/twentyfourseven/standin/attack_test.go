package standin_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

const asksForToken = "POST /oauth/token HTTP/1.1\nHost: x\n" +
	"Content-Type: application/x-www-form-urlencoded\nContent-Length: 1000\n\n"

// The form that asks for a token is the only body that is read from an unknown
// caller.
func TestBodyThatIsNoFileCannotTrickle(t *testing.T) {
	cfg := config()
	cfg.Stall = 200 * time.Millisecond
	s := serve(t, cfg)
	for what, head := range map[string]string{
		"a form": asksForToken,
		"JSON": "POST /v1/fileUpload HTTP/1.1\nHost: x\nAuthorization: Bearer " + token +
			"\nContent-Type: application/json\nContent-Length: 1000\n\n",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			conn := standintest.Dial(t, s.url, head)
			go func() {
				for {
					if _, err := io.WriteString(conn, " "); err != nil {
						return
					}
					time.Sleep(cfg.Stall / 10)
				}
			}()
			begun := time.Now()
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != http.StatusBadRequest {
				t.Fatalf("%v, %v; want 400", resp, err)
			}
			if took := time.Since(begun); took > 20*cfg.Stall {
				t.Errorf("answered after %s", took)
			}
		})
	}
}

// A body of another size than declared is cut there or refused. Its other bytes
// never become a request.
func TestDeclaredSizeThatLies(t *testing.T) {
	cfg := config()
	cfg.Store = store.Memory(0)
	s := serve(t, cfg)
	i := s.initiate("a/b")
	u, err := url.Parse(i.UploadURL)
	if err != nil {
		t.Fatal(err)
	}
	head := "PUT " + u.RequestURI() + " HTTP/1.1\nHost: x\nContent-Type: a/b\n"
	smuggled := "PUT " + u.RequestURI() + " HTTP/1.1\nHost: x\nContent-Type: a/b\nContent-Length: 8\n\nsmuggled"
	for _, c := range []struct {
		what, rest string
		status     []int
		stored     string
		endless    bool
	}{
		{"more than declared", "Content-Length: 4\n\nfile and more\n\n", []int{200, 400}, "file", false},
		{"less than declared", "Content-Length: 40\n\nfile", []int{400}, "nothing", true},
		{"the largest number", "Content-Length: 9223372036854775807\n\nfile", []int{400}, "nothing", true},
		{"a size and chunks", fmt.Sprintf("Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n%s", smuggled), []int{411},
			"nothing", false},
		{"chunks of another kind", "Content-Length: 4\nTransfer-Encoding: gzip, chunked\n\nfile", []int{501}, "nothing",
			false},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := cfg.Store.Delete(t.Context(), "twentyfourseven/files/"+i.FileID); err != nil {
				t.Fatal(err)
			}
			conn := standintest.Dial(t, s.url, head+c.rest)
			if c.endless {
				conn.(*net.TCPConn).CloseWrite() // otherwise the server waits for more
			}
			if got := standintest.Statuses(t, conn); fmt.Sprint(got) != fmt.Sprint(c.status) {
				t.Errorf("answers %v, want %v", got, c.status)
			}
			if got, _ := s.stored(i.FileID); got != c.stored {
				t.Errorf("stored %q, want %q", got, c.stored)
			}
		})
	}
}

func TestNULAndControlCharacters(t *testing.T) {
	s := serve(t, config())
	i := s.initiate("a/b")
	for _, c := range []string{"\x00", "\x01", "\t", "\x7f", "\u0085", "\u2028", "\u202e"} {
		escaped := url.QueryEscape(c)
		for what, status := range map[string]int{
			"a type": s.try(http.MethodPost, "/v1/fileUpload", fmt.Sprintf(`{"contentType":"text/pl\u%04xain"}`,
				[]rune(c)[0])),
			"an id":      s.try(http.MethodGet, "/v1/fileUpload/"+i.FileID+escaped, ""),
			"a path":     s.try(http.MethodGet, "/v1/"+escaped, ""),
			"a URL":      s.try(http.MethodPut, strings.Replace(i.UploadURL, "?", escaped+"?", 1), "x"),
			"an end":     s.try(http.MethodPut, strings.Replace(i.UploadURL, "expires=", "expires="+escaped, 1), "x"),
			"a JSON key": s.try(http.MethodPost, "/v1/fileUpload", fmt.Sprintf(`{"contentType\u%04x":"a/b"}`, []rune(c)[0])),
		} {
			if status/100 != 4 || status == http.StatusUnauthorized {
				t.Errorf("%s with %q: status %d", what, c, status)
			}
		}
	}
	for line := range strings.Lines(s.log.String()) {
		if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x00\x01\x7f\u0085\u2028\u202e\r") {
			t.Errorf("in the log: %q", line)
		}
	}
	if got, _ := s.stored(i.FileID); got != "nothing" {
		t.Errorf("stored: %q", got)
	}
}

func TestLimitOfWhatIsNoFileIsSettable(t *testing.T) {
	body := func(n int) string {
		return `{"contentType":"a/b"}` + strings.Repeat(" ", n-len(`{"contentType":"a/b"}`))
	}
	for limit, most := range map[int64]int{0: 64 << 10, 100: 100, 1 << 20: 1 << 20} {
		cfg := config()
		cfg.MaxText = limit
		s := serve(t, cfg)
		if got := s.try(http.MethodPost, "/v1/fileUpload", body(most)); got != http.StatusOK {
			t.Errorf("MaxText %d: %d bytes: status %d", limit, most, got)
		}
		if got := s.try(http.MethodPost, "/v1/fileUpload", body(most+1)); got != http.StatusRequestEntityTooLarge {
			t.Errorf("MaxText %d: %d bytes: status %d", limit, most+1, got)
		}
	}
	cfg := config()
	cfg.MaxText = -1
	if _, err := standin.New(cfg); err == nil {
		t.Error("a negative MaxText is taken")
	}
}

// try sends an authorized request and returns the status.
func (s *service) try(method, target, body string) int {
	s.t.Helper()
	header := []string{"Content-Type", "a/b"}
	if strings.HasPrefix(target, "/v1/") {
		header = []string{"Content-Type", "application/json", "Authorization", "Bearer " + token}
	}
	resp, _ := s.do(method, target, strings.NewReader(body), header...)
	return resp.StatusCode
}
