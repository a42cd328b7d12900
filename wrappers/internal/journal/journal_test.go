package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

var host = Target{To: "ncloudmailer", Base: "https://host/v1"}

func account(name string) Target { return Target{host.To, host.Base, name} }

func written(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "j")
	j, err := Open(path, host)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for i, name := range []string{"/a", "/b", "/\xff"} {
		e := EntryOf(upload.Result{ID: fmt.Sprint("id ", i), Name: name, Expires: time.Now().Add(time.Hour)})
		e.Path = name
		if err := j.Add(e); err != nil {
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
		j, err := Open(path, host)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		// A line counts if at most its newline is missing.
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
		if len(j.sent) != want || j.Torn != torn {
			t.Errorf("cut at %d: %d lines (repaired: %t), want %d (%t)", cut, len(j.sent), j.Torn, want, torn)
		}
		for i, path := range []string{"/a", "/b", "/\xff"} {
			e, ok, err := j.Lookup(path)
			if err != nil || ok != (want > i) || ok && (e.Path != path || e.ID != fmt.Sprint("id ", i)) {
				t.Errorf("cut at %d: %q is there: %t, %v: %+v", cut, path, ok, err, e)
			}
		}
		if cut%16 != 0 { // the rest costs fsyncs
			j.Close()
			continue
		}
		e := EntryOf(upload.Result{ID: "more"})
		e.Path = "/more"
		if err := j.Add(e); err != nil {
			t.Fatal(err)
		}
		j.Close()
		j, err = Open(path, host)
		if err != nil || len(j.sent) != want+1 || j.Torn {
			t.Fatalf("cut at %d, what was written after the repair cannot be read: %v", cut, err)
		}
		j.Close()
	}
}

func TestAJournalOfSomethingElseIsRefusedAndLeftAlone(t *testing.T) {
	_, content := written(t)
	for name, tc := range map[string]struct{ content, to, base, account, want string }{
		"a text":                 {content: "dear diary\n", want: "not a line of a putpost journal"},
		"a text without newline": {content: "dear diary", want: "not a line of a putpost journal"},
		"other JSON":             {content: `{"journal":"mine"}` + "\n", want: "not a line of a putpost journal"},
		"only a brace":           {content: "{\n", want: "not a line of a putpost journal"},
		"a later version": {content: `{"journal":"putpost/2","to":"ncloudmailer"}`,
			want: "not a line of a putpost journal"},
		"a line without id": {content: magic + `"path":"/a"}` + "\n", want: "damaged"},
		"a line without path": {content: magic + `"to":"ncloudmailer","base":"https://host/v1","id":"1"}` + "\n",
			want: "damaged"},
		"an empty path": {content: strings.Replace(string(content), `"path":"/a"`, `"path":""`, 1), want: "line 1 is damaged"},
		"a name that is not UTF-8": {content: strings.Replace(string(content), `"name":"/a"`, "\"name\":\"\xff\"", 1),
			want: "line 1 is damaged"},
		"a size that is none": {content: magic +
			`"to":"ncloudmailer","base":"https://host/v1","path":"/a","id":"1","size":"x"}` + "\n", want: "damaged"},
		"damage in the middle": {content: strings.Replace(string(content), `"size"`, `"si`, 1), want: "line 1 is damaged"},
		"a stray line":         {content: string(content) + "x\n" + string(content), want: "line 4 is not a line"},
		"another provider": {content: string(content), to: "twentyfourseven",
			want: "uploads to ncloudmailer at https://host/v1, not to twentyfourseven"},
		"another address": {content: string(content), base: "http://loopback/v1",
			want: "not to ncloudmailer at http://loopback/v1"},
		"another account": {content: strings.ReplaceAll(string(content), `"path"`, `"account":"1","path"`),
			account: "2", want: "another account (1) than this one (2)"},
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
			_, err := Open(path, Target{to, base, tc.account})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
			if after, _ := os.ReadFile(path); string(after) != tc.content {
				t.Errorf("the file was changed to %q", after)
			}
		})
	}
}

func TestAJournalThatIsNoRegularFileIsRefused(t *testing.T) {
	if _, err := Open(os.DevNull, host); err == nil || !strings.Contains(err.Error(), "not a regular file") {
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
		f, err := os.Open(path) // for reading only
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		j := &Journal{target: host, file: f, sync: func() error { return nil }, sent: map[Key]span{}}
		if err := j.load(); err == nil {
			t.Errorf("%s: it was read as if it had been repaired", what)
		}
	}
}

func TestALineWithoutAnAccountIsOfAny(t *testing.T) {
	for _, tc := range []struct{ wrote, reads string }{{"", ""}, {"", "1"}, {"1", ""}, {"1", "1"}} {
		path := filepath.Join(t.TempDir(), "j")
		j, err := Open(path, account(tc.wrote))
		if err != nil {
			t.Fatal(err)
		}
		e := EntryOf(upload.Result{ID: "1"})
		e.Path = "/a"
		if err := j.Add(e); err != nil {
			t.Fatal(err)
		}
		j.Close()
		if j, err = Open(path, account(tc.reads)); err != nil {
			t.Errorf("written for %q, read for %q: %v", tc.wrote, tc.reads, err)
			continue
		}
		if _, ok, err := j.Lookup("/a"); !ok || err != nil {
			t.Errorf("written for %q, read for %q: there is no line (%v)", tc.wrote, tc.reads, err)
		}
		j.Close()
	}
}

func TestLookupFindsOnlyUploadsThatLast(t *testing.T) {
	now := time.Now()
	for name, tc := range map[string]struct {
		failed  bool
		expires time.Time
		holds   bool
	}{
		"sent":             {holds: true},
		"sent for a while": {expires: now.Add(time.Hour), holds: true},
		"expired":          {expires: now.Add(-time.Hour)},
		"failed":           {failed: true, expires: now.Add(time.Hour)},
	} {
		j, err := Open(filepath.Join(t.TempDir(), "j"), host)
		if err != nil {
			t.Fatal(err)
		}
		e := EntryOf(upload.Result{ID: "1", Expires: tc.expires})
		e.Path, e.Failed = "/a", tc.failed
		if err := j.Add(e); err != nil {
			t.Fatal(err)
		}
		if _, holds, err := j.Lookup("/a"); holds != tc.holds || err != nil {
			t.Errorf("%s: it holds: %t, %v", name, holds, err)
		}
		j.Close()
	}
}

func TestALineThatCannotBeWrittenTakesNoOtherWithIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, host)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	add := func(name string) error {
		e := EntryOf(upload.Result{ID: "id of " + name})
		e.Path = name
		return j.Add(e)
	}
	names := []string{"/a", "/b", "/c"}
	for _, name := range names {
		if err := add(name); err != nil {
			t.Fatal(err)
		}
	}
	whole, _ := os.ReadFile(path)
	j.sync = func() error { return errors.New("the disk is on fire") }
	if err := add("/d"); !errors.Is(err, ErrUnwritable) {
		t.Errorf("got %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, whole) {
		t.Errorf("of %q there is left %q", whole, after)
	}
	for _, name := range names {
		if e, ok, err := j.Lookup(name); err != nil || !ok || e.ID != "id of "+name {
			t.Errorf("%s is there: %t (%v): %+v", name, ok, err, e)
		}
	}
}

func TestAJournalIsOfOneProcessAtATime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no flock")
	}
	path, _ := written(t)
	j, err := Open(path, host)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, host); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second one: got %v", err)
	}
	j.Close()
	if j, err = Open(path, host); err != nil {
		t.Errorf("after the first was closed: %v", err)
	} else {
		j.Close()
	}
}

func TestAddSyncsBeforeItReturns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, host)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var atSync int64
	j.sync = func() error {
		info, err := j.file.Stat()
		atSync = info.Size()
		return err
	}
	e := EntryOf(upload.Result{ID: "x"})
	e.Path = "/x"
	if err := j.Add(e); err != nil {
		t.Fatal(err)
	}
	if info, err := j.file.Stat(); err != nil || atSync == 0 || atSync != info.Size() {
		t.Errorf("synced were %d bytes of %d", atSync, info.Size())
	}
	j.sync = func() error { return errors.New("the disk is on fire") }
	e.Path = "/y"
	if err := j.Add(e); !errors.Is(err, ErrUnwritable) {
		t.Errorf("a sync that failed: got %v", err)
	}
	if _, ok, _ := j.Lookup("/y"); ok {
		t.Error("what was not synced counts as sent")
	}
	if info, err := j.file.Stat(); err != nil || info.Size() != atSync {
		t.Errorf("what was not synced is still there: %d bytes instead of %d", info.Size(), atSync)
	}
	j.sync = func() error { return nil } // too late: the content of the disk is not known
	if err := j.Add(e); !errors.Is(err, ErrUnwritable) {
		t.Errorf("after a failure: got %v", err)
	}
	if info, err := j.file.Stat(); err != nil || info.Size() != atSync {
		t.Errorf("after a failure something was written: %d bytes instead of %d", info.Size(), atSync)
	}
}

func TestASyncWaitsForOthersOnlyWhereThereAreOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, err := Open(filepath.Join(t.TempDir(), "j"), host)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		syncs := 0
		j.sync = func() error { syncs++; time.Sleep(10 * time.Millisecond); return nil }
		began := time.Now()
		add := func(name string, after, want time.Duration) {
			time.Sleep(after)
			e := EntryOf(upload.Result{ID: "x"})
			e.Path = "/" + name
			if err := j.Add(e); err != nil || time.Since(began) != want {
				t.Errorf("%s is noted after %s instead of %s: %v", name, time.Since(began), want, err)
			}
		}
		const ms = time.Millisecond
		add("alone", 0, 10*ms)
		add("alone again", 0, 20*ms)
		var adds sync.WaitGroup
		adds.Go(func() { add("first of three", 0, 30*ms) })
		adds.Go(func() { add("during its sync", 1*ms, 40*ms) })
		adds.Go(func() { add("during its sync, too", 2*ms, 40*ms) })
		adds.Wait()
		add("waits in vain", 0, 60*ms)
		adds.Go(func() { add("waits for one more", 0, 75*ms) })
		adds.Go(func() { add("the one more", 5*ms, 75*ms) })
		adds.Wait()
		if syncs != 6 {
			t.Errorf("%d syncs instead of 6", syncs)
		}
	})
}

func TestOneSyncCoversAllWaitingEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(path, host)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var adds sync.WaitGroup
	syncs, sync := 0, j.sync
	j.sync = func() error { syncs++; return sync() }
	j.disk <- struct{}{} // the disk is busy
	for i := range 10 {
		adds.Go(func() {
			e := EntryOf(upload.Result{ID: "x"})
			e.Path = fmt.Sprint("/", i)
			if err := j.Add(e); err != nil {
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
	<-j.disk
	adds.Wait()
	if content, _ := os.ReadFile(path); strings.Count(string(content), "\n") != 10 || j.open != nil ||
		len(j.sent) != 10 || syncs != 1 {
		t.Errorf("after %d syncs the journal has %q", syncs, content)
	}
	for i := range 10 {
		path := fmt.Sprint("/", i)
		if e, ok, err := j.Lookup(path); err != nil || !ok || e.Path != path {
			t.Errorf("%s is read back as %+v, %t, %v", path, e, ok, err)
		}
	}
}
