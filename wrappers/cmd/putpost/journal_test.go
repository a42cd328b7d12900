package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// sends counts the uploads that arrive, whatever becomes of them.
func (s *service) sends() *atomic.Int64 {
	var n atomic.Int64
	s.intercept(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method == http.MethodPut || r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			n.Add(1)
		}
		next.ServeHTTP(w, r)
	})
	return &n
}

func TestASecondRunSendsOnlyWhatChanged(t *testing.T) {
	s := newService(t)
	n := s.sends()
	dir := files(t, "same", "same", "longer", "1234", "touched", "1234", "swapped", "1234", "mode", "1234", "\xff\xfe/a", "not UTF-8")
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
	if second.code != 0 || second.stdout != "" || n.Load() != 6 || !strings.Contains(second.stderr, "0 sent; 6 sent before") {
		t.Errorf("the second run sent %d more: %+v", n.Load()-6, second)
	}

	info, err := os.Stat(at("swapped"))
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(at("longer"), []byte("12345"), 0o644)
	os.Chtimes(at("touched"), time.Time{}, time.Now().Add(time.Second))
	os.Chmod(at("mode"), 0o600) // is not the file's content
	changed := 2
	if runtime.GOOS == "linux" || runtime.GOOS == "darwin" { // which have a change time
		os.WriteFile(at("swapped"), []byte("4321"), 0o644)
		os.Chtimes(at("swapped"), time.Time{}, info.ModTime())
		changed = 3
	}
	third := invoke(s.env, nil, args...)
	if third.code != 0 || len(rows(third.stdout)) != changed {
		t.Errorf("the third run sent %q, want the %d that changed: %+v", third.stdout, changed, third)
	}
	// By a relative path it is the same file.
	t.Chdir(dir)
	if got := invoke(s.env, nil, "send", "--to", "ncloudmailer", "--journal", "journal", "./longer", "../"+filepath.Base(dir)+"/touched"); got.code != 0 || got.stdout != "" {
		t.Errorf("the fourth run: %+v", got)
	}
}

func TestWhatTheProviderHasDeletedIsSentAgain(t *testing.T) {
	s := newService(t)
	n := s.sends()
	dir := files(t, "gone", "gone", "there", "there")
	journal := filepath.Join(t.TempDir(), "j")
	args := []string{"send", "--to", "ncloudmailer", "--journal", journal, "-r", dir}
	if got := invoke(s.env, nil, args...); got.code != 0 || n.Load() != 2 {
		t.Fatalf("the first run: %+v", got)
	}
	content, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	expires := regexp.MustCompile(`"expires":"[^"]*"`)
	lines := strings.SplitAfter(string(content), "\n")
	for i, line := range lines {
		if strings.Contains(line, `"name":"gone"`) {
			if lines[i] = expires.ReplaceAllString(line, `"expires":"2026-01-02T03:04:05Z"`); lines[i] == line {
				t.Fatalf("no expires in %s", line)
			}
		}
	}
	if err := os.WriteFile(journal, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	second := invoke(s.env, nil, args...)
	if got := rows(second.stdout); second.code != 0 || n.Load() != 3 || len(got) != 1 || got[0][1] != "gone" || !strings.Contains(second.stderr, "1 sent; 1 sent before") {
		t.Errorf("the second run: %+v", second)
	}
	if third := invoke(s.env, nil, args...); third.code != 0 || n.Load() != 3 {
		t.Errorf("the third run: %+v", third)
	}
}

func TestWhatFailedIsNotInTheJournal(t *testing.T) {
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

func TestWhatIsSentButNotWaitedForIsOnlyWaitedFor(t *testing.T) {
	s := newService(t)
	n := s.sends()
	path := filepath.Join(files(t, "a", "a"), "a")
	args := []string{"send", "--to", "twentyfourseven", "--journal", filepath.Join(t.TempDir(), "j"), path}
	first := invoke(s.env, nil, args...)
	id, _, _ := strings.Cut(first.stdout, "\t")
	second := invoke(s.env, nil, append(args, "--wait")...)
	if lines := rows(second.stdout); second.code != 0 || len(lines) != 1 || len(lines[0]) != 3 || lines[0][0] != id || lines[0][2] == "" {
		t.Errorf("the second run printed %q for %q", second.stdout, first.stdout)
	}
	third := invoke(s.env, nil, append(args, "--wait")...)
	if third.code != 0 || third.stdout != "" {
		t.Errorf("the third run: %+v", third)
	}
	if n.Load() != 1 {
		t.Errorf("the file was sent %d times", n.Load())
	}
}

func TestWhatTheProviderCouldNotTakeIsSentAgain(t *testing.T) {
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
	if got := invoke(s.env, nil, args...); got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "sent as ") {
		t.Fatalf("the first run: %+v", got)
	}
	n := s.sends()
	if got := invoke(s.env, nil, args...); got.code != 0 || len(rows(got.stdout)) != 1 || n.Load() != 1 {
		t.Errorf("the second run sent %d: %+v", n.Load(), got)
	}
}

// written is a journal of three files, as bytes.
func written(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "j")
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	for i, name := range []string{"/a", "/b", "/\xff"} {
		e := entryOf(upload.Result{ID: fmt.Sprint("id ", i), Name: name, Expires: time.Now().Add(time.Hour)})
		e.Path = name
		if err := j.add(e); err != nil {
			t.Fatal(err)
		}
	}
	if content, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return path, content
}

func TestATornLastLineIsRepairedWhereverItWasTorn(t *testing.T) {
	path, content := written(t)
	lines := strings.SplitAfter(string(content), "\n")
	for cut := range len(content) + 1 {
		if err := os.WriteFile(path, content[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		// A line is there when nothing but its newline may be missing.
		end, want, torn := 0, 0, cut > 0
		for _, line := range lines[:3] {
			if end += len(line); cut >= end-1 {
				want++
			}
			if cut == end || cut == end-1 {
				torn = false
			}
		}
		if info, err := j.file.Stat(); err != nil || info.Size() != j.size {
			t.Errorf("cut at %d: the file is taken for one of %d bytes, and is %v", cut, j.size, info)
		}
		if len(j.sent) != want || j.repaired != torn {
			t.Errorf("cut at %d: %d lines (repaired: %t), want %d (%t)", cut, len(j.sent), j.repaired, want, torn)
		}
		for i, path := range []string{"/a", "/b", "/\xff"} {
			e, ok, err := j.lookup(path)
			if err != nil || ok != (want > i) || ok && (e.Path != path || e.ID != fmt.Sprint("id ", i)) {
				t.Errorf("cut at %d: %q is there: %t, %v: %+v", cut, path, ok, err, e)
			}
		}
		if cut%16 != 0 { // each of what follows costs an fsync
			j.close()
			continue
		}
		e := entryOf(upload.Result{ID: "more"})
		e.Path = "/more"
		if err := j.add(e); err != nil {
			t.Fatal(err)
		}
		j.close()
		j, err = openJournal(path, "ncloudmailer", "https://host/v1", "")
		if err != nil || len(j.sent) != want+1 || j.repaired {
			t.Fatalf("cut at %d, what was written after the repair cannot be read: %v", cut, err)
		}
		j.close()
	}
}

func TestAJournalOfSomethingElseIsRefusedAndLeftAlone(t *testing.T) {
	_, content := written(t)
	for name, tc := range map[string]struct{ content, to, base, account, want string }{
		"a text":                 {content: "dear diary\n", want: "not one of a putpost journal"},
		"a text without newline": {content: "dear diary", want: "not one of a putpost journal"},
		"other JSON":             {content: `{"journal":"mine"}` + "\n", want: "not one of a putpost journal"},
		"only a brace":           {content: "{\n", want: "not one of a putpost journal"},
		"a later version":        {content: `{"journal":"putpost/2","to":"ncloudmailer"}`, want: "not one of a putpost journal"},
		"a line without id":      {content: journalMagic + `"path":"/a"}` + "\n", want: "damaged"},
		"a line without path":    {content: journalMagic + `"to":"ncloudmailer","base":"https://host/v1","id":"1"}` + "\n", want: "damaged"},
		"a size that is none":    {content: journalMagic + `"to":"ncloudmailer","base":"https://host/v1","path":"/a","id":"1","size":"x"}` + "\n", want: "damaged"},
		"damage in the middle":   {content: strings.Replace(string(content), `"size"`, `"si`, 1), want: "line 1 is damaged"},
		"a stray line":           {content: string(content) + "x\n" + string(content), want: "line 4 is not one"},
		"another provider":       {content: string(content), to: "twentyfourseven", want: "uploads to ncloudmailer at https://host/v1, not to twentyfourseven"},
		"another address":        {content: string(content), base: "http://loopback/v1", want: "not to ncloudmailer at http://loopback/v1"},
		"another account":        {content: strings.ReplaceAll(string(content), `"path"`, `"account":"1","path"`), account: "2", want: "another account (1) than this one (2)"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j")
			if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			to, base := "ncloudmailer", "https://host/v1"
			if tc.to != "" {
				to = tc.to
			}
			if tc.base != "" {
				base = tc.base
			}
			_, err := openJournal(path, to, base, tc.account)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
			if after, _ := os.ReadFile(path); string(after) != tc.content {
				t.Errorf("the file was changed to %q", after)
			}
		})
	}
	got := invoke(newService(t).env, nil, "send", "--to", "ncloudmailer", "--journal", t.TempDir(), "x")
	if got.code != 2 || strings.Count(got.stderr, "\n") != 1 {
		t.Errorf("a folder as journal: %+v", got)
	}
}

func TestAJournalThatIsNoRegularFileIsRefused(t *testing.T) {
	if _, err := openJournal(os.DevNull, "ncloudmailer", "https://host/v1", ""); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestAJournalThatCannotBeRepairedIsRefused(t *testing.T) {
	_, content := written(t)
	for what, n := range map[string]int{"a torn line": len(content) - 5, "a line without its newline": len(content) - 1} {
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, content[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(path) // for reading alone
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		j := &journal{to: "ncloudmailer", base: "https://host/v1", file: f, sync: func() error { return nil }, sent: map[pathKey]span{}}
		if err := j.load(); err == nil {
			t.Errorf("%s: it was read as if it had been repaired", what)
		}
	}
}

func TestALineWithoutAnAccountIsOfAny(t *testing.T) {
	for _, tc := range []struct{ wrote, reads string }{{"", ""}, {"", "1"}, {"1", ""}, {"1", "1"}} {
		path := filepath.Join(t.TempDir(), "j")
		j, err := openJournal(path, "ncloudmailer", "https://host/v1", tc.wrote)
		if err != nil {
			t.Fatal(err)
		}
		e := entryOf(upload.Result{ID: "1"})
		e.Path = "/a"
		if err := j.add(e); err != nil {
			t.Fatal(err)
		}
		j.close()
		if j, err = openJournal(path, "ncloudmailer", "https://host/v1", tc.reads); err != nil {
			t.Errorf("written for %q, read for %q: %v", tc.wrote, tc.reads, err)
			continue
		}
		if _, ok, err := j.lookup("/a"); !ok || err != nil {
			t.Errorf("written for %q, read for %q: there is no line (%v)", tc.wrote, tc.reads, err)
		}
		j.close()
	}
}

func TestALineThatCannotBeWrittenTakesNoOtherWithIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	add := func(name string) error {
		e := entryOf(upload.Result{ID: "id of " + name})
		e.Path = name
		return j.add(e)
	}
	names := []string{"/a", "/b", "/c"}
	for _, name := range names {
		if err := add(name); err != nil {
			t.Fatal(err)
		}
	}
	whole, _ := os.ReadFile(path)
	j.sync = func() error { return errors.New("the disk is on fire") }
	if err := add("/d"); !errors.Is(err, errJournal) {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, whole) {
		t.Errorf("of %q there is left %q", whole, after)
	}
	for _, name := range names {
		if e, ok, err := j.lookup(name); err != nil || !ok || e.ID != "id of "+name {
			t.Errorf("%s is there: %t (%v): %+v", name, ok, err, e)
		}
	}
}

// The account of NAVER is known by its access key, which must not be written down.
func TestAJournalIsOfOneAccount(t *testing.T) {
	s := newService(t)
	client := with(with(with(s.env, tfsToken, ""), tfsClientID, "own-id"), tfsClientSecret, "own-secret")
	path := filepath.Join(files(t, "a", "a"), "a")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for provider, tc := range map[string]struct {
		env              map[string]string
		account, key, to string // the variable that tells accounts apart, its value, and another value
	}{
		"ncloudmailer":    {s.env, ncpAccessKey, "one-access-key", "other-access-key"},
		"twentyfourseven": {client, tfsOrganization, "11", "12"},
	} {
		t.Run(provider, func(t *testing.T) {
			to := providers[provider]
			env := func(name string) string { return with(tc.env, tc.account, tc.key)[name] }
			journal := filepath.Join(t.TempDir(), "j")
			j, err := openJournal(journal, provider, to.destination(env), to.account(env))
			if err != nil {
				t.Fatal(err)
			}
			e := entryOf(upload.Result{ID: "1"})
			e.Path, e.fingerprint = path, fingerprintOf(info)
			e.Noted = time.Now().Add(time.Minute)
			if err := j.add(e); err != nil {
				t.Fatal(err)
			}
			j.close()
			content, _ := os.ReadFile(journal)
			if provider == "ncloudmailer" && (bytes.Contains(content, []byte(tc.key)) || !bytes.Contains(content, []byte(`"account":"`))) {
				t.Errorf("the journal shows the key, or no account: %s", content)
			}
			args := []string{"send", "--to", provider, "--journal", journal, path}
			if got := invoke(with(tc.env, tc.account, tc.key), nil, args...); got.code != 0 || !strings.Contains(got.stderr, "1 sent before") {
				t.Errorf("the same account: %+v", got)
			}
			got := invoke(with(tc.env, tc.account, tc.to), nil, args...)
			if got.code != exitUsage || !strings.Contains(got.stderr, "is of uploads for another account") || provider == "ncloudmailer" && strings.Contains(got.stderr, tc.key) {
				t.Errorf("another account: %+v", got)
			}
			if after, _ := os.ReadFile(journal); !bytes.Equal(after, content) {
				t.Errorf("the journal became %s", after)
			}
		})
	}
}

func TestAJournalIsOfOneProcessAtATime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no flock")
	}
	path, _ := written(t)
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openJournal(path, "ncloudmailer", "https://host/v1", ""); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second one: got %v", err)
	}
	j.close()
	if j, err = openJournal(path, "ncloudmailer", "https://host/v1", ""); err != nil {
		t.Errorf("after the first was closed: %v", err)
	} else {
		j.close()
	}
}

func TestAJournalKnowsStandInsOnOtherPortsButNoOtherAddresses(t *testing.T) {
	p := providers["ncloudmailer"]
	at := func(base string) string {
		return p.destination(func(name string) string { return map[string]string{ncpBaseURL: base}[name] })
	}
	for _, base := range []string{"http://127.0.0.1:8080/api/v1", "http://127.0.0.1:9/api/v1/", "http://localhost/api/v1", "http://[::1]:80/api/v1"} {
		if got, want := at(base), "http://loopback/api/v1"; got != want {
			t.Errorf("%s: got %q, want %q", base, got, want)
		}
	}
	if got, want := at(""), "https://mail.apigw.ntruss.com/api/v1"; got != want {
		t.Errorf("unset: got %q, want %q", got, want)
	}
	if got, want := at("https://Mail.apigw.ntruss.com:444/api/v1-sgn/"), "https://mail.apigw.ntruss.com:444/api/v1-sgn"; got != want {
		t.Errorf("another port: got %q, want %q", got, want)
	}
}

func TestWhatIsAddedIsSyncedBeforeAnyoneHearsOfIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	var atSync int64
	j.sync = func() error {
		info, err := j.file.Stat()
		atSync = info.Size()
		return err
	}
	e := entryOf(upload.Result{ID: "x"})
	e.Path = "/x"
	if err := j.add(e); err != nil {
		t.Fatal(err)
	}
	if info, err := j.file.Stat(); err != nil || atSync == 0 || atSync != info.Size() {
		t.Errorf("synced were %d bytes of %d", atSync, info.Size())
	}
	j.sync = func() error { return errors.New("the disk is on fire") }
	e.Path = "/y"
	if err := j.add(e); !errors.Is(err, errJournal) {
		t.Errorf("a sync that failed: got %v", err)
	}
	if _, ok, _ := j.lookup("/y"); ok {
		t.Error("what was not synced counts as sent")
	}
	if info, err := j.file.Stat(); err != nil || info.Size() != atSync {
		t.Errorf("what was not synced is still there: %d bytes instead of %d", info.Size(), atSync)
	}
	j.sync = func() error { return nil } // too late: nobody knows what the disk has
	if err := j.add(e); !errors.Is(err, errJournal) {
		t.Errorf("after a failure: got %v", err)
	}
	if info, err := j.file.Stat(); err != nil || info.Size() != atSync {
		t.Errorf("after a failure something was written: %d bytes instead of %d", info.Size(), atSync)
	}
}

// While one batch is being written, what comes in waits in one batch more: the
// write of each is a single one, with a single fsync.
func TestOneSyncCoversAllThatWaited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	var adds sync.WaitGroup
	syncs, sync := 0, j.sync
	j.sync = func() error { syncs++; return sync() }
	j.disk.Lock() // the disk is busy
	for i := range 10 {
		adds.Go(func() {
			e := entryOf(upload.Result{ID: "x"})
			e.Path = fmt.Sprint("/", i)
			if err := j.add(e); err != nil {
				t.Error(err)
			}
		})
	}
	for lines := 0; lines < 10; runtime.Gosched() {
		j.mu.Lock()
		if j.open != nil {
			lines = strings.Count(string(j.open.lines), "\n")
		}
		j.mu.Unlock()
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 0 {
		t.Error("something was written while the disk was busy", err)
	}
	j.disk.Unlock()
	adds.Wait()
	if content, _ := os.ReadFile(path); strings.Count(string(content), "\n") != 10 || j.open != nil || len(j.sent) != 10 || syncs != 1 {
		t.Errorf("after %d syncs the journal has %q", syncs, content)
	}
	for i := range 10 {
		path := fmt.Sprint("/", i)
		if e, ok, err := j.lookup(path); err != nil || !ok || e.Path != path {
			t.Errorf("%s is read back as %+v, %t, %v", path, e, ok, err)
		}
	}
}

func TestAJournalThatCannotBeWrittenEndsTheRun(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	s := newService(t)
	n := s.sends()
	var pairs []string
	for i := range 100 {
		pairs = append(pairs, fmt.Sprint(i), "x")
	}
	client, err := providers["ncloudmailer"].client(func(name string) string { return s.env[name] }, upload.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	send := &sender{
		sendCmd: &sendCmd{To: "ncloudmailer", Concurrency: 3, Recursive: true, Files: []string{files(t, pairs...)}},
		output:  &output{out: &stdout, err: &stderr}, env: noEnvironment, uncount: make(chan struct{}),
		client:  client,
		journal: &journal{file: full, sync: full.Sync, sent: map[pathKey]span{}},
		quit:    make(chan struct{}),
		taken:   map[pathKey]bool{},
	}
	if err := send.run(); !errors.Is(err, errReported) {
		t.Errorf("got %v", err)
	}
	// What is not in the journal is not reported as sent, and its id is not lost.
	if stdout.String() != "" || int64(strings.Count(stderr.String(), ": sent as ")) != n.Load() || n.Load() > 6 {
		t.Errorf("%d were sent:\n%s%s", n.Load(), stdout.String(), stderr.String())
	}
	if strings.Count(stderr.String(), "so no more are sent; --keep-going would try them") != 1 || !strings.Contains(stderr.String(), "no space left on device") {
		t.Errorf("standard error is\n%s", stderr.String())
	}
}
