package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/putpost/putpost/wrappers/store"
)

func list(ctx context.Context, s store.Store) error {
	lister, ok := s.(store.Lister)
	if !ok {
		return skipReason("the store is no store.Lister")
	}
	keys := []string{"list/a/1", "list/a/2", "list/a/b/3", "list/4", "list-5", "list6/7"}
	for _, key := range keys {
		must(put(ctx, s, key, "text/x-list", []byte(key)))
	}
	lists := func(folder string, want ...string) error {
		var got []string
		for key, err := range lister.List(ctx, folder) {
			must(err, "List(%q)", folder)
			got = append(got, key)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("List(%q) yields %q, want %q", folder, got, want)
		}
		return nil
	}
	err := errors.Join(
		lists("list", "list/4", "list/a/1", "list/a/2", "list/a/b/3"),
		lists("list/a", "list/a/1", "list/a/2", "list/a/b/3"),
		lists("list/4"), // a key is no folder
		lists("nothing"),
	)
	must(err)
	// An unfinished put is not listed.
	_, err = s.Put(ctx, "list/8", textPlain, then(pattern(part+1), func() error {
		return cmp.Or(lists("list", "list/4", "list/a/1", "list/a/2", "list/a/b/3"), errTorn)
	}))
	failIf(!errors.Is(err, errTorn), "in the middle of a put: %w", err)
	over, cancel := context.WithCancel(ctx)
	cancel()
	for key, err := range lister.List(over, "list") {
		failIf(key != "" || !errors.Is(err, context.Canceled),
			"List with a cancelled context yields %q, %v, want context.Canceled", key, err)
	}
	for _, err := range lister.List(ctx, "list") {
		must(err, "List")
		break // must not upset it
	}
	for key, err := range lister.List(ctx, "list") {
		if err == nil {
			err = s.Delete(ctx, key)
		}
		must(err, "deleting what List yields")
	}
	must(lists("list"), "after each was deleted")
	return holds(ctx, s, "list6/7", "text/x-list", []byte("list6/7"))
}
