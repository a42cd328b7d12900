package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/store"
)

func TestListNamesWhatIsInAFolder(t *testing.T) {
	for name, st := range map[string]store.Store{"memory": store.Memory(0), "disk": openDisk(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			for _, key := range []string{"a/b/1", "a/b/2", "a/3", "ab/4", "5"} {
				if _, err := st.Put(t.Context(), key, "text/plain", strings.NewReader("x")); err != nil {
					t.Fatal(err)
				}
			}
			list := func(folder string) (keys []string) {
				t.Helper()
				for key, err := range store.Keys(t.Context(), st, folder) {
					if err != nil {
						t.Fatal(err)
					}
					keys = append(keys, key)
				}
				slices.Sort(keys)
				return keys
			}
			if got, want := list("a"), []string{"a/3", "a/b/1", "a/b/2"}; !slices.Equal(got, want) {
				t.Errorf("a: %q, want %q", got, want)
			}
			for _, none := range []string{"nothing", "a/3"} {
				if got := list(none); got != nil {
					t.Errorf("%q is no folder: %q", none, got)
				}
			}
			over, cancel := context.WithCancel(t.Context())
			cancel()
			for key, err := range st.(store.Lister).List(over, "a") {
				if key != "" || !errors.Is(err, context.Canceled) {
					t.Errorf("a list that is over yields %q, %v", key, err)
				}
			}
			for key, err := range store.Keys(t.Context(), st, "a") {
				if err != nil || st.Delete(t.Context(), key) != nil {
					t.Errorf("delete while listing: %v", err)
				}
			}
			if got := list("a"); got != nil {
				t.Errorf("after the deletes: %q", got)
			}
		})
	}
}

func TestOnlyAListerCanList(t *testing.T) {
	for _, err := range store.Keys(t.Context(), struct{ store.Store }{store.Memory(0)}, "a") {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("got %v, want errors.ErrUnsupported", err)
		}
		return
	}
	t.Error("no error")
}
