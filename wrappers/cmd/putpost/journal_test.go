package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// sends counts the uploads that arrive, even if they fail.
func (s *service) sends() *atomic.Int64 {
	var n atomic.Int64
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut || r.Method == http.MethodPost &&
			strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			n.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	return &n
}

func TestASecondRunSendsOnlyWhatChanged(t *testing.T) {
	s := newService(t)
	n := s.sends()
	dir := files(t, "same", "same", "longer", "1234", "touched", "1234", "swapped", "1234", "mode",
		"1234", "\xff\xfe/a", "not UTF-8")
	at := func(name string) string { return filepath.Join(dir, name) }
	journal := at("journal") // in the folder that is sent
	args := []string{"send", "--to", "ncloudmailer", "--journal", journal, "-r", dir, at("same")}

	invoke(s.env, nil, args...).is(t, 0, 6, "same: named twice; sent once",
		"journal: left out, since it is the journal")
	invoke(s.env, nil, args...).is(t, 0, 0, "0 sent; 6 sent before")
	if n.Load() != 6 {
		t.Errorf("two runs sent %d files", n.Load())
	}

	info, err := os.Stat(at("swapped"))
	must(t, err)
	os.WriteFile(at("longer"), []byte("12345"), 0o644)
	os.Chtimes(at("touched"), time.Time{}, time.Now().Add(time.Second))
	os.Chmod(at("mode"), 0o600) // does not change the content
	changed := 2
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" { // they have a change time
		os.WriteFile(at("swapped"), []byte("4321"), 0o644)
		os.Chtimes(at("swapped"), time.Time{}, info.ModTime())
		changed = 3
	}
	invoke(s.env, nil, args...).is(t, 0, changed)
	// A relative path names the same files.
	t.Chdir(dir)
	s.send("ncloudmailer", "--journal", "journal", "./longer", "../"+filepath.Base(dir)+"/touched").is(t, 0, 0)
}

func TestAFailedFileIsNotInTheJournal(t *testing.T) {
	s := newService(t)
	dir := files(t, "a", "a", "b", "b")
	var calls atomic.Int64
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if calls.Add(1) == 1 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
	args := []string{"send", "--to", "ncloudmailer", "-c", "1", "--journal", filepath.Join(t.TempDir(), "j"), "-r", dir}
	invoke(s.env, nil, args...).is(t, 1, 1)
	invoke(s.env, nil, args...).is(t, 0, 1)
}

func TestASentFileWithoutDocumentIsOnlyWaitedFor(t *testing.T) {
	s := newService(t)
	n := s.sends()
	path := filepath.Join(files(t, "a", "a"), "a")
	args := []string{"send", "--to", "twentyfourseven", "--journal", filepath.Join(t.TempDir(), "j"), path}
	id, _, _ := strings.Cut(invoke(s.env, nil, args...).stdout, "\t")
	second := invoke(s.env, nil, append(args, "--wait")...).is(t, 0, 1)
	lines := rows(second.stdout)
	if len(lines) != 1 || len(lines[0]) != 3 || lines[0][0] != id || lines[0][2] == "" {
		t.Fatalf("the second run printed %q for %q", second.stdout, id)
	}
	invoke(s.env, nil, "getFileUploadStatus", id).prints(t, id+"\tCompleted\t"+lines[0][2]+"\n")
	invoke(s.env, nil, append(args, "--wait")...).is(t, 0, 0)
	if n.Load() != 1 {
		t.Errorf("the file was sent %d times", n.Load())
	}
}

func TestAFileThatTheProviderRejectedIsSentAgain(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "a", "a"), "a")
	args := []string{"send", "--to", "twentyfourseven", "--wait", "--journal", filepath.Join(t.TempDir(), "j"), path}
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if id, ok := strings.CutPrefix(r.URL.Path, "/v1/fileUpload/"); ok {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"fileId":%q,"status":"Failed"}`, id)
			return
		}
		next.ServeHTTP(w, r)
	})
	invoke(s.env, nil, args...).is(t, 1, 0, "sent as ")
	n := s.sends()
	invoke(s.env, nil, args...).is(t, 0, 1)
	if n.Load() != 1 {
		t.Errorf("the second run sent %d", n.Load())
	}
}

// An access key identifies NAVER's account. The journal must not hold the key.
func TestAJournalIsOfOneAccount(t *testing.T) {
	s := newService(t)
	path := filepath.Join(files(t, "a", "a"), "a")
	for provider, tc := range map[string]struct {
		env     map[string]string
		account string // the variable that tells accounts apart
	}{
		"ncloudmailer":    {s.env, ncpAccessKey},
		"twentyfourseven": {with(s.env, tfsToken, ""), tfsOrganization},
	} {
		noted := filepath.Join(t.TempDir(), "j")
		args := []string{"send", "--to", provider, "--journal", noted, path}
		invoke(tc.env, nil, args...)
		content, _ := os.ReadFile(noted)
		if !bytes.Contains(content, []byte(`"account":"`)) || bytes.Contains(content, []byte(s.env[ncpAccessKey])) {
			t.Errorf("%s: the journal shows the key, or no account: %s", provider, content)
		}
		invoke(tc.env, nil, args...).is(t, 0, 0, "1 sent before")
		invoke(with(tc.env, tc.account, "other"), nil, args...).refused(t, exitUsage,
			"is for uploads of another account")
	}
}

func TestAJournalKnowsStandInsOnOtherPortsButNoOtherAddresses(t *testing.T) {
	p := providers["ncloudmailer"]
	at := func(base string) string {
		return p.destination(environ(map[string]string{ncpBaseURL: base}))
	}
	for _, base := range []string{"http://127.0.0.1:8080/api/v1", "http://127.0.0.1:9/api/v1/",
		"http://localhost/api/v1", "http://[::1]:80/api/v1"} {
		if got, want := at(base), "http://loopback/api/v1"; got != want {
			t.Errorf("%s: got %q, want %q", base, got, want)
		}
	}
	if got, want := at(""), "https://mail.apigw.ntruss.com/api/v1"; got != want {
		t.Errorf("unset: got %q, want %q", got, want)
	}
	if got, want := at("https://Mail.apigw.ntruss.com:444/api/v1-sgn/"),
		"https://mail.apigw.ntruss.com:444/api/v1-sgn"; got != want {
		t.Errorf("another port: got %q, want %q", got, want)
	}
}

func TestADamagedJournalIsCheckedAndRepaired(t *testing.T) {
	s := newService(t)
	dir, path := small(t, 3), filepath.Join(t.TempDir(), "j")
	args := []string{"send", "--to", "ncloudmailer", "--journal", path, "-r", dir}
	invoke(s.env, nil, args...).is(t, 0, 3)
	invoke(nil, nil, "journal", "check", path).is(t, 0, 0, "no damage")
	content, err := os.ReadFile(path)
	must(t, err)
	content[len(content)/2] = 0
	must(t, os.WriteFile(path, content, 0o600))
	invoke(s.env, nil, args...).refused(t, exitUsage, "putpost journal repair")
	check := invoke(nil, nil, "journal", "check", path).is(t, 1, 1)
	for _, row := range rows(check.stdout) {
		if len(row) != 4 || row[0] != "2" || filepath.Dir(row[3]) != dir {
			t.Errorf("check: got %+v", check)
		}
	}
	invoke(nil, nil, "journal", "repair", path).is(t, 0, 1, "the original is "+path+".damaged").prints(t, check.stdout)
	invoke(s.env, nil, args...).is(t, 0, 1)
	for _, verb := range []string{"check", "repair"} {
		invoke(nil, nil, "journal", verb, "missing").refused(t, 1, "no such file")
	}
}
