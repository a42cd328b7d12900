package console_test

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strings"
	"testing"

	api "github.com/putpost/putpost/gen/console"
	"github.com/putpost/putpost/wrappers/console"
	"github.com/putpost/putpost/wrappers/store"
)

func TestFilesAreShownAndGivenBack(t *testing.T) {
	s := serve(t, console.Config{})
	large := strings.Repeat("large\x00\xff", 1<<18)
	for name, content := range map[string]string{
		"empty.txt": "", "invoice.pdf": "%PDF-1.7", "large.bin": large,
		"<img src=x onerror=alert(1)>.html": "<script>alert(1)</script>",
		`a "quoted"; name\, 100%.txt`:       "quoted", "송장 2026년.pdf": "korean",
	} {
		res := s.sent(name, content)
		sum := sha256.Sum256([]byte(content))
		want := hex.EncodeToString(sum[:])
		f := get[api.File](s, "files/ncloudmailer/"+res.ID)
		if f.Provider != "ncloudmailer" || f.FileID != res.ID || f.Name != res.Name || f.Size != int64(len(content)) ||
			f.ContentType == "" || f.Sha256 == nil || *f.Sha256 != want || f.Time.IsZero() {
			t.Errorf("%s: got %+v, want the SHA-256 %s", name, f, want)
		}
		if first := s.files()[0]; first.FileID != res.ID || (first.Sha256 != nil) != (len(content) <= 1<<20) {
			t.Errorf("%s: the first of the list is %+v", name, first)
		}
		resp, text := s.ask(http.MethodGet, "files/ncloudmailer/"+res.ID+"/content", "")
		if text != content || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s with %d bytes", name, resp.Status, len(text))
		}
		disposition, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if err != nil || disposition != "attachment" || params["filename"] != res.Name {
			t.Errorf("%s: it is saved by %q", name, resp.Header.Get("Content-Disposition"))
		}
		policy, sniffing := resp.Header.Get("Content-Security-Policy"), resp.Header.Get("X-Content-Type-Options")
		if !strings.Contains(policy, "sandbox") || sniffing != "nosniff" {
			t.Errorf("%s: the policy is %q, and %q", name, policy, sniffing)
		}
	}
	if n := len(get[api.FileList](s, "files?limit=2&provider=ncloudmailer").Files); n != 2 {
		t.Errorf("%d files are listed, want 2", n)
	}
}

func TestAStatusIsSet(t *testing.T) {
	s := serve(t, console.Config{})
	target, id, _ := s.initiate("test-token")
	if status := s.put(target, "text/plain", "hello"); status != http.StatusOK {
		t.Fatal(status)
	}
	for _, word := range []string{"Pending", "Failed", "Being looked at"} {
		s.change(http.MethodPut, "files/twentyfourseven/"+id+"/status", `{"status":"`+word+`"}`, nil)
		_, text := s.call(http.MethodGet, s.url+"/v1/fileUpload/"+id, nil, "Authorization", bearer)
		if !strings.Contains(text, `"status":"`+word+`"`) {
			t.Errorf("the status is %s, want %s", text, word)
		}
	}
}

// bucket is a store that cannot list what it holds.
type bucket struct{ store.Store }

func TestFilesInABucketAreThoseOfTheExchanges(t *testing.T) {
	s := serve(t, console.Config{}, bucket{store.Memory(0)})
	res := s.sent("invoice.pdf", "%PDF-1.7")
	target, id, _ := s.initiate("test-token")
	s.initiate("test-token") // no file is sent to this one
	if status := s.put(target, "text/plain", "hello"); status != http.StatusOK {
		t.Fatal(status)
	}
	files := s.files()
	if len(files) != 2 || files[0].FileID != id || files[0].Size != 5 ||
		files[1].FileID != res.ID || files[1].Name != "invoice.pdf" {
		t.Errorf("got %+v", files)
	}
	if resp, text := s.ask(http.MethodGet, "files/ncloudmailer/"+res.ID+"/content", ""); text != "%PDF-1.7" {
		t.Errorf("%s: %q", resp.Status, text)
	}
	s.change(http.MethodPost, "reset", "{}", nil)
	if n := len(s.files()); n != 0 {
		t.Errorf("%d files are listed after a reset", n)
	}
}
