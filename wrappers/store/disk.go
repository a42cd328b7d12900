package store

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// incomingDir is where files are written before they are renamed. It is no key: CheckKey takes no leading dot.
const incomingDir = ".incoming"

// Disk returns a store in the folder dir, which is created. The bytes of an object are the plain file dir/key, so that
// a person can look, copy or back up; a file that someone lays down there is an object as well. Its content type, if not
// the default, is the file dir/.content-type/key; objects of one type may share that file, so put another in its place
// rather than editing it. Files are readable by their owner only.
//
// A put writes aside, syncs the file and renames it, so no reader and no crash ever sees a part of an object. After a
// power cut the puts of the last seconds may be missing as a whole, as the file system decides, and an object whose
// content type was not written yet is of [DefaultContentType]. A put that does not fit fails with the disk's own error
// and leaves nothing. What a killed process left unfinished is removed here, when the store is opened: a folder
// belongs to one process at a time. It gives no presigned URLs. An object takes no memory, whatever its size.
func Disk(dir string) (Store, error) {
	if dir == "" {
		return nil, errors.New("store: no folder given")
	}
	dir, err := filepath.Abs(dir) // a later change of the working directory must not move the store
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	d := &disk{dir: dir, seed: maphash.MakeSeed(), types: typeRecords{dir: filepath.Join(dir, typesDir)}}
	d.types.writeAside = d.writeAside
	if err := d.prepare(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	return d, nil
}

type disk struct {
	dir   string
	types typeRecords
	seed  maphash.Seed
	// locks keep an object and its content type together. They are held for the renames only, never while bytes
	// arrive, and there are many so that one slow rename does not hold up the others.
	locks [64]sync.RWMutex
}

// prepare makes the folders, clears out what was left unfinished, and sees that files can be written.
func (d *disk) prepare() error {
	incoming := filepath.Join(d.dir, incomingDir)
	if err := os.MkdirAll(incoming, 0o700); err != nil {
		return err
	}
	if err := d.types.prepare(); err != nil {
		return err
	}
	left, err := os.ReadDir(incoming)
	if err != nil {
		return err
	}
	for _, entry := range left {
		if err := os.RemoveAll(filepath.Join(incoming, entry.Name())); err != nil {
			return err
		}
	}
	aside, err := d.writeAside(func(*os.File) error { return nil })
	if err != nil {
		return err
	}
	return os.Remove(aside)
}

func (d *disk) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	contentType, err := d.checkPut(key, contentType)
	if err != nil {
		return 0, wrap("put", key, err)
	}
	var size int64
	aside, err := d.writeAside(func(f *os.File) (err error) {
		size, err = copyBlocks(ctx, r, func(block []byte) error {
			_, err := f.Write(block)
			return err
		})
		if err != nil {
			return err
		}
		return f.Sync()
	})
	if err != nil {
		return 0, wrap("put", key, err)
	}
	if err := d.commit(ctx, key, contentType, aside); err != nil {
		os.Remove(aside)
		return 0, wrap("put", key, err)
	}
	return size, nil
}

// writeAside makes a file of what write writes and returns its path; after an error there is none.
func (d *disk) writeAside(write func(*os.File) error) (path string, err error) {
	incoming := filepath.Join(d.dir, incomingDir)
	f, err := os.CreateTemp(incoming, "")
	if errors.Is(err, fs.ErrNotExist) { // someone emptied the store by hand
		if err = os.MkdirAll(incoming, 0o700); err == nil {
			f, err = os.CreateTemp(incoming, "")
		}
	}
	if err != nil {
		return "", err
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// commit makes the file aside the object under key. After an error all is as it was, and aside is still there.
func (d *disk) commit(ctx context.Context, key, contentType, aside string) error {
	mu := d.lock(key)
	mu.Lock()
	defer mu.Unlock()
	if err := ctx.Err(); err != nil { // the sync may have taken long
		return err
	}
	// The type goes first, so that no new object is ever seen without it.
	before := d.types.read(key)
	if err := d.types.change(key, before, contentType); err != nil {
		return err
	}
	if err := place(aside, d.path(key)); err != nil {
		return errors.Join(err, d.types.change(key, contentType, before))
	}
	return nil
}

// place renames from to to and makes the folders that are missing. Deletes of neighbours may take a folder away again
// at any moment while it is empty, hence the attempts.
func place(from, to string) error {
	var err error
	for range 100 {
		if err = os.Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, err = os.Lstat(from); err != nil {
			break
		}
		err = os.MkdirAll(filepath.Dir(to), 0o700)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	// Not in the chain: to a caller fs.ErrNotExist means a missing key.
	return fmt.Errorf("what was written aside cannot be put in place: %v", err)
}

func (d *disk) Open(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	if err := d.check(ctx, key); err != nil {
		return nil, Info{}, wrap("open", key, err)
	}
	mu := d.lock(key)
	mu.RLock()
	defer mu.RUnlock()
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, Info{}, wrap("open", key, missing(err))
	}
	info, err := d.info(key, f.Stat)
	if err != nil {
		f.Close()
		return nil, Info{}, wrap("open", key, err)
	}
	return f, info, nil
}

func (d *disk) Stat(ctx context.Context, key string) (Info, error) {
	if err := d.check(ctx, key); err != nil {
		return Info{}, wrap("stat", key, err)
	}
	mu := d.lock(key)
	mu.RLock()
	defer mu.RUnlock()
	info, err := d.info(key, func() (fs.FileInfo, error) { return os.Stat(d.path(key)) })
	if err != nil {
		return Info{}, wrap("stat", key, err)
	}
	return info, nil
}

func (d *disk) info(key string, stat func() (fs.FileInfo, error)) (Info, error) {
	fi, err := stat()
	if err != nil {
		return Info{}, missing(err)
	}
	if !fi.Mode().IsRegular() { // a folder of other keys
		return Info{}, fs.ErrNotExist
	}
	return Info{Size: fi.Size(), ContentType: d.types.read(key), ModTime: fi.ModTime()}, nil
}

func (d *disk) Delete(ctx context.Context, key string) error {
	if err := d.check(ctx, key); err != nil {
		return wrap("delete", key, err)
	}
	mu := d.lock(key)
	mu.Lock()
	defer mu.Unlock()
	// os.Remove would take an empty folder as well, and that is no object.
	_, err := d.info(key, func() (fs.FileInfo, error) { return os.Stat(d.path(key)) })
	if err == nil {
		err = os.Remove(d.path(key))
	}
	if err == nil {
		prune(d.dir, d.path(key))
		err = d.types.change(key, d.types.read(key), DefaultContentType)
	}
	if err = missing(err); err != nil && err != fs.ErrNotExist {
		return wrap("delete", key, err)
	}
	return nil
}

func (d *disk) PresignPut(_ context.Context, key, contentType string, _ time.Duration) (string, error) {
	return "", noPresign(key, contentType)
}

// prune removes the folders above path that are empty now, up to root. A link to a folder was laid by a person and stays.
func prune(root, path string) {
	for dir := filepath.Dir(path); dir != root; dir = filepath.Dir(dir) {
		if fi, err := os.Lstat(dir); err != nil || !fi.IsDir() || os.Remove(dir) != nil {
			return
		}
	}
}

func (d *disk) path(key string) string { return filepath.Join(d.dir, filepath.FromSlash(key)) }

func (d *disk) lock(key string) *sync.RWMutex {
	return &d.locks[maphash.String(d.seed, key)%uint64(len(d.locks))]
}

func (d *disk) check(ctx context.Context, key string) error {
	if _, err := d.checkPut(key, ""); err != nil {
		return err
	}
	return ctx.Err()
}

func (d *disk) checkPut(key, contentType string) (string, error) {
	contentType, err := checkPut(key, contentType)
	if err == nil && !filepath.IsLocal(filepath.FromSlash(key)) { // device names, on Windows
		err = fmt.Errorf("%w: not a file name here: %q", fs.ErrInvalid, key)
	}
	return contentType, err
}

// missing makes fs.ErrNotExist of every error that says that there is no such file, also where a part of the key is a
// file and not a folder.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	return err
}
