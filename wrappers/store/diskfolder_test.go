package store

import (
	"io/fs"
	"os"
	"testing"
)

// The folder is removed in every try in which a Delete may remove it.
func TestAFolderIsUsedThoughDeletesKeepRemovingIt(t *testing.T) {
	st, err := Disk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.(*disk).Close() })
	d, removed := st.(*disk), 0
	err = d.folders.use("a/b", func(in *folder) error {
		if d.pruning.TryLock() {
			d.pruning.Unlock()
			d.prune("a/b/key", ".")
			removed++
		}
		return writeNew(in, "key", func(*os.File) error { return nil })
	})
	if _, statErr := d.root.Stat("a/b/key"); err != nil || statErr != nil || removed == 0 {
		t.Errorf("error %v, the file: %v; want both nil, after one folder or more was removed: %d", err,
			statErr, removed)
	}
	err = d.folders.use("a", func(*folder) error { return fs.ErrNotExist })
	if err == nil || !d.pruning.TryLock() {
		t.Errorf("error %v, want one; and a Delete may remove folders again", err)
	}
}
