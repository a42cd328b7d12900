package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestDamageInAJournalIsNamedAndTheRestKept(t *testing.T) {
	path, whole := written(t)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	damage := func(at int, with byte) []byte {
		b := bytes.Clone(whole)
		b[at] = with
		return b
	}
	second := len(lines[0])
	for name, tc := range map[string]struct {
		content          []byte
		damaged          string // LINE OFFSET of each
		kept, lost       int
		path             string
		refused, touched bool
	}{
		"none":              {content: whole, kept: 3},
		"a NUL":             {content: damage(second+150, 0), damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1, path: "/b"},
		"no UTF-8":          {content: damage(second+150, 0xff), damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1, path: "/b"},
		"the beginning":     {content: damage(second, 'x'), damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1, path: "/b"},
		"the first byte":    {content: damage(0, 'x'), damaged: "1 0", kept: 2, lost: 1, path: "/a"},
		"the path":          {content: bytes.Replace(whole, []byte(`"path":"/b"`), []byte(`"path":'/b"`), 1), damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1},
		"a newline":         {content: damage(second-1, 'x'), damaged: "1 0", kept: 3},
		"a line torn twice": {content: damage(second+100, '\n'), damaged: fmt.Sprintf("2 %d,3 %d", second, second+101), kept: 2, lost: 2, path: "/b"},
		"the last torn":     {content: whole[:len(whole)-9], damaged: fmt.Sprint("3 ", second+len(lines[1])), kept: 2, lost: 1},
		"not a journal":     {content: []byte("dear diary\n"), damaged: "1 0", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			check := invoke(nil, nil, "journal", "check", path)
			if (check.code == 0) != (tc.damaged == "") {
				t.Errorf("check: %+v", check)
			}
			var found []string
			for _, row := range rows(check.stdout) {
				found = append(found, row[0]+" "+row[1])
			}
			if got := strings.Join(found, ","); got != tc.damaged {
				t.Errorf("check found %q, want %q", got, tc.damaged)
			}
			if tc.path != "" && rows(check.stdout)[0][3] != tc.path {
				t.Errorf("check says that %q is lost, and not %q", rows(check.stdout)[0][3], tc.path)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, tc.content) {
				t.Error("check changed the file")
			}

			repair := invoke(nil, nil, "journal", "repair", path)
			if (repair.code != 0) != tc.refused || repair.stdout != check.stdout {
				t.Errorf("repair: %+v", repair)
			}
			after, _ := os.ReadFile(path)
			if tc.refused || tc.damaged == "" {
				if !bytes.Equal(after, tc.content) {
					t.Error("repair changed the file")
				}
				return
			}
			if original, _ := os.ReadFile(path + ".damaged"); !bytes.Equal(original, tc.content) {
				t.Errorf("the original became %q", original)
			}
			if bytes.Count(after, []byte("\n")) != tc.kept || !strings.Contains(repair.stderr, fmt.Sprintf("%d of them lost", tc.lost)) {
				t.Errorf("%d lines are kept, want %d: %s", bytes.Count(after, []byte("\n")), tc.kept, repair.stderr)
			}
			j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
			if err != nil {
				t.Fatalf("what was repaired is refused: %v", err)
			}
			if len(j.sent) != tc.kept || j.repaired {
				t.Errorf("what was repaired has %d files, want %d", len(j.sent), tc.kept)
			}
			j.close()
			// A second repair takes no name that is in use.
			if err := os.WriteFile(path, tc.content, 0o600); err != nil {
				t.Fatal(err)
			}
			invoke(nil, nil, "journal", "repair", path)
			for _, name := range []string{path + ".damaged", path + ".damaged.2"} {
				if original, _ := os.ReadFile(name); !bytes.Equal(original, tc.content) {
					t.Errorf("%s became %q", name, original)
				}
				os.Remove(name)
			}
			if left, _ := filepath.Glob(path + "?*"); len(left) > 0 {
				t.Errorf("left are %v", left)
			}
		})
	}
}

func TestAJournalInUseIsNotRepaired(t *testing.T) {
	path, _ := written(t)
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	for _, verb := range []string{"check", "repair"} {
		if got := invoke(nil, nil, "journal", verb, path); got.code != 1 || !strings.Contains(got.stderr, "in use") {
			t.Errorf("%s: got %+v", verb, got)
		}
	}
	if got := invoke(nil, nil, "journal", "check", "missing"); got.code != 1 || !strings.Contains(got.stderr, "no such file") {
		t.Errorf("a journal that is missing: got %+v", got)
	}
}

// What scan reads of a line is what parse reads of it.
func FuzzScan(f *testing.F) {
	f.Add("/a", "name", "id", "trace", int64(5), int64(0), false)
	f.Add("/a \\ \"", "n,\"m\":{}", "1", "", int64(-1), int64(7), true)
	f.Add("/\xff", "\u2028<", "x", "\n", int64(1<<62), int64(1), false)
	f.Fuzz(func(t *testing.T, path, name, id, trace string, size, document int64, failed bool) {
		file := filepath.Join(t.TempDir(), "j")
		j, err := openJournal(file, "x", "y", "z")
		if err != nil {
			t.Fatal(err)
		}
		defer j.close()
		e := entryOf(upload.Result{ID: "i" + id, Name: name, TraceID: trace, Size: size})
		e.Path, e.DocumentID, e.Failed = "/"+path, document, failed
		if err := j.add(e); err != nil {
			t.Fatal(err)
		}
		line, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := j.parse(line)
		if err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		got, ok := j.scan(line)
		if !ok {
			return
		}
		want.Journal, want.To, want.Base, want.Account = "", "", "", ""
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("of %q scan reads %+v, parse %+v", line, got, want)
		}
	})
}

func TestScanReadsALineAsAddWritesIt(t *testing.T) {
	path, content := written(t)
	j, err := openJournal(path, "ncloudmailer", "https://host/v1", "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.close()
	lines := bytes.SplitAfter(content, []byte("\n"))
	if e, ok := j.scan(lines[0]); !ok || e.Path != "/a" || e.ID != "id 0" || e.Expires.IsZero() {
		t.Errorf("got %+v, %t", e, ok)
	}
	for name, line := range map[string]string{
		"a path that is not UTF-8": string(lines[2]),
		"a field that is not ours": strings.Replace(string(lines[0]), `"id":`, `"more":1,"id":`, 1),
		"no id":                    strings.Replace(string(lines[0]), `"id":"id 0",`, "", 1),
		"another account":          strings.Replace(string(lines[0]), `"path":`, `"account":"1","path":`, 1),
		"two lines":                strings.TrimSuffix(string(lines[0]), "\n") + string(lines[1]),
	} {
		if e, ok := j.scan([]byte(line)); ok {
			t.Errorf("%s: it reads %+v", name, e)
		}
	}
}
