package journal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/filelock"
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
		content    []byte
		damaged    string // LINE OFFSET of each
		kept, lost int
		path       string
		refused    bool
	}{
		"none":  {content: whole, kept: 3},
		"empty": {},
		"a newline and a value": {content: bytes.Replace(damage(second-1, 'x'), []byte(`"id 1"`), []byte(`"id 7"`), 1),
			damaged: "1 0", kept: 2},
		"a line torn behind its beginning": {content: append([]byte(magic), whole...), damaged: "1 0", kept: 3},
		"a NUL": {content: damage(second+150, 0), damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1,
			path: "/b"},
		"no UTF-8": {content: damage(second+150, 0xff), damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1,
			path: "/b"},
		"the beginning": {content: damage(second, 'x'), damaged: fmt.Sprint("2 ", second), kept: 2,
			lost: 1, path: "/b"},
		"the first byte": {content: damage(0, 'x'), damaged: "1 0", kept: 2, lost: 1, path: "/a"},
		"the path": {content: bytes.Replace(whole, []byte(`"path":"/b"`), []byte(`"path":'/b"`), 1),
			damaged: fmt.Sprint("2 ", second), kept: 2, lost: 1},
		"a newline": {content: damage(second-1, 'x'), damaged: "1 0", kept: 3},
		"a line torn twice": {content: damage(second+100, '\n'), damaged: fmt.Sprintf("2 %d,3 %d", second, second+101),
			kept: 2, lost: 2, path: "/b"},
		"the last torn": {content: whole[:len(whole)-9], damaged: fmt.Sprint("3 ", second+len(lines[1])), kept: 2,
			lost: 1, path: "/\xff"},
		"not a journal": {content: []byte("dear diary\n"), damaged: "1 0", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, os.WriteFile(path, tc.content, 0o600))
			var where, lost string
			note := func(d Damage) error {
				where = strings.TrimPrefix(fmt.Sprintf("%s,%d %d", where, d.Line, d.Offset), ",")
				lost = cmp.Or(lost, d.Path)
				return nil
			}
			want := Found{int64(tc.kept), int64(strings.Count(tc.damaged, " ")), int64(tc.lost)}
			found, err := Check(path, note)
			if (err != nil) != tc.refused || where != tc.damaged || lost != tc.path || !tc.refused && found != want {
				t.Errorf("check found %+v at %q, the path %q and %v, want %+v at %q and %q", found, where,
					lost, err, want, tc.damaged, tc.path)
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, tc.content) {
				t.Error("check changed the file")
			}

			where = ""
			repaired, original, err := Repair(path, note)
			if (err != nil) != tc.refused || where != tc.damaged || repaired != found ||
				(original == path+".damaged") != (tc.damaged != "" && !tc.refused) {
				t.Errorf("repair found %+v at %q, kept %q, and %v", repaired, where, original, err)
			}
			after, _ := os.ReadFile(path)
			if tc.refused || tc.damaged == "" {
				if !bytes.Equal(after, tc.content) {
					t.Error("repair changed the file")
				}
				return
			}
			if kept, _ := os.ReadFile(original); !bytes.Equal(kept, tc.content) {
				t.Errorf("the original became %q", kept)
			}
			if bytes.Count(after, []byte("\n")) != tc.kept {
				t.Errorf("%d lines are kept, want %d", bytes.Count(after, []byte("\n")), tc.kept)
			}
			j := opened(t, path, host)
			if len(j.sent) != tc.kept || j.Torn {
				t.Errorf("what was repaired has %d files, want %d", len(j.sent), tc.kept)
			}
			j.Close()
			// A second repair uses another name for the original.
			must(t, os.WriteFile(path, tc.content, 0o600))
			if _, _, err := Repair(path, note); err != nil {
				t.Fatal(err)
			}
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

// Most bytes of a line are in values. A changed letter there leaves valid JSON
// with a wrong value.
func TestOneDamagedByteIsFoundWhereverItIs(t *testing.T) {
	path, whole := written(t)
	for at := range whole[:len(whole)-1] {
		for _, with := range []byte{'x', '7', whole[at] ^ 0x20} {
			if with == whole[at] {
				continue
			}
			damaged := bytes.Clone(whole)
			damaged[at] = with
			found, err := inspect(bytes.NewReader(damaged), io.Discard, func(Damage) error { return nil })
			if err != nil || found.Damaged == 0 {
				t.Fatalf("with %q at %d, in %q: found %+v, %v", with, at, damaged[max(0, at-20):at+20], found, err)
			}
		}
	}
	without := regexp.MustCompile(`,"crc32c":"[0-9a-f]{8}"`).ReplaceAll(whole, nil)
	must(t, os.WriteFile(path, without, 0o600))
	if found, err := Check(path, nil); err != nil || found != (Found{Kept: 3}) || len(without) == len(whole) {
		t.Errorf("of lines without a checksum: found %+v, %v", found, err)
	}
}

func TestAJournalInUseIsNotRepaired(t *testing.T) {
	path, _ := written(t)
	opened(t, path, host)
	if _, err := Check(path, nil); !errors.Is(err, filelock.ErrInUse) {
		t.Errorf("check: got %v", err)
	}
	if _, _, err := Repair(path, nil); !errors.Is(err, filelock.ErrInUse) {
		t.Errorf("repair: got %v", err)
	}
}
