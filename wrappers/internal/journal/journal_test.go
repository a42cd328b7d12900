package journal

import (
	"bytes"
	"cmp"
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

	"github.com/putpost/putpost/wrappers/internal/filelock"
	"github.com/putpost/putpost/wrappers/upload"
)

var host = Target{To: "ncloudmailer", Base: "https://host/v1"}

func account(name string) Target { return Target{host.To, host.Base, name} }

// opened opens the journal at path until the test ends.
func opened(t *testing.T, path string, target Target) *Journal {
	t.Helper()
	j, err := Open(path, target)
	must(t, err)
	t.Cleanup(func() { j.Close() })
	return j
}

func entry(path, id string) Entry {
	e := EntryOf(upload.Result{ID: id, Name: path})
	e.Path = path
	return e
}

func written(t *testing.T) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "j")
	j := opened(t, path, host)
	defer j.Close()
	for i, name := range []string{"/a", "/b", "/\xff"} {
		e := entry(name, fmt.Sprint("id ", i))
		e.Expires = JSONTime(time.Now().Add(time.Hour))
		must(t, j.Add(e))
	}
	content, err := os.ReadFile(path)
	must(t, err)
	return path, content
}

func TestATornLastLineIsRepairedWhereverItWasTorn(t *testing.T) {
	path, content := written(t)
	lines := strings.SplitAfter(string(content), "\n")
	for cut := range len(content) + 1 {
		must(t, os.WriteFile(path, content[:cut], 0o600))
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
		must(t, j.Add(entry("/more", "more")))
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
		"an empty path": {content: strings.Replace(string(content), `"path":"/a"`, `"path":""`, 1),
			want: "line 1 is damaged"},
		"a name that is not UTF-8": {content: strings.Replace(string(content), `"name":"/a"`, "\"name\":\"\xff\"", 1),
			want: "line 1 is damaged"},
		"a size that is none": {content: magic +
			`"to":"ncloudmailer","base":"https://host/v1","path":"/a","id":"1","size":"x"}` + "\n", want: "damaged"},
		"damage in the middle": {content: strings.Replace(string(content), `"size"`, `"si`, 1),
			want: "line 1 is damaged"},
		"a stray line": {content: string(content) + "x\n" + string(content), want: "line 4 is not a line"},
		"another provider": {content: string(content), to: "twentyfourseven",
			want: "uploads to ncloudmailer at https://host/v1, not to twentyfourseven"},
		"another address": {content: string(content), base: "http://loopback/v1",
			want: "not to ncloudmailer at http://loopback/v1"},
		"another account": {content: strings.ReplaceAll(string(content), `"path"`, `"account":"1","path"`),
			account: "2", want: "another account (1) than this one (2)"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "j")
			must(t, os.WriteFile(path, []byte(tc.content), 0o600))
			_, err := Open(path, Target{cmp.Or(tc.to, host.To), cmp.Or(tc.base, host.Base), tc.account})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
			if after, _ := os.ReadFile(path); string(after) != tc.content {
				t.Errorf("the file was changed to %q", after)
			}
		})
	}
}

func TestAJournalThatCannotBeRepairedIsRefused(t *testing.T) {
	_, content := written(t)
	for what, n := range map[string]int{"a torn line": len(content) - 5,
		"a line without its newline": len(content) - 1} {
		path := filepath.Join(t.TempDir(), "j")
		must(t, os.WriteFile(path, content[:n], 0o600))
		f, err := os.Open(path) // for reading only
		must(t, err)
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
		j := opened(t, path, account(tc.wrote))
		must(t, j.Add(entry("/a", "1")))
		j.Close()
		j = opened(t, path, account(tc.reads))
		if _, ok, err := j.Lookup("/a"); !ok || err != nil {
			t.Errorf("written for %q, read for %q: there is no line (%v)", tc.wrote, tc.reads, err)
		}
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
		j := opened(t, filepath.Join(t.TempDir(), "j"), host)
		e := EntryOf(upload.Result{ID: "1", Expires: tc.expires})
		e.Path, e.Failed = "/a", tc.failed
		must(t, j.Add(e))
		if _, holds, err := j.Lookup("/a"); holds != tc.holds || err != nil {
			t.Errorf("%s: it holds: %t, %v", name, holds, err)
		}
	}
}

func TestAJournalIsOfOneProcessAtATime(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no flock")
	}
	path, _ := written(t)
	j := opened(t, path, host)
	for what, open := range map[string]func(string, Target) (*Journal, error){"a run": Open, "a dry run": Read} {
		if _, err := open(path, host); !errors.Is(err, filelock.ErrInUse) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	j.Close()
	opened(t, path, host)
}

func TestAddSyncsBeforeItReturns(t *testing.T) {
	path, before := written(t)
	j := opened(t, path, host)
	var atSync int64
	j.sync = func() error {
		info, err := j.file.Stat()
		atSync = info.Size()
		return err
	}
	must(t, j.Add(entry("/x", "x")))
	whole, err := os.ReadFile(path)
	if err != nil || atSync == int64(len(before)) || atSync != int64(len(whole)) {
		t.Errorf("synced were %d bytes of %d (%v)", atSync, len(whole), err)
	}
	j.sync = func() error { return errors.New("the disk is on fire") }
	for range 2 {
		if err := j.Add(entry("/y", "y")); !errors.Is(err, ErrUnwritable) {
			t.Errorf("got %v", err)
		}
		if _, ok, _ := j.Lookup("/y"); ok {
			t.Error("what was not synced counts as sent")
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(after, whole) {
			t.Errorf("of %q there is left %q", whole, after)
		}
		j.sync = func() error { return nil } // too late: the content of the disk is not known
	}
	for path, id := range map[string]string{"/a": "id 0", "/b": "id 1", "/x": "x"} {
		if e, ok, err := j.Lookup(path); err != nil || !ok || e.ID != id {
			t.Errorf("%s is there: %t (%v): %+v", path, ok, err, e)
		}
	}
}

func TestASyncWaitsForOthersOnlyWhereThereAreOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "j")
		j := opened(t, path, host)
		syncs := 0
		j.sync = func() error { syncs++; time.Sleep(10 * time.Millisecond); return nil }
		began := time.Now()
		add := func(name string, after, want time.Duration) {
			time.Sleep(after)
			if err := j.Add(entry("/"+name, "id of "+name)); err != nil || time.Since(began) != want {
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
		names := []string{"alone", "alone again", "first of three", "during its sync", "during its sync, too",
			"waits in vain", "waits for one more", "the one more"}
		for _, name := range names {
			if e, ok, err := j.Lookup("/" + name); err != nil || !ok || e.ID != "id of "+name {
				t.Errorf("%s is read back as %+v, %t, %v", name, e, ok, err)
			}
		}
		if content, _ := os.ReadFile(path); bytes.Count(content, []byte("\n")) != len(names) {
			t.Errorf("the journal has not %d lines: %s", len(names), content)
		}
	})
}
