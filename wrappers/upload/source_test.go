package upload_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/upload"
)

// contentOf opens src, reads it to its end and closes it.
func contentOf(t *testing.T, src upload.Source) string {
	t.Helper()
	rc, err := src.Open()
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	data, err := io.ReadAll(rc)
	if err := errors.Join(err, rc.Close()); err != nil {
		t.Fatalf("reading %s: %v", src.Name, err)
	}
	return string(data)
}

// must fails the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// opened opens src until the test ends.
func opened(t *testing.T, src upload.Source) io.ReadCloser {
	t.Helper()
	rc, err := src.Open()
	must(t, err)
	t.Cleanup(func() { rc.Close() })
	return rc
}

// inFS describes a file of a file system.
func inFS(t *testing.T, fsys fs.FS, name string) upload.Source {
	t.Helper()
	src, err := upload.FS(fsys, name)
	must(t, err)
	return src
}

// onDisk writes a file, and describes it.
func onDisk(t *testing.T, name, content string) (path string, src upload.Source) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	err := os.WriteFile(path, []byte(content), 0o600)
	if err == nil {
		src, err = upload.File(path)
	}
	must(t, err)
	return path, src
}

func TestBaseNameEndsAtEitherSeparatorOnEveryPlatform(t *testing.T) {
	for name, want := range map[string]string{
		"test.txt":                "test.txt",
		`test\resources\test.txt`: "test.txt",
		"test/resources/test.txt": "test.txt",
		`a/b\c.txt`:               "c.txt",
		`a\b/c.txt`:               "c.txt",
		"/":                       "",
		`C:\`:                     "",
		"dir/":                    "",
		"":                        "",
		"..":                      "..",
		"보고서/견적서 (최종).pdf":        "견적서 (최종).pdf",
	} {
		if got := upload.BaseName(name); got != want {
			t.Errorf("BaseName(%q) = %q, want %q", name, got, want)
		}
	}
}

// constructors makes a source of the same file in every way. Each is new, since
// one of them can be read once.
func constructors(t *testing.T, name, content string) map[string]func() upload.Source {
	path, file := onDisk(t, name, content)
	size := int64(len(content))
	return map[string]func() upload.Source{
		"File": func() upload.Source { return file },
		"FS": func() upload.Source {
			return inFS(t, fstest.MapFS{"dir/" + name: {Data: []byte(content)}}, "dir/"+name)
		},
		"FS of a folder": func() upload.Source { return inFS(t, os.DirFS(filepath.Dir(path)), name) },
		"Bytes":          func() upload.Source { return upload.Bytes(`dir\`+name, []byte(content)) },
		"ReaderAt": func() upload.Source {
			r := strings.NewReader(content + " and what lies behind it")
			r.Seek(7, io.SeekStart) // a source begins at the first byte all the same
			return upload.ReaderAt("dir/"+name, r, size)
		},
		"Reader": func() upload.Source { return upload.Reader("/dir/"+name, strings.NewReader(content), size) },
		"Reader of a slow one": func() upload.Source {
			return upload.Reader(name, iotest.OneByteReader(strings.NewReader(content)), size)
		},
	}
}

func TestEveryConstructorDescribesTheSameFileAlike(t *testing.T) {
	for _, content := range []string{"%PDF-1.7 and so on", ""} {
		for constructor, source := range constructors(t, "견적서 1.pdf", content) {
			src := source()
			if src.Name != "견적서 1.pdf" || src.ContentType != "application/pdf" || src.Size != int64(len(content)) {
				t.Errorf("%s describes %q, %q, %d bytes", constructor, src.Name, src.ContentType, src.Size)
			}
			if got := contentOf(t, src); got != content {
				t.Errorf("%s holds %q, want %q", constructor, got, content)
			}
		}
	}
}

func TestEachOpenBeginsAtTheFirstByteAndStandsAlone(t *testing.T) {
	for constructor, source := range constructors(t, "digits", digits) {
		if strings.HasPrefix(constructor, "Reader ") || constructor == "Reader" {
			continue // it can be opened once
		}
		src := source()
		first, err := src.Open()
		if err != nil {
			t.Fatalf("%s: %v", constructor, err)
		}
		if _, err := io.CopyN(io.Discard, first, 4); err != nil {
			t.Fatalf("%s: %v", constructor, err)
		}
		if got := contentOf(t, src); got != digits {
			t.Errorf("%s: opened beside another reader it holds %q, want %q", constructor, got, digits)
		}
		rest, err := io.ReadAll(first)
		if err := errors.Join(err, first.Close()); err != nil || string(rest) != digits[4:] {
			t.Errorf("%s: the first reader goes on with %q (%v), want %q", constructor, rest, err, digits[4:])
		}
	}
}

func TestFileRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	refusesToDescribe(t, filepath.Join(dir, "missing.pdf"), fs.ErrNotExist, "")
	refusesToDescribe(t, dir, upload.ErrInvalid, "is a directory")
}

// refusesToDescribe checks that File says in one line what is wrong with path.
func refusesToDescribe(t *testing.T, path string, is error, says string) {
	t.Helper()
	src, err := upload.File(path)
	if !errors.Is(err, upload.ErrInvalid) || !errors.Is(err, is) {
		t.Errorf("%s: %v, want upload.ErrInvalid and %v", path, err, is)
		return
	}
	if src.Open != nil || src.Name != "" {
		t.Errorf("%s: there is a source beside the error", path)
	}
	if text := err.Error(); strings.Count(text, path) != 1 || !strings.Contains(text, says) ||
		strings.Contains(text, "\n") {
		t.Errorf("%q does not name the path once and say %q", text, says)
	}
}

// opening is a file system whose Open is a func.
type opening struct {
	fstest.MapFS
	open func(fs.File, error) (fs.File, error)
}

func (f opening) Open(name string) (fs.File, error) { return f.open(f.MapFS.Open(name)) }

var errTorn = errors.New("torn")

// tornFile cannot be read, and counts how often it is closed.
type tornFile struct {
	fs.File
	closed *int
}

func (tornFile) Read([]byte) (int, error) { return 0, errTorn }
func (f tornFile) Close() error           { *f.closed++; return f.File.Close() }

func TestFSRefusesWhatCannotBeRead(t *testing.T) {
	files := fstest.MapFS{"dir/file": {Data: []byte("secret")}}
	opened, closed := 0, 0
	torn := opening{files, func(file fs.File, err error) (fs.File, error) {
		opened++
		return tornFile{file, &closed}, err
	}}
	// Like another user's. A test that runs as root cannot have a real one.
	locked := opening{files, func(fs.File, error) (fs.File, error) { return nil, fs.ErrPermission }}
	for _, tc := range []struct {
		what string
		fsys fs.FS
		name string
		is   error
	}{
		{"a missing file", files, "dir/other", fs.ErrNotExist},
		{"a directory", files, "dir", upload.ErrInvalid},
		{"a file that may not be opened", locked, "dir/file", fs.ErrPermission},
		{"a file that cannot be read", torn, "dir/file", errTorn},
	} {
		if _, err := upload.FS(tc.fsys, tc.name); !errors.Is(err, upload.ErrInvalid) || !errors.Is(err, tc.is) {
			t.Errorf("%s: %v, want upload.ErrInvalid and %v", tc.what, err, tc.is)
		}
	}
	if opened != 1 || closed != 1 {
		t.Errorf("opened %d times and closed %d times, want once each", opened, closed)
	}
}

func TestReaderGivesItselfOnce(t *testing.T) {
	src := upload.Reader("log", iotest.OneByteReader(strings.NewReader("line")), 4)
	if got := contentOf(t, src); got != "line" {
		t.Errorf("the first Open holds %q", got)
	}
	for range 2 {
		if rc, err := src.Open(); !errors.Is(err, upload.ErrNotReplayable) || rc != nil {
			t.Errorf("a later Open gives %v, %v, want upload.ErrNotReplayable", rc, err)
		}
	}
}

// closes counts how often it was closed.
type closes struct {
	io.Reader
	n int
}

func (c *closes) Close() error { c.n++; return nil }

func TestReaderClosesWhatCanBeClosed(t *testing.T) {
	r := &closes{Reader: strings.NewReader("line")}
	contentOf(t, upload.Reader("log", r, 4))
	if r.n != 1 {
		t.Errorf("closed %d times, want once", r.n)
	}
}

func TestReaderAtIsNeverClosed(t *testing.T) {
	f, err := os.Open("source.go")
	must(t, err)
	defer f.Close()
	src := upload.ReaderAt("source.go", f, 7)
	for range 2 {
		if got := contentOf(t, src); got != "package" {
			t.Errorf("the first 7 bytes are %q", got)
		}
	}
}

func TestReaderAtThatFailsShowsWhenItIsRead(t *testing.T) {
	src := upload.ReaderAt("data", failingAt{}, 10)
	if src.ContentType != upload.OctetStream || src.Size != 10 {
		t.Errorf("described as %q, %d bytes", src.ContentType, src.Size)
	}
	rc := opened(t, src)
	if _, err := io.ReadAll(rc); !errors.Is(err, errTorn) {
		t.Errorf("reading gives %v, want %v", err, errTorn)
	}
}

type failingAt struct{}

func (failingAt) ReadAt([]byte, int64) (int, error) { return 0, errTorn }

func TestFileIsOpenedAnewByItsPath(t *testing.T) {
	path, src := onDisk(t, "report.txt", "then")
	must(t, os.Remove(path))
	if _, err := src.Open(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a file that is gone: %v, want %v", err, fs.ErrNotExist)
	}
}

func TestSourceInJSONIsAnErrorThatSaysWhatToDo(t *testing.T) {
	_, err := json.Marshal(struct{ Photo upload.Source }{upload.Bytes("a.png", nil)})
	if !errors.Is(err, upload.ErrInvalid) || !strings.Contains(err.Error(), "in a form") {
		t.Errorf("error %v, want ErrInvalid that names the form", err)
	}
}
