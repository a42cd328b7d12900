package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/upload"
)

// If scan reads a line, parse reads the same entry.
func FuzzScan(f *testing.F) {
	f.Add("/a", "name", "id", "trace", int64(5), int64(0), false)
	f.Add("/a \\ \"", "n,\"m\":{}", "1", "", int64(-1), int64(7), true)
	f.Add("/\xff", "\u2028<", "x", "\n", int64(1<<62), int64(1), false)
	f.Fuzz(func(t *testing.T, path, name, id, trace string, size, document int64, failed bool) {
		file := filepath.Join(t.TempDir(), "j")
		j := opened(t, file, Target{"x", "y", "z"})
		e := EntryOf(upload.Result{ID: "i" + id, Name: name, TraceID: trace, Size: size})
		e.Path, e.DocumentID, e.Failed = "/"+path, document, failed
		must(t, j.Add(e))
		line, err := os.ReadFile(file)
		must(t, err)
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
	j := opened(t, path, host)
	lines := bytes.SplitAfter(content, []byte("\n"))
	if e, ok := j.scan(lines[0]); !ok || e.Path != "/a" || e.ID != "id 0" || e.Expires.IsZero() {
		t.Errorf("got %+v, %t", e, ok)
	}
	for name, line := range map[string]string{
		"a path that is not UTF-8": string(lines[2]),
		"a field that is not ours": strings.Replace(string(lines[0]), `"id":`, `"more":1,"id":`, 1),
		"no id":                    strings.Replace(string(lines[0]), `"id":"id 0",`, "", 1),
		"another account":          strings.Replace(string(lines[0]), `"path":`, `"account":"1","path":`, 1),
		"a value that is missing":  strings.Replace(string(lines[0]), `"name":"/a"`, `"failed":`, 1),
		"a name that is missing":   strings.Replace(string(lines[0]), `"name":`, `"name"`, 1),
		"a text that is escaped":   strings.Replace(string(lines[0]), `"name":"/a"`, `"name":"\u002fa"`, 1),
		"a text that does not end": strings.Replace(string(lines[0]), `"name":"/a"`, `"name":"/a`, 1),
		"two lines":                strings.TrimSuffix(string(lines[0]), "\n") + string(lines[1]),
	} {
		if e, ok := j.scan([]byte(line)); ok {
			t.Errorf("%s: it reads %+v", name, e)
		}
	}
}
