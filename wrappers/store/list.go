package store

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"strings"
)

// Lister is a [Store] that can name the objects it holds. [Memory] and [Disk]
// return one. A bucket is not a Lister: its own rules delete expired objects.
type Lister interface {
	Store

	// List yields the key of each object in the folder, at any depth and in any
	// order. An object that is put or deleted meanwhile may be yielded or not.
	// Objects may be deleted between two keys. An error ends the list.
	List(ctx context.Context, folder string) iter.Seq2[string, error]
}

// Keys calls List if st is a [Lister]. Otherwise it yields the error
// [errors.ErrUnsupported].
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
		if _, err := d.walk(ctx, folder, yield); err != nil {
			yield("", wrap("list", folder, err))
		}
	}
}

// walk yields the keys in a folder, and reports whether the caller wants more.
// It reads a folder in parts, because a million names at once would take 100
// MB.
func (d *disk) walk(ctx context.Context, folder string, yield func(string, error) bool) (more bool, err error) {
	f, err := d.root.Open(filepath.FromSlash(folder))
	if asNotExist(err) == fs.ErrNotExist {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(1000)
		for _, entry := range entries {
			key := folder + "/" + entry.Name()
			more := true
			var err error
			switch {
			case ctx.Err() != nil:
				return false, ctx.Err()
			case CheckKey(key) != nil: // not an object
			case entry.IsDir():
				more, err = d.walk(ctx, key, yield)
			case entry.Type().IsRegular():
				more = yield(key, nil)
			}
			if !more || err != nil {
				return false, err
			}
		}
		if err == io.EOF || asNotExist(err) == fs.ErrNotExist { // all, or deleted meanwhile
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
}
