package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/putpost/putpost/wrappers/internal/filelock"
)

// The store's own names. None of them is a key: CheckKey takes no leading dot.
const (
	incomingDir = ".incoming"         // files are written here before they are renamed
	lockName    = typesDir + "/.lock" // is locked while the store is open
	tempPrefix  = "put-"              // of a file in incomingDir; rand.Text follows
)

// isTempName reports whether name is one that writeTemp makes.
func isTempName(name string) bool {
	text, found := strings.CutPrefix(name, tempPrefix)
	return found && len(text) == 26 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// prepare makes the store's own folders, locks the store, deletes unfinished
// files of a killed process, and checks that files can be written.
func (d *disk) prepare() error {
	if err := d.folders.prepare(); err != nil {
		return err
	}
	for _, dir := range []string{typesDir, sharedDir, incomingDir} {
		if err := d.makeOwn(dir); err != nil {
			return err
		}
	}
	if err := d.lockFolder(); err != nil {
		return err
	}
	if err := errors.Join(d.clear(incomingDir, isTempName), d.clear(sharedDir, isSharedName)); err != nil {
		return err
	}
	probe, err := d.writeTemp(func(*os.File) error { return nil })
	if err != nil {
		return err
	}
	return probe.in.remove(probe.name)
}

func (d *disk) lockFolder() error {
	if fi, err := d.root.Lstat(lockName); err == nil && !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a plain file: move it away", lockName)
	}
	f, err := d.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := filelock.Lock(f); err != nil {
		f.Close()
		return fmt.Errorf("%w: stop that one, or name another folder", err)
	}
	d.inUse = f
	return nil
}

// makeOwn makes one of the store's own folders if it is missing. It refuses a
// symbolic link.
func (d *disk) makeOwn(name string) error {
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	fi, err := d.root.Lstat(name)
	if err == nil && !fi.IsDir() {
		err = fmt.Errorf("%s is a link or a file and not a folder: move it away", name)
	}
	return err
}

// clear deletes the files of an earlier process in one of the store's own
// folders. It keeps a file whose name the store does not make. A link that
// replaces the folder meanwhile is not followed.
func (d *disk) clear(folder string, isOwn func(name string) bool) error {
	in, err := d.folders.get(folder)
	if err == nil && !in.isAt(d.folders.top, folder) {
		err = fmt.Errorf("%s was replaced while it was opened", folder)
	}
	if err != nil {
		return err
	}
	dir, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	for _, entry := range entries {
		if entry.Type().IsRegular() && isOwn(entry.Name()) {
			if err := in.remove(entry.Name()); err != nil {
				return err
			}
		}
	}
	return err
}

// folders is a cache of open folders.
type folders struct {
	disk *disk
	mu   sync.Mutex
	top  *folder
	open map[string]*folder
}

const maxFolders = 64

// get returns the open folder called name, and makes it if it is missing.
func (o *folders) get(name string) (*folder, error) {
	o.mu.Lock()
	f, top := o.open[name], o.top
	o.mu.Unlock()
	if f != nil && f.isAt(top, name) {
		return f, nil
	}
	f, err := o.disk.openFolder(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = o.disk.root.MkdirAll(filepath.FromSlash(name), 0o700); err == nil {
			f, err = o.disk.openFolder(name)
		}
	}
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.open) == maxFolders {
		clear(o.open) // the garbage collector closes each folder after its last use
	}
	o.open[name] = f
	return f, nil
}

// use calls do with an open folder, made where it is missing. A Delete may
// remove the folder while it is empty. So use tries several times, and in the
// last of them no Delete removes a folder.
func (o *folders) use(name string, do func(*folder) error) error {
	const tries = 10
	var err error
	for i := range tries {
		if i == tries/2 {
			o.disk.pruning.RLock()
			defer o.disk.pruning.RUnlock()
		}
		var f *folder
		if f, err = o.get(name); err == nil {
			if err = do(f); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return hideNotExist(err)
}

// prepare opens the top folder.
func (o *folders) prepare() (err error) {
	o.open = make(map[string]*folder)
	o.top, err = o.disk.openFolder(".")
	return err
}

func (o *folders) close() {
	for _, f := range o.open {
		f.close()
	}
	if o.top != nil {
		o.top.close()
	}
}

// tempFile is a file that is not an object yet.
type tempFile struct {
	in   *folder
	name string
	disk *disk
}

func (d *disk) newTemp() (tempFile, error) {
	in, err := d.folders.get(incomingDir)
	return tempFile{in, tempPrefix + rand.Text(), d}, err
}

// writeTemp makes a temporary file and calls write to fill it. After an error
// the file is deleted.
func (d *disk) writeTemp(write func(*os.File) error) (tempFile, error) {
	a, err := d.newTemp()
	if err == nil {
		err = writeNew(a.in, a.name, write)
	}
	return a, hideNotExist(err)
}

// writeNew makes a file and calls write to fill it. After an error the file is
// deleted.
func writeNew(in *folder, name string, write func(*os.File) error) error {
	f, err := in.create(name)
	if err != nil {
		return err
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = in.remove(name)
	}
	return err
}

// discard deletes the file. If that fails, the next start deletes it.
func (t tempFile) discard() { _ = t.in.remove(t.name) }

// place renames the file to name and makes missing folders.
func (t tempFile) place(name string) error {
	return t.disk.folders.use(path.Dir(name), func(to *folder) error {
		return t.in.rename(t.name, to, path.Base(name))
	})
}

// hideNotExist removes fs.ErrNotExist from err's chain, because to a caller it
// means a missing key.
func hideNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the file that was written is gone: %v", err)
	}
	return err
}

// prune removes the empty folders above name, up to top. It keeps a link to a
// folder, because only a person makes one.
func (d *disk) prune(name, top string) {
	d.pruning.Lock()
	defer d.pruning.Unlock()
	for dir := path.Dir(name); dir != top; dir = path.Dir(dir) {
		local := filepath.FromSlash(dir)
		if fi, err := d.root.Lstat(local); err != nil || !fi.IsDir() || d.root.Remove(local) != nil {
			return
		}
	}
}
