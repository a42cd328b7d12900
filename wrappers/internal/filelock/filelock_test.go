//go:build windows || (unix && !solaris && !aix)

package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/filelock"
)

func TestALockHoldsUntilItsFileIsClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "locked")
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	first, second := open(), open()
	if err := filelock.Lock(first); err != nil {
		t.Fatal(err)
	}
	if err := filelock.Lock(second); !errors.Is(err, filelock.ErrInUse) {
		t.Errorf("a second lock: error %v, want ErrInUse", err)
	}
	first.Close()
	if err := filelock.Lock(second); err != nil {
		t.Errorf("after the first file was closed: %v", err)
	}
}
