package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
)

const (
	typesDir  = ".content-type" // DIR/.content-type/key holds the type of DIR/key, unless it is the default
	sharedDir = typesDir + "/.shared"
	maxShared = 256
)

// contentTypes keeps the content types of a disk store. The store's locks
// ensure that only one caller at a time changes a key.
//
// Records of one type are hard links to one file in sharedDir. Making a file
// takes most of the time of a small put, so a new file for each record would
// almost double that time.
type contentTypes struct {
	disk   *disk
	mu     sync.Mutex
	shared map[string]string // for each type, the name of its file in sharedDir
}

// read returns the type of the object under key. A record that a power cut lost
// or damaged counts as missing, so read returns no error.
func (t *contentTypes) read(key string) string {
	contentType, err := t.readFile(record(key))
	if err != nil || contentType == "" || CheckContentType(contentType) != nil {
		return DefaultContentType
	}
	return contentType
}

func (t *contentTypes) readFile(name string) (string, error) {
	f, err := t.disk.openFile(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 2*maxContentType))
	return strings.TrimSuffix(string(b), "\n"), err
}

// set changes the type under key and returns the earlier one. It does not sync,
// because a second sync would double the cost of a put.
func (t *contentTypes) set(key, to string) (before string, err error) {
	// Most objects are new. For them this link is enough.
	if to != DefaultContentType {
		in, err := t.disk.folders.get(path.Dir(record(key)))
		if err == nil && t.share(to, in, path.Base(key)) == nil {
			return DefaultContentType, nil
		}
	}
	before = t.read(key)
	return before, t.change(key, before, to)
}

func (t *contentTypes) change(key, from, to string) error {
	if from == to {
		return nil
	}
	if to == DefaultContentType {
		if err := asNotExist(t.disk.root.Remove(filepath.FromSlash(record(key)))); err != nil && err != fs.ErrNotExist {
			return err
		}
		t.disk.prune(record(key), typesDir)
		return nil
	}
	temp, err := t.newRecord(to)
	if err != nil {
		return err
	}
	if err = temp.place(record(key)); err != nil {
		temp.discard()
	}
	return err
}

// newRecord makes a temporary file that holds the type. If possible, it is a
// link to the shared file.
func (t *contentTypes) newRecord(contentType string) (tempFile, error) {
	a, err := t.disk.newTemp()
	if err == nil && t.share(contentType, a.in, a.name) == nil {
		return a, nil
	}
	a, err = t.disk.writeTemp(func(f *os.File) error {
		_, err := f.WriteString(contentType + "\n")
		return err
	})
	if shared := t.sharedFile(contentType); err == nil && shared != "" {
		// This is the first record of its type, or the earlier file takes no
		// more links (65,000 on ext4). On a file system without links this
		// fails, and every record is a file of its own.
		if in, err := t.disk.folders.get(sharedDir); err == nil {
			_ = in.remove(shared)
			_ = a.in.link(a.name, in, shared)
		}
	}
	return a, err
}

// share gives the file that holds the type one more name.
func (t *contentTypes) share(contentType string, in *folder, name string) error {
	shared := t.sharedFile(contentType)
	if shared == "" {
		return fs.ErrNotExist
	}
	from, err := t.disk.folders.get(sharedDir)
	if err != nil {
		return err
	}
	return from.link(shared, in, name)
}

// sharedFile returns the name of the file in sharedDir to which records of the
// type are links. The name is a hash of the type, so it never stands for
// another type. It is empty if there are too many types.
func (t *contentTypes) sharedFile(contentType string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name, ok := t.shared[contentType]; ok || len(t.shared) == maxShared {
		return name
	}
	sum := sha256.Sum256([]byte(contentType))
	name := hex.EncodeToString(sum[:16])
	// A power cut may have damaged the file of an earlier process.
	if held, err := t.readFile(sharedDir + "/" + name); err == nil && held != contentType {
		_ = t.disk.root.Remove(filepath.FromSlash(sharedDir + "/" + name))
	}
	if t.shared == nil {
		t.shared = make(map[string]string)
	}
	t.shared[contentType] = name
	return name
}

func record(key string) string { return typesDir + "/" + key }
