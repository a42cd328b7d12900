package store

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"strings"
)

// Lister is a [Store] that can name the objects it holds. [Memory] and [Disk]
// return one. A bucket is none: it has rules of its own by which objects
// expire.
type Lister interface {
	Store

	// List yields the key of each object in the folder, at any depth and in any
	// order. An object that is put or deleted meanwhile may be yielded or not.
	// Objects may be deleted between two keys. An error ends the list.
	List(ctx context.Context, folder string) iter.Seq2[string, error]
}

// Keys yields what List yields. For a store that is no [Lister] it yields the
// error [errors.ErrUnsupported].
func Keys(ctx context.Context, st Store, folder string) iter.Seq2[string, error] {
	if st, ok := st.(Lister); ok {
		return st.List(ctx, folder)
	}
	return func(yield func(string, error) bool) { yield("", wrap("list", folder, errors.ErrUnsupported)) }
}

func (m *memory) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		m.mu.RLock()
		var keys []string
		for key := range m.objects {
			if strings.HasPrefix(key, folder+"/") {
				keys = append(keys, key)
			}
		}
		m.mu.RUnlock()
		for _, key := range keys {
			if err := ctx.Err(); err != nil {
				yield("", wrap("list", folder, err))
				return
			}
			if !yield(key, nil) {
				return
			}
		}
	}
}

func (d *disk) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := fs.WalkDir(d.root.FS(), folder, func(key string, entry fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, fs.ErrNotExist): // deleted meanwhile
				return nil
			case err != nil:
				return err
			case !entry.Type().IsRegular() || key == folder || CheckKey(key) != nil || yield(key, nil):
				return nil
			}
			return fs.SkipAll
		})
		if err != nil {
			yield("", wrap("list", folder, err))
		}
	}
}
