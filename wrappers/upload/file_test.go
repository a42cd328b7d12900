package upload_test

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestFileOverwrittenInPlaceIsAnErrorInPlaceOfItsEnd(t *testing.T) {
	for _, content := range []string{"", "x", strings.Repeat("x", 100_000)} {
		path, src := onDisk(t, "a.txt", content)
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"plain": func(r io.Reader) io.Reader { return r }, "a byte a read": iotest.OneByteReader,
		} {
			rc := opened(t, src)
			if got, err := io.ReadAll(wrap(rc)); string(got) != content || err != nil {
				t.Fatalf("%d bytes, %s: %d bytes and %v of a file that stays", len(content), name, len(got), err)
			}
			rc = opened(t, src)
			_, _ = io.CopyN(io.Discard, rc, int64(len(content)/2))
			now := time.Now()
			must(t, os.Chtimes(path, now, now.Add(time.Hour)))
			if _, err := io.ReadAll(wrap(rc)); err == nil || !strings.Contains(err.Error(), "was written to") {
				t.Errorf("%d bytes, %s: %v, want that the file was written to", len(content), name, err)
			}
			var err error
			if src, err = upload.File(path); err != nil { // describes the new content
				t.Fatal(err)
			}
		}
	}
}

// io.EOF comes with the last bytes, so a reader that knows the size need not
// ask for one byte more.
func TestFileEndsWithItsLastBytes(t *testing.T) {
	_, file := onDisk(t, "a.txt", "hello")
	mapped := inFS(t, fstest.MapFS{"a.txt": {Data: []byte("hello")}}, "a.txt")
	for name, src := range map[string]upload.Source{"a file": file, "a file of a file system": mapped} {
		rc := opened(t, src)
		p := make([]byte, 3)
		if n, err := rc.Read(p); n != 3 || err != nil {
			t.Errorf("%s: the first read gives %d bytes and %v, want 3 and nil", name, n, err)
		}
		for _, want := range []int{2, 0} {
			if n, err := rc.Read(p); n != want || err != io.EOF {
				t.Errorf("%s: the end comes with %d bytes and %v, want %d and EOF", name, n, err, want)
			}
		}
		if n, err := rc.Read(nil); name == "a file" && (n != 0 || err != nil) {
			t.Errorf("%s: a read of nothing gives %d bytes and %v", name, n, err)
		}
	}
}

func TestFileOfAFileSystemThatChangesIsAnError(t *testing.T) {
	content := &fstest.MapFile{Data: []byte("hello"), ModTime: time.Unix(1000, 0), Mode: fs.FileMode(0o600)}
	src := inFS(t, fstest.MapFS{"a.txt": content}, "a.txt")
	read := func() error {
		_, err := io.ReadAll(iotest.OneByteReader(opened(t, src)))
		return err
	}
	if err := read(); err != nil {
		t.Error(err)
	}
	content.ModTime = time.Unix(1001, 0)
	if err := read(); err == nil {
		t.Error("nothing is said of the change")
	}
	content.Data = []byte("hello and more")
	if err := read(); err == nil || !strings.Contains(err.Error(), "more than its size of 5 bytes") {
		t.Errorf("of a file that grew: %v", err)
	}
}
