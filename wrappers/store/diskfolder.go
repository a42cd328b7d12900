package store

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/putpost/putpost/wrappers/internal/filelock"
)

// The store's own names. None of them is a key: CheckKey takes no leading dot.
const (
	incomingDir = ".incoming"         // files are written here before they are renamed
	lockName    = typesDir + "/.lock" // is locked while the store is open
)

// asideName matches the names that writeAside makes.
var asideName = regexp.MustCompile(`^put-[A-Z2-7]{26}$`)

// prepare makes the store's own folders, locks the store, deletes what a killed
// process left unfinished, and sees that files can be written.
func (d *disk) prepare() error {
	for _, dir := range []string{typesDir, sharedDir} {
		own, err := d.openOwn(dir)
		if err != nil {
			return err
		}
		own.Close()
	}
	if err := d.lockFolder(); err != nil {
		return err
	}
	incoming, err := d.openOwn(incomingDir)
	if err != nil {
		return err
	}
	defer incoming.Close()
	if err := removeLeft(incoming); err != nil {
		return err
	}
	aside, err := d.writeAside(func(*os.File) error { return nil })
	if err != nil {
		return err
	}
	return d.root.Remove(aside)
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

// openOwn opens a folder of the store's own, by handle, and makes it if there
// is none. A symbolic link in its place is refused, also one that is laid there
// while this runs.
func (d *disk) openOwn(name string) (*os.Root, error) {
	if err := d.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	named, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !named.IsDir() {
		return nil, fmt.Errorf("%s is a link or a file and not a folder: move it away", name)
	}
	dir, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	opened, err := dir.Stat(".")
	if err == nil && !os.SameFile(named, opened) {
		err = fmt.Errorf("%s was replaced while it was opened", name)
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return dir, nil
}

// removeLeft deletes the files that writeAside made and nobody renamed. All
// else belongs to somebody else and stays.
func removeLeft(incoming *os.Root) error {
	dir, err := incoming.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	for _, entry := range entries {
		if entry.Type().IsRegular() && asideName.MatchString(entry.Name()) {
			if err := incoming.Remove(entry.Name()); err != nil {
				return err
			}
		}
	}
	return err
}

// writeAside makes a file of what write writes and returns its name; after an
// error there is none.
func (d *disk) writeAside(write func(*os.File) error) (name string, err error) {
	name = newAside()
	const flag = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	f, err := d.root.OpenFile(name, flag, 0o600)
	if errors.Is(err, fs.ErrNotExist) { // someone emptied the store by hand
		if err = d.root.MkdirAll(incomingDir, 0o700); err == nil {
			f, err = d.root.OpenFile(name, flag, 0o600)
		}
	}
	if err != nil {
		return "", notMissing(err)
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		d.discard(name)
		return "", err
	}
	return name, nil
}

// discard deletes a file of the store's own that nobody needs any more. Where
// that fails, the next start deletes it.
func (d *disk) discard(name string) { _ = d.root.Remove(name) }

func newAside() string { return filepath.Join(incomingDir, "put-"+rand.Text()) }

// place renames the file aside to name and makes the folders that are missing.
// Deletes of neighbours may take a folder away again at any moment while it is
// empty, hence the attempts.
func (d *disk) place(aside, name string) error {
	name = filepath.FromSlash(name)
	var err error
	for range 100 {
		if err = d.root.Rename(aside, name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, err = d.root.Lstat(aside); err != nil {
			break
		}
		err = d.root.MkdirAll(filepath.Dir(name), 0o700)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return notMissing(err)
}

// notMissing takes fs.ErrNotExist out of the chain of an error: to a caller it
// means a missing key.
func notMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the file that was written is gone: %v", err)
	}
	return err
}

// prune removes the folders above name that are empty now, up to top. A link to
// a folder was laid by a person and stays.
func (d *disk) prune(name, top string) {
	for dir := path.Dir(name); dir != top; dir = path.Dir(dir) {
		local := filepath.FromSlash(dir)
		if fi, err := d.root.Lstat(local); err != nil || !fi.IsDir() || d.root.Remove(local) != nil {
			return
		}
	}
}
