package standin_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
	"github.com/putpost/putpost/wrappers/twentyfourseven/standin"
)

func TestFilesAreListedUntilTheyAreReset(t *testing.T) {
	s := serve(t, standin.Config{Store: store.Memory(0)})
	i := s.initiate("a/b")
	s.initiate("c/d") // its file is never sent
	s.put(i.UploadURL, "a/b", "xyz")
	list := func() (got []string) {
		for f, err := range s.Files(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(f.ID, f.Name, f.ContentType, f.Size, f.Time.IsZero()))
		}
		return got
	}
	if got, want := list(), []string{fmt.Sprint(i.FileID, "", "a/b", 3, false)}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := s.SetStatus(t.Context(), i.FileID, "Failed"); err != nil {
		t.Fatal(err)
	}
	if err := s.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != nil {
		t.Errorf("after the reset: %q", got)
	}
	if got := s.status(i.FileID); !strings.Contains(got, `"Pending"`) {
		t.Errorf("after the reset: %s", got)
	}
	if _, _, err := s.Open(t.Context(), i.FileID); err == nil ||
		!strings.Contains(err.Error(), fs.ErrNotExist.Error()) {
		t.Errorf("after the reset: %v", err)
	}
}
