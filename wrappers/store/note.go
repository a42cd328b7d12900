package store

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path"
)

// Note stores a short text as an object under a new key. A store of [Disk] does
// it cheaper than Put. There the object may hold a part of the text, or zeros,
// until Note returns, and after a kill or a power cut before that. So the text
// must be of a form that shows whether it is whole, such as JSON. If the key
// exists there, the error is fs.ErrExist.
func Note(ctx context.Context, st Store, key string, text []byte) error {
	d, ok := st.(*disk)
	if !ok {
		_, err := st.Put(ctx, key, "", bytes.NewReader(text))
		return err
	}
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
