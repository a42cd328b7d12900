//go:build !unix

package store

import (
	"os"
	"path/filepath"
)

// folder is a folder of a disk store.
type folder struct {
	root *os.Root
	name string
}

func (d *disk) openFolder(name string) (*folder, error) {
	f := &folder{d.root, filepath.FromSlash(name)}
	_, err := d.root.Stat(f.name)
	return f, err
}

// isAt reports whether the folder is there.
func (f *folder) isAt(_ *folder, _ string) bool {
	_, err := f.root.Stat(f.name)
	return err == nil
}

func (f *folder) create(name string) (*os.File, error) {
	return f.root.OpenFile(f.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

func (f *folder) rename(name string, to *folder, toName string) error {
	return f.root.Rename(f.path(name), to.path(toName))
}

func (f *folder) link(name string, to *folder, toName string) error {
	return f.root.Link(f.path(name), to.path(toName))
}

func (f *folder) remove(name string) error { return f.root.Remove(f.path(name)) }

func (f *folder) path(name string) string { return filepath.Join(f.name, name) }

func (f *folder) close() {}
