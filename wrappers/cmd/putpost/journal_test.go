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

	first := invoke(s.env, nil, args...)
	if first.code != 0 || len(rows(first.stdout)) != 6 || n.Load() != 6 {
		t.Fatalf("the first run sent %d: %+v", n.Load(), first)
	}
	for _, want := range []string{"same: named twice; sent once", "journal: left out, since it is the journal"} {
		if !strings.Contains(first.stderr, want) {
			t.Errorf("there is no %q in %s", want, first.stderr)
		}
	}
	second := invoke(s.env, nil, args...)
	if second.code != 0 || second.stdout != "" || n.Load() != 6 ||
		!strings.Contains(second.stderr, "0 sent; 6 sent before") {
		t.Errorf("the second run sent %d more: %+v", n.Load()-6, second)
	}

	info, err := os.Stat(at("swapped"))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(at("longer"), []byte("12345"), 0o644)
	os.Chtimes(at("touched"), time.Time{}, time.Now().Add(time.Second))
	os.Chmod(at("mode"), 0o600) // does not change the content
	changed := 2
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" { // they have a change time
		os.WriteFile(at("swapped"), []byte("4321"), 0o644)
		os.Chtimes(at("swapped"), time.Time{}, info.ModTime())
		changed = 3
	}
	third := invoke(s.env, nil, args...)
	if third.code != 0 || len(rows(third.stdout)) != changed {
		t.Errorf("the third run sent %q, want the %d that changed: %+v", third.stdout, changed, third)
	}
	// A relative path names the same files.
	t.Chdir(dir)
	if got := s.send("ncloudmailer", "--journal", "journal", "./longer",
		"../"+filepath.Base(dir)+"/touched"); got.code != 0 || got.stdout != "" {
		t.Errorf("the fourth run: %+v", got)
	}
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
	if got := invoke(s.env, nil, args...); got.code != 1 || len(rows(got.stdout)) != 1 {
		t.Fatalf("the first run: %+v", got)
	}
	if got := invoke(s.env, nil, args...); got.code != 0 || len(rows(got.stdout)) != 1 {
		t.Errorf("the second run: %+v", got)
	}
}

func TestASentFileWithoutDocumentIsOnlyWaitedFor(t *testing.T) {
	s := newService(t)
	n := s.sends()
	path := filepath.Join(files(t, "a", "a"), "a")
	args := []string{"send", "--to", "twentyfourseven", "--journal", filepath.Join(t.TempDir(), "j"), path}
	first := invoke(s.env, nil, args...)
	id, _, _ := strings.Cut(first.stdout, "\t")
	second := invoke(s.env, nil, append(args, "--wait")...)
	if lines := rows(second.stdout); second.code != 0 || len(lines) != 1 || len(lines[0]) != 3 || lines[0][0] != id ||
		lines[0][2] == "" {
		t.Fatalf("the second run printed %q for %q", second.stdout, first.stdout)
	}
	status := invoke(s.env, nil, "getFileUploadStatus", id)
	if want := id + "\tCompleted\t" + rows(second.stdout)[0][2] + "\n"; status.code != 0 || status.stdout != want {
		t.Errorf("getFileUploadStatus printed %+v, want %q", status, want)
	}
	third := invoke(s.env, nil, append(args, "--wait")...)
	if third.code != 0 || third.stdout != "" {
		t.Errorf("the third run: %+v", third)
	}
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
	if got := invoke(s.env, nil, args...); got.code != 1 || got.stdout != "" ||
		!strings.Contains(got.stderr, "sent as ") {
		t.Fatalf("the first run: %+v", got)
	}
	n := s.sends()
	if got := invoke(s.env, nil, args...); got.code != 0 || len(rows(got.stdout)) != 1 || n.Load() != 1 {
		t.Errorf("the second run sent %d: %+v", n.Load(), got)
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
		if got := invoke(tc.env, nil, args...); got.code != 0 || !strings.Contains(got.stderr, "1 sent before") {
			t.Errorf("%s, the same account: %+v", provider, got)
		}
		got := invoke(with(tc.env, tc.account, "other"), nil, args...)
		if got.code != exitUsage || !strings.Contains(got.stderr, "is for uploads of another account") {
			t.Errorf("%s, another account: %+v", provider, got)
		}
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
	if got := invoke(s.env, nil, args...); got.code != 0 {
		t.Fatalf("got %+v", got)
	}
	if got := invoke(nil, nil, "journal", "check", path); got.code != 0 || got.stdout != "" ||
		!strings.Contains(got.stderr, "no damage") {
		t.Errorf("without damage: got %+v", got)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] = 0
	must(t, os.WriteFile(path, content, 0o600))
	if got := invoke(s.env, nil, args...); got.code != exitUsage ||
		!strings.Contains(got.stderr, "putpost journal repair") {
		t.Errorf("a run: got %+v", got)
	}
	check := invoke(nil, nil, "journal", "check", path)
	if lines := rows(check.stdout); check.code != 1 || len(lines) != 1 || len(lines[0]) != 4 || lines[0][0] != "2" ||
		filepath.Dir(lines[0][3]) != dir {
		t.Errorf("check: got %+v", check)
	}
	repair := invoke(nil, nil, "journal", "repair", path)
	if repair.code != 0 || repair.stdout != check.stdout ||
		!strings.Contains(repair.stderr, "the original is "+path+".damaged") {
		t.Errorf("repair: got %+v", repair)
	}
	if got := invoke(s.env, nil, args...); got.code != 0 || len(rows(got.stdout)) != 1 {
		t.Errorf("the next run: got %+v", got)
	}
	for _, verb := range []string{"check", "repair"} {
		if got := invoke(nil, nil, "journal", verb, "missing"); got.code != 1 ||
			!strings.Contains(got.stderr, "no such file") {
			t.Errorf("%s of a missing one: got %+v", verb, got)
		}
	}
}
