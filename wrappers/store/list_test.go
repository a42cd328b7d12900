package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
)

func TestOnlyAListerCanList(t *testing.T) {
	for _, err := range store.Keys(t.Context(), struct{ store.Store }{store.Memory(0)}, "a") {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v, want errors.ErrUnsupported", err)
		}
		return
	}
	t.Error("no error")
}

// A folder is read in parts, and shrinks meanwhile.
func TestALongFolderIsListedWholeWhileItIsEmptied(t *testing.T) {
	const count = 2500
	dir := t.TempDir()
	st := openDisk(t, dir)
	for i := range count { // by hand: a Put syncs
		path := filepath.Join(dir, "a", fmt.Sprint(i%2), fmt.Sprint(i))
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, nil, 0o600))
	}
	seen := map[string]bool{}
	for key, err := range store.Keys(t.Context(), st, "a") {
		must(t, err)
		seen[key] = true
		must(t, st.Delete(t.Context(), key))
	}
	if len(seen) != count {
		t.Errorf("%d keys are listed, want %d", len(seen), count)
	}
}
