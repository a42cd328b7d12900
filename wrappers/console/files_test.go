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
		a := s.ask(http.MethodGet, "files/ncloudmailer/"+res.ID+"/content", "").Is(http.StatusOK)
		if a.Text != content {
			t.Errorf("%s has %d bytes", name, len(a.Text))
		}
		disposition, params, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
		if err != nil || disposition != "attachment" || params["filename"] != res.Name {
			t.Errorf("%s: it is saved by %q", name, a.Header.Get("Content-Disposition"))
		}
		policy, sniffing := a.Header.Get("Content-Security-Policy"), a.Header.Get("X-Content-Type-Options")
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
	_, id := s.uploaded("hello")
	for _, word := range []string{"Pending", "Failed", "Being looked at"} {
		s.change(http.MethodPut, "files/twentyfourseven/"+id+"/status", `{"status":"`+word+`"}`, nil)
		s.call(http.MethodGet, s.url+"/v1/fileUpload/"+id, nil, "Authorization", bearer).
			Is(http.StatusOK, `"status":"`+word+`"`)
	}
}

// bucket is a store that cannot list what it holds.
type bucket struct{ store.Store }

func TestFilesInABucketAreThoseOfTheExchanges(t *testing.T) {
	s := serve(t, console.Config{}, bucket{store.Memory(0)})
	res := s.sent("invoice.pdf", "%PDF-1.7")
	_, id := s.uploaded("hello")
	s.initiate() // no file is sent to this one
	files := s.files()
	if len(files) != 2 || files[0].FileID != id || files[0].Size != 5 ||
		files[1].FileID != res.ID || files[1].Name != "invoice.pdf" {
		t.Errorf("got %+v", files)
	}
	s.ask(http.MethodGet, "files/ncloudmailer/"+res.ID+"/content", "").Is(http.StatusOK, "%PDF-1.7")
	s.change(http.MethodPost, "reset", "{}", nil)
	if n := len(s.files()); n != 0 {
		t.Errorf("%d files are listed after a reset", n)
	}
}
