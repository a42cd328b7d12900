package upload

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Close waits for a Read. If it did not, another file could get the number of
// the closed one during the Read.
func TestFileClosedUnderItsReadIsReadToTheReadsEnd(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.txt"), filepath.Join(dir, "b.txt")
	for path, content := range map[string]string{a: "a", b: "b"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := openFile(a)
	if err != nil {
		t.Fatal(err)
	}
	d, p := h.(*descriptor), make([]byte, 1)
	fd, closed := d.fd, make(chan error)
	_, err = d.call(func(fd int) (int, error) {
		go func() { closed <- h.Close() }()
		other, err := os.Open(b)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		return syscall.Read(fd, p)
	})
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err != nil || p[0] != 'a' {
		t.Errorf("the read gives %q and %v, want a and nil", p, err)
	}
	if err := syscall.Fstat(fd, new(syscall.Stat_t)); err != syscall.EBADF {
		t.Errorf("after the read the file is still open (%v)", err)
	}
	for name, call := range map[string]func() error{
		"Read": func() error { _, err := h.Read(p); return err }, "Close": h.Close,
	} {
		if err := call(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s after Close: %v, want fs.ErrClosed", name, err)
		}
	}
}
