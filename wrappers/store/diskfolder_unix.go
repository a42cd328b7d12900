//go:build unix

package store

import (
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// folder is an open folder of a disk store. Opening a file in it costs one
// system call. [os.Root] would open each folder above the file first.
type folder struct {
	handle *os.File
	id     unix.Stat_t
}

// openFolder opens a folder. It follows no link out of the store.
func (d *disk) openFolder(name string) (*folder, error) {
	handle, err := d.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	f := &folder{handle: handle}
	if err := unix.Fstat(f.fd(), &f.id); err != nil {
		handle.Close()
		return nil, err
	}
	return f, nil
}

// isAt reports whether the folder is still at name. A person may have moved or
// deleted it, or put a link in place of a folder above it.
func (f *folder) isAt(top *folder, name string) bool {
	defer runtime.KeepAlive(top)
	var now unix.Stat_t
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		err := unix.Fstatat(top.fd(), name[:i], &now, unix.AT_SYMLINK_NOFOLLOW)
		if err != nil || now.Mode&unix.S_IFMT != unix.S_IFDIR {
			return false
		}
	}
	return now.Dev == f.id.Dev && now.Ino == f.id.Ino
}

// create makes a new file and opens it to write.
func (f *folder) create(name string) (*os.File, error) {
	defer runtime.KeepAlive(f)
	for {
		fd, err := unix.Openat(f.fd(), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if err != unix.EINTR { //nolint:errorlint // the bare number of a system call
			return nil, err
		}
	}
}

// rename moves a file to another folder and replaces a file of the new name.
func (f *folder) rename(name string, to *folder, toName string) error {
	defer runtime.KeepAlive(f)
	defer runtime.KeepAlive(to)
	return unix.Renameat(f.fd(), name, to.fd(), toName)
}

// link gives a file one more name.
func (f *folder) link(name string, to *folder, toName string) error {
	defer runtime.KeepAlive(f)
	defer runtime.KeepAlive(to)
	return unix.Linkat(f.fd(), name, to.fd(), toName, 0)
}

func (f *folder) remove(name string) error {
	defer runtime.KeepAlive(f)
	return unix.Unlinkat(f.fd(), name, 0)
}

func (f *folder) fd() int { return int(f.handle.Fd()) }

func (f *folder) close() { f.handle.Close() }
