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
			must(t, err)
			got = append(got, fmt.Sprint(f.ID, f.Name, f.ContentType, f.Size, f.Time.IsZero()))
		}
		return got
	}
	if got, want := list(), []string{fmt.Sprint(i.FileID, "", "a/b", 3, false)}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	must(t, s.SetStatus(t.Context(), i.FileID, "Failed"))
	must(t, s.Reset(t.Context()))
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
