package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A file with any content is either refused and not changed, or opened with all
// its whole lines. Then it can be written and read again.
func FuzzJournal(f *testing.F) {
	line := magic + `"to":"x","base":"y","path":"/a","size":1,"modified":"2026-11-21T19:30:36.5Z",` +
		`"id":"1","name":"a"}` + "\n"
	for _, seed := range []string{"", line, line + line[:20], line + "\x00\x00", line[:5], "text", "{\n", line + "{}\n",
		magic + "\n"} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(dir, "j")
		must(t, os.WriteFile(path, content, 0o600))
		j, err := Open(path, Target{To: "x", Base: "y"})
		if err != nil {
			if after, _ := os.ReadFile(path); !bytes.Equal(after, content) {
				t.Errorf("refused (%v), but changed from %q to %q", err, content, after)
			}
			return
		}
		whole := content[:bytes.LastIndexByte(content, '\n')+1]
		known := len(j.sent)
		must(t, j.Add(entry("/of the test", "1")))
		j.Close()
		if after, _ := os.ReadFile(path); !bytes.HasPrefix(after, whole) {
			t.Errorf("of %q there is left %q", content, after)
		}
		if j, err = Open(path, Target{To: "x", Base: "y"}); err != nil {
			t.Fatalf("of %q became what cannot be read: %v", content, err)
		}
		defer j.Close()
		if len(j.sent) != known+1 && len(j.sent) != known || j.Torn {
			t.Errorf("of %q were read %d files, then %d", content, known, len(j.sent))
		}
	})
}
