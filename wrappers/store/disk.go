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
)

// Disk returns a store in the folder dir, and creates the folder. The bytes of
// an object are the plain file dir/key, so a person can look, copy and back up.
// A file that a person puts there is an object, too. The file
// dir/.content-type/key holds the content type, unless it is the default.
// Objects of one type may share that file: replace it and do not edit it. The
// files are readable for their owner only. The store is a [Lister] and an
// [io.Closer], and gives no presigned URLs. It needs the same memory for an
// object of any size.
//
// # Crashes and power cuts
//
// A put writes the bytes to a file in dir/.incoming, syncs that file, and
// renames it to its key. The sync comes before the rename, so neither a reader
// nor a crash ever sees a part of an object. One sync an object is enough, and
// the folder is not synced. After a power cut the puts of the last seconds may
// be missing. On a file system with a journal, each is missing as a whole, and
// an earlier put is never missing where a later one is there. So a program may
// store several objects and then a list of them: if the list is there, the
// objects are. The file of the content type is written before the rename and is
// not synced. So after a power cut an object may have [DefaultContentType]
// instead of its type. If a power cut or a kill interrupts a replacement, the
// old object may have the new type.
//
// A note is written under its key and synced there, without a rename: see
// [Note]. The sync of a new file takes its name to the disk, too, and with it
// the renames before it, as file systems with a journal do it. So one sync of
// each object and one of the note that lists them are enough: when the note is
// stored, a power cut takes none of them.
//
// If the disk is full, Put returns the disk's error and leaves nothing.
//
// # Deletes and locks
//
// The store deletes the object that Delete names, and the folders that it
// leaves empty. When the store is opened, it deletes unfinished puts of a
// killed process in dir/.incoming, and the types that an earlier process
// shared in dir/.content-type/.shared: only plain files whose names the store
// itself makes. It never follows a symbolic link out of dir, and refuses to
// open where one of its own folders is a link. Only one process at a time can
// open the folder, because the store locks dir/.content-type/.lock. A second
// process gets an error. The lock ends with Close or with the process, also by
// kill -9.
func Disk(dir string) (Store, error) {
	if dir == "" {
		return nil, errors.New("store: no folder given")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	d := &disk{root: root, seed: maphash.MakeSeed()}
	d.types.disk = d
	d.folders.disk = d
	if err := d.prepare(); err != nil {
		d.Close()
		return nil, fmt.Errorf("store: folder %s: %w", dir, err)
	}
	return d, nil
}

type disk struct {
	unsigned
	root  *os.Root // by handle: a folder that is moved stays the store
	inUse *os.File // locked while the store is open
	types contentTypes
	seed  maphash.Seed

	folders folders
	pruning sync.RWMutex // is held while empty folders are removed
	// locks keep an object and its content type together. They are held for
	// the renames only, never while bytes arrive. There are many, so that one
	// slow rename does not hold up the others.
	locks [64]sync.RWMutex
}

// Close releases the folder. No method may be called afterwards.
func (d *disk) Close() error {
	var err error
	if d.inUse != nil {
		err = d.inUse.Close()
	}
	d.folders.close()
	return errors.Join(err, d.root.Close())
}

func (d *disk) Put(ctx context.Context, key, contentType string, r io.Reader) (int64, error) {
	contentType, err := checkPut(key, contentType)
	if err != nil {
		return 0, wrap("put", key, err)
	}
	var size int64
	temp, err := d.writeTemp(func(f *os.File) (err error) {
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
	if err := d.commit(ctx, key, contentType, temp); err != nil {
		temp.discard()
		return 0, wrap("put", key, err)
	}
	return size, nil
}

// commit makes temp the object under key. After an error nothing has changed,
// and temp still exists.
func (d *disk) commit(ctx context.Context, key, contentType string, temp tempFile) error {
	mu := d.lock(key)
	mu.Lock()
	defer mu.Unlock()
	if err := ctx.Err(); err != nil { // the sync may have taken long
		return err
	}
	// The type goes first, so that no new object is ever seen without it.
	before, err := d.types.set(key, contentType)
	if err != nil {
		return err
	}
	if err := temp.place(key); err != nil {
		return errors.Join(err, d.types.change(key, contentType, before))
	}
	return nil
}

func (d *disk) Open(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	if err := check(ctx, key); err != nil {
		return nil, Info{}, wrap("open", key, err)
	}
	mu := d.lock(key)
	mu.RLock()
	defer mu.RUnlock()
	f, err := d.openFile(key)
	if err != nil {
		return nil, Info{}, wrap("open", key, asNotExist(err))
	}
	info, err := d.info(key, f.Stat)
	if err != nil {
		f.Close()
		return nil, Info{}, wrap("open", key, err)
	}
	return f, info, nil
}

// openFile opens a file to read. If the file is a pipe, openFile does not wait
// for a writer.
func (d *disk) openFile(name string) (*os.File, error) {
	return d.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func (d *disk) Stat(ctx context.Context, key string) (Info, error) {
	if err := check(ctx, key); err != nil {
		return Info{}, wrap("stat", key, err)
	}
	mu := d.lock(key)
	mu.RLock()
	defer mu.RUnlock()
	info, err := d.info(key, d.stat(key))
	if err != nil {
		return Info{}, wrap("stat", key, err)
	}
	return info, nil
}

func (d *disk) stat(key string) func() (fs.FileInfo, error) {
	return func() (fs.FileInfo, error) { return d.root.Stat(filepath.FromSlash(key)) }
}

func (d *disk) info(key string, stat func() (fs.FileInfo, error)) (Info, error) {
	fi, err := stat()
	if err != nil {
		return Info{}, asNotExist(err)
	}
	if !fi.Mode().IsRegular() { // a folder of other keys
		return Info{}, fs.ErrNotExist
	}
	return Info{Size: fi.Size(), ContentType: d.types.read(key), ModTime: fi.ModTime()}, nil
}

func (d *disk) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return wrap("delete", key, err)
	}
	mu := d.lock(key)
	mu.Lock()
	defer mu.Unlock()
	// Remove would delete an empty folder, too, but a folder is no object.
	_, err := d.info(key, d.stat(key))
	if err == nil {
		err = d.root.Remove(filepath.FromSlash(key))
	}
	if err == nil {
		d.prune(key, ".")
		err = d.types.change(key, d.types.read(key), DefaultContentType)
	}
	if err = asNotExist(err); err != nil && err != fs.ErrNotExist {
		return wrap("delete", key, err)
	}
	return nil
}

func (d *disk) lock(key string) *sync.RWMutex {
	return &d.locks[maphash.String(d.seed, key)%uint64(len(d.locks))]
}

// asNotExist returns fs.ErrNotExist if err says that the file does not exist,
// or that a part of its path is a file instead of a folder. It returns any
// other error as it is.
func asNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	return err
}
