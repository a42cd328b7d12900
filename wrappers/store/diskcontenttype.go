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
	"sync/atomic"
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
// almost double that time. A power cut may damage such a file, so each process
// makes its own.
type contentTypes struct {
	disk *disk
	made atomic.Int64 // files in sharedDir
}

// read returns the type of the object under key. A record that a power cut lost
// or damaged counts as missing, so read returns no error.
func (t *contentTypes) read(key string) string {
	f, err := t.disk.openFile(record(key))
	if err != nil {
		return DefaultContentType
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 2*maxContentType))
	contentType := strings.TrimSuffix(string(b), "\n")
	if err != nil || contentType == "" || CheckContentType(contentType) != nil {
		return DefaultContentType
	}
	return contentType
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
	if err == nil && t.made.Add(1) <= maxShared {
		// This is the first record of its type, or the earlier file takes no
		// more links (65,000 on ext4). On a file system without links this
		// fails, and every record is a file of its own.
		if in, err := t.disk.folders.get(sharedDir); err == nil {
			_ = in.remove(sharedName(contentType))
			_ = a.in.link(a.name, in, sharedName(contentType))
		}
	}
	return a, err
}

// share gives the file that holds the type one more name.
func (t *contentTypes) share(contentType string, in *folder, name string) error {
	from, err := t.disk.folders.get(sharedDir)
	if err != nil {
		return err
	}
	return from.link(sharedName(contentType), in, name)
}

// sharedName returns the name of the file in sharedDir to which records of the
// type are links. It is a hash of the type, so it never stands for another
// type.
func sharedName(contentType string) string {
	sum := sha256.Sum256([]byte(contentType))
	return hex.EncodeToString(sum[:16])
}

// isSharedName reports whether name is one that sharedName returns.
func isSharedName(name string) bool {
	return len(name) == 32 && strings.Trim(name, "0123456789abcdef") == ""
}

func record(key string) string { return typesDir + "/" + key }
