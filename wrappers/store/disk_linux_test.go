package store_test

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
)

// mountSmall makes dir a file system of 1 MiB.
func mountSmall(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small file system cannot be mounted without the right to: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
}

func TestADiskThatCannotBeWrittenIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	mountSmall(t, dir)
	openDisk(t, dir).(io.Closer).Close()
	must(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	if _, err := store.Disk(dir); !errors.Is(err, syscall.EROFS) {
		t.Errorf("error %v, want that of the disk", err)
	}
}

func TestAFullDiskSaysSoAndKeepsTheOldObject(t *testing.T) {
	dir := t.TempDir()
	mountSmall(t, dir)
	st := openDisk(t, dir)
	put(t, st, "a", "text/plain", "old")
	for _, key := range []string{"a", "b"} {
		_, err := st.Put(t.Context(), key, "text/html", io.LimitReader(zeros{}, 2<<20))
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left on device") {
			t.Errorf("Put(%q): error %v, want that of the disk", key, err)
		}
	}
	wantFiles(t, dir, "a", ".content-type/a")
	info, err := st.Stat(t.Context(), "a")
	if err != nil || info.Size != 3 || info.ContentType != "text/plain" {
		t.Errorf("Stat = %+v, %v, want the old object", info, err)
	}
}

func TestAPipeIsNoObjectAndNobodyWaitsForIt(t *testing.T) {
	dir := t.TempDir()
	st := openDisk(t, dir)
	put(t, st, "typed", "", "x")
	for _, name := range []string{"pipe", ".content-type/typed"} {
		must(t, syscall.Mkfifo(filepath.Join(dir, name), 0o600))
	}
	if _, _, err := st.Open(t.Context(), "pipe"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open: error %v, want fs.ErrNotExist", err)
	}
	if info, err := st.Stat(t.Context(), "typed"); err != nil || info.ContentType != store.DefaultContentType {
		t.Errorf("Stat of an object whose type is a pipe = %+v, %v", info, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
