package store_test

import (
	"errors"
	"io"
	"io/fs"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
)

func TestANoteIsAnObjectOfTheDefaultType(t *testing.T) {
	dir := t.TempDir()
	for name, st := range map[string]store.Store{"disk": openDisk(t, dir), "memory": store.Memory(0)} {
		must(t, store.Note(t.Context(), st, "a/note", []byte("text")))
		r, info, err := st.Open(t.Context(), "a/note")
		must(t, err)
		text, err := io.ReadAll(r)
		r.Close()
		if string(text) != "text" || err != nil || info.Size != 4 || info.ContentType != store.DefaultContentType {
			t.Errorf("%s: %q, %v, %+v", name, text, err, info)
		}
		if err := store.Note(t.Context(), st, "../a", nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: a bad key: error %v, want fs.ErrInvalid", name, err)
		}
	}
	wantFiles(t, dir, "a/", "a/note")
}

func TestANoteReplacesNothing(t *testing.T) {
	st := openDisk(t, t.TempDir())
	for _, want := range []error{nil, fs.ErrExist} {
		if err := store.Note(t.Context(), st, "a/note", []byte("text")); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
	if info, err := st.Stat(t.Context(), "a/note"); err != nil || info.Size != 4 {
		t.Errorf("Stat = %+v, %v", info, err)
	}
}
