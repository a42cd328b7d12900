package store

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path"
)

// Noter is a [Store] that keeps a short text cheaper than an object. [Disk]
// returns one.
type Noter interface {
	Store

	// Note stores the text as an object under a new key. Until it returns, and
	// after a kill or a power cut before that, the object may hold a part of
	// the text, or zeros. So the text must be of a form that shows whether it
	// is whole, such as JSON. If the key exists, the error is fs.ErrExist.
	Note(ctx context.Context, key string, text []byte) error
}

// Note calls the method Note if st is a [Noter], and otherwise Put.
func Note(ctx context.Context, st Store, key string, text []byte) error {
	if st, ok := st.(Noter); ok {
		return st.Note(ctx, key, text)
	}
	_, err := st.Put(ctx, key, "", bytes.NewReader(text))
	return err
}

func (d *disk) Note(ctx context.Context, key string, text []byte) error {
	if err := check(ctx, key); err != nil {
		return wrap("note", key, err)
	}
	mu := d.lock(key)
	mu.Lock()
	defer mu.Unlock()
	err := d.folders.use(path.Dir(key), func(in *folder) error {
		return writeNew(in, path.Base(key), func(f *os.File) error {
			_, err := f.Write(text)
			return cmp.Or(err, f.Sync())
		})
	})
	if err != nil {
		return wrap("note", key, err)
	}
	return nil
}
