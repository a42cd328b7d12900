package store_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/store"
)

func openDisk(t testing.TB, dir string) store.Store {
	t.Helper()
	st, err := store.Disk(dir)
	must(t, err)
	t.Cleanup(func() { st.(io.Closer).Close() })
	return st
}

var must = standintest.Must

// put stores an object.
func put(t testing.TB, st store.Store, key, contentType, text string) {
	t.Helper()
	if _, err := st.Put(t.Context(), key, contentType, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
}

// reopen closes the store and opens it again, as a restart does.
func reopen(t testing.TB, st store.Store, dir string) store.Store {
	t.Helper()
	must(t, st.(io.Closer).Close())
	return openDisk(t, dir)
}

// files lists the files in dir, and folders with a slash at the end. It leaves
// out the shared files of content types, because they belong to no single
// object.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if name = filepath.ToSlash(name); name == ".content-type/.shared" {
			return fs.SkipDir
		}
		if d.IsDir() {
			name += "/"
		}
		names = append(names, name)
		return err
	})
	must(t, err)
	return names
}

func wantFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	want = append(want, "./", ".incoming/", ".content-type/", ".content-type/.lock")
	slices.Sort(want)
	got := files(t, dir)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func TestDiskFilesArePlainFilesNamedByTheirKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on", "the", "way")
	st := openDisk(t, dir)
	for key, contentType := range map[string]string{"plain": "", "in/box": "application/pdf"} {
		put(t, st, key, contentType, "the bytes of "+key)
	}
	wantFiles(t, dir, "plain", "in/", "in/box", ".content-type/in/", ".content-type/in/box")
	if b, err := os.ReadFile(filepath.Join(dir, "in", "box")); err != nil || string(b) != "the bytes of in/box" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, ".content-type", "in", "box")); err != nil ||
		string(b) != "application/pdf\n" {
		t.Errorf("the type's file holds %q, %v", b, err)
	}
}

func TestDiskDeletesLeaveNoEmptyFolders(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	for _, key := range []string{"a/b/c/d", "a/e"} {
		put(t, st, key, "text/plain", key)
	}
	must(t, st.Delete(t.Context(), "a/b/c/d"))
	wantFiles(t, dir, "a/", "a/e", ".content-type/a/", ".content-type/a/e")
	must(t, st.Delete(t.Context(), "a/e"))
	wantFiles(t, dir)
}

func TestDiskFailuresLeaveNothingBehind(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	torn := io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := st.Put(t.Context(), "a/b", "text/plain", torn); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v, want io.ErrUnexpectedEOF", err)
	}
	if _, err := st.Put(t.Context(), "../a", "text/plain", strings.NewReader("x")); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("error %v, want fs.ErrInvalid", err)
	}
	wantFiles(t, dir)
}

func TestDiskKeepsKeyAndTypeWhereARenameFails(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	for key, contentType := range map[string]string{"folder/file": "text/plain", "file": "text/plain"} {
		put(t, st, key, contentType, "old")
	}
	before := files(t, dir)
	// A folder in place of the object: only the last rename fails, after the type
	// was written.
	must(t, os.MkdirAll(filepath.Join(dir, "laid", "down"), 0o700))
	for _, key := range []string{"folder", "file/below", "laid"} {
		_, err := st.Put(t.Context(), key, "text/html", strings.NewReader("new"))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Put(%q): error %v, want a failure that is not fs.ErrNotExist", key, err)
		}
		if _, err := st.Stat(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Stat(%q): error %v, want fs.ErrNotExist", key, err)
		}
	}
	must(t, os.RemoveAll(filepath.Join(dir, "laid")))
	if after := files(t, dir); !slices.Equal(after, before) {
		t.Errorf("the folder holds %q, want %q", after, before)
	}
}

func TestOpeningADiskDeletesWhatAKilledProcessLeftAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	put(t, st, "a", "text/plain", "kept")
	// Half of a put, as a killed process leaves it.
	var left string
	_, err := st.Put(t.Context(), "b", "text/plain", readerFunc(func([]byte) (int, error) {
		entries, err := os.ReadDir(filepath.Join(dir, ".incoming"))
		if err != nil || len(entries) != 1 {
			t.Errorf("in the middle of a put there are %v, %v", entries, err)
			return 0, err
		}
		left = entries[0].Name()
		return 0, io.ErrUnexpectedEOF
	}))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	lay := func(names ...string) {
		for _, name := range names {
			must(t, os.WriteFile(filepath.Join(dir, name), []byte("half an obj"), 0o600))
		}
	}
	lay(".incoming/" + left)
	others := []string{
		".incoming/report.pdf", ".incoming/123", ".incoming/put-", ".incoming/" + left + ".bak",
		".incoming/" + strings.ToLower(left), ".hidden", "in the way.txt",
	}
	shared := []string{".content-type/.shared/cafe", ".content-type/.shared/" + strings.Repeat("x", 32)}
	lay(append(others, shared...)...)
	// A folder and a link with the name of a put's file must stay.
	folder := ".incoming/" + left[:len(left)-1] + "2"
	if folder == ".incoming/"+left {
		folder = ".incoming/" + left[:len(left)-1] + "3"
	}
	must(t, os.Mkdir(filepath.Join(dir, folder), 0o700))
	st = reopen(t, st, dir)
	wantFiles(t, dir, append(others, "a", ".content-type/a", folder+"/")...)
	for _, name := range shared { // wantFiles leaves them out
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if info, err := st.Stat(t.Context(), "a"); err != nil || info.ContentType != "text/plain" || info.Size != 4 {
		t.Errorf("Stat = %+v, %v", info, err)
	}
}

// The link leads to a folder of someone else: nothing in it may change.
func TestALinkInPlaceOfTheStoresOwnFolderIsRefused(t *testing.T) {
	for _, name := range []string{".incoming", ".content-type", ".content-type/.shared", ".content-type/.lock"} {
		for _, inside := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, inside %t", name, inside), func(t *testing.T) {
				dir := t.TempDir()
				victim := t.TempDir()
				if inside {
					victim = filepath.Join(dir, "victim")
				}
				precious := filepath.Join(victim, "put-"+strings.Repeat("A", 26))
				for _, folder := range []string{victim, filepath.Join(dir, ".content-type")} {
					must(t, os.MkdirAll(folder, 0o700))
				}
				must(t, os.WriteFile(precious, []byte("precious"), 0o600))
				if name == ".content-type" {
					os.Remove(filepath.Join(dir, name))
				}
				if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
					t.Skip(err)
				}
				st, err := store.Disk(dir)
				if err == nil {
					st.(io.Closer).Close()
				}
				if err == nil || !strings.Contains(err.Error(), name+" is") ||
					!strings.Contains(err.Error(), "move it away") {
					t.Errorf("error %v, want one that names %s and says what to do", err, name)
				}
				entries, err := os.ReadDir(victim)
				if err != nil || len(entries) != 1 {
					t.Errorf("the target holds %v, %v, want the one file that it had", entries, err)
				}
			})
		}
	}
}

func TestNoLinkLeadsOutOfTheFolder(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	st := openDisk(t, dir)
	precious := filepath.Join(outside, "file")
	must(t, os.WriteFile(precious, []byte("precious"), 0o600))
	for link, target := range map[string]string{
		"folder": outside, "file": precious, ".content-type/types": outside, "relative": "../" + filepath.Base(outside),
	} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	for _, key := range []string{"folder/file", "file", "relative/file", "types/new"} {
		if r, _, err := st.Open(t.Context(), key); err == nil {
			r.Close()
			t.Errorf("Open(%q) went out of the folder", key)
		}
		if info, err := st.Stat(t.Context(), key); err == nil {
			t.Errorf("Stat(%q) = %+v", key, info)
		}
		_ = st.Delete(t.Context(), key)
		_, err := st.Put(t.Context(), key, "text/plain", strings.NewReader("new"))
		if err == nil && key != "file" { // a link may be replaced by an object
			t.Errorf("Put(%q) went out of the folder", key)
		}
	}
	b, err := os.ReadFile(precious)
	entries, _ := os.ReadDir(outside)
	if err != nil || string(b) != "precious" || len(entries) != 1 {
		t.Errorf("outside there are %v and %q, %v, want all as it was", entries, b, err)
	}
}

func TestAFolderInUseIsRefused(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	r := io.MultiReader(strings.NewReader("x"), readerFunc(func([]byte) (int, error) {
		second, err := store.Disk(dir)
		if err == nil {
			second.(io.Closer).Close()
		}
		if err == nil || !strings.Contains(err.Error(), "in use by another process: stop that one") {
			t.Errorf("a second store in the folder: error %v, want one that says what to do", err)
		}
		return 0, io.EOF
	}))
	if _, err := st.Put(t.Context(), "a", "text/plain", r); err != nil {
		t.Error(err)
	}
	reopen(t, st, dir)
}

func TestAPutWhoseFileIsTakenAwayFails(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	r := io.MultiReader(strings.NewReader("x"), readerFunc(func([]byte) (int, error) {
		if err := os.RemoveAll(filepath.Join(dir, ".incoming")); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}))
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be taken away")
	}
	_, err := st.Put(t.Context(), "a", "text/plain", r)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want a failure that is not fs.ErrNotExist", err)
	}
	if _, err := st.Stat(t.Context(), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat: error %v, want fs.ErrNotExist", err)
	}
}

func TestADiskThatWasEmptiedByHandGoesOn(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, entry := range entries {
		must(t, os.RemoveAll(filepath.Join(dir, entry.Name())))
	}
	put(t, st, "a", "text/plain", "x")
}

func TestAFolderThatAPersonMovedAwayIsNotWrittenTo(t *testing.T) {
	for _, replaced := range []bool{false, true} {
		dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "moved")
		st := openDisk(t, dir)
		put(t, st, "a/before", "text/plain", "x")
		if err := os.Rename(filepath.Join(dir, "a"), elsewhere); err != nil {
			t.Skip(err)
		}
		if replaced {
			must(t, os.Mkdir(filepath.Join(dir, "a"), 0o700))
		}
		put(t, st, "a/after", "text/plain", "x")
		wantFiles(t, dir, "a/", "a/after", ".content-type/a/", ".content-type/a/before", ".content-type/a/after")
		if moved, err := os.ReadDir(elsewhere); err != nil || len(moved) != 1 {
			t.Errorf("the folder that was moved holds %v, %v", moved, err)
		}
	}
}

func TestAFolderThatAPersonMovedAwayAndLinkedToIsNotWrittenTo(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "moved")
	st := openDisk(t, dir)
	put := func(key string) error {
		_, err := st.Put(t.Context(), key, "", strings.NewReader("x"))
		return err
	}
	must(t, put("a/b/before"))
	if err := os.Rename(filepath.Join(dir, "a"), elsewhere); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "a")); err != nil {
		t.Skip(err)
	}
	if put("a/b/after") == nil {
		t.Error("the put passed, and no object can be read by a link that leads out of the store")
	}
	if moved, err := os.ReadDir(filepath.Join(elsewhere, "b")); err != nil || len(moved) != 1 {
		t.Errorf("the folder that was moved holds %v, %v", moved, err)
	}
}

func TestManyFoldersAreWrittenTo(t *testing.T) {
	st := openDisk(t, t.TempDir())
	for i := range 300 { // more than the cache holds
		key := fmt.Sprintf("%d/%d", i%100, i)
		put(t, st, key, "text/plain", key)
		if info, err := st.Stat(t.Context(), key); err != nil || info.ContentType != "text/plain" {
			t.Fatalf("Stat(%q) = %+v, %v", key, info, err)
		}
	}
}

func TestALostOrTornTypeIsTheDefault(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	put(t, st, "a", "text/plain", "x")
	record := filepath.Join(dir, ".content-type", "a")
	for _, torn := range []string{"", "\n", "\x00\x00\x00", "text/plain\x00"} {
		must(t, os.WriteFile(record, []byte(torn), 0o600))
		if info, err := st.Stat(t.Context(), "a"); err != nil || info.ContentType != store.DefaultContentType {
			t.Errorf("with %q for a type: Stat = %+v, %v", torn, info, err)
		}
	}
	must(t, os.Remove(record))
	if info, err := st.Stat(t.Context(), "a"); err != nil || info.ContentType != store.DefaultContentType {
		t.Errorf("without a type: Stat = %+v, %v", info, err)
	}
}

func TestTypesSurviveTheLossOfTheirSharedFile(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	put(t, st, "first", "text/plain", "x")
	put(t, st, "second", "text/plain", "x") // its record is a link now
	put(t, st, "other", "application/pdf", "x")
	record := func(key string) fs.FileInfo {
		fi, err := os.Stat(filepath.Join(dir, ".content-type", key))
		must(t, err)
		return fi
	}
	if !os.SameFile(record("first"), record("second")) || os.SameFile(record("first"), record("other")) {
		t.Error("objects share the file of their type, and no other")
	}
	// A power cut may damage what an earlier process shared.
	shared, err := filepath.Glob(filepath.Join(dir, ".content-type", ".shared", "*"))
	if err != nil || len(shared) != 2 {
		t.Fatalf("%q are shared, %v", shared, err)
	}
	for _, name := range shared {
		_ = os.Remove(name)
		must(t, os.WriteFile(name, []byte("image/png\n"), 0o600))
	}
	again := reopen(t, st, dir)
	put(t, again, "third", "text/plain", "x")
	put(t, again, "damaged", "text/plain", "x")
	put(t, again, "third", "application/pdf", "x")
	must(t, os.RemoveAll(filepath.Join(dir, ".content-type", ".shared")))
	put(t, again, "fourth", "text/plain", "x")
	for key, want := range map[string]string{"first": "text/plain", "second": "text/plain", "other": "application/pdf",
		"third": "application/pdf", "fourth": "text/plain", "damaged": "text/plain"} {
		if info, err := again.Stat(t.Context(), key); err != nil || info.ContentType != want {
			t.Errorf("Stat(%q) = %+v, %v, want %s", key, info, err, want)
		}
	}
}

func TestManyTypesAreKeptAndNotShared(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	const n = 300
	for i := range n {
		put(t, st, "a", fmt.Sprintf("text/x-%d", i), "x")
	}
	if info, err := st.Stat(t.Context(), "a"); err != nil || info.ContentType != fmt.Sprintf("text/x-%d", n-1) {
		t.Errorf("Stat = %+v, %v", info, err)
	}
	shared, err := os.ReadDir(filepath.Join(dir, ".content-type", ".shared"))
	if err != nil || len(shared) != 256 {
		t.Errorf("%d types are shared, %v, want 256", len(shared), err)
	}
}

func TestAFolderThatCannotBeAStoreIsRefusedAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{"", file, filepath.Join(file, "below")} {
		if _, err := store.Disk(dir); err == nil {
			t.Errorf("Disk(%q) opened", dir)
		}
	}
}
