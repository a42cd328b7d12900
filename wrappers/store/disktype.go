package store

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	typesDir  = ".content-type" // the type of DIR/key is in DIR/.content-type/key, unless it is the default
	sharedDir = typesDir + "/.shared"
	maxShared = 256
)

// contentTypes keeps the content types of a disk store. It relies on the
// store's locks: one key is changed by one caller at a time.
//
// Records of one type are hard links to one file in sharedDir. To make a new
// file is the larger part of a small put's time, so a file for each record
// would double that time.
type contentTypes struct {
	disk   *disk
	mu     sync.Mutex
	shared map[string]string // by type: a file that holds it and is never changed
}

// read returns the type of the object under key. It has no error: a record that
// a power cut lost or tore is the same as none.
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

// set makes the type under key another one and returns the earlier one. It does
// not sync: that would cost as much as the object.
func (t *contentTypes) set(key, to string) (before string, err error) {
	// Most objects are new, and then this link is all that there is to do.
	if to != DefaultContentType {
		if shared := t.sharedFile(to); shared != "" && t.disk.root.Link(shared, filepath.FromSlash(record(key))) == nil {
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
		if err := missing(t.disk.root.Remove(filepath.FromSlash(record(key)))); err != nil && err != fs.ErrNotExist {
			return err
		}
		t.disk.prune(record(key), typesDir)
		return nil
	}
	aside, err := t.newRecord(to)
	if err != nil {
		return err
	}
	if err = t.disk.place(aside, record(key)); err != nil {
		t.disk.discard(aside)
	}
	return err
}

// newRecord makes a file aside that holds the type: another name of the shared
// one where it can.
func (t *contentTypes) newRecord(contentType string) (aside string, err error) {
	shared := t.sharedFile(contentType)
	if shared != "" {
		aside = newAside()
		if t.disk.root.Link(shared, aside) == nil {
			return aside, nil
		}
	}
	aside, err = t.disk.writeAside(func(f *os.File) error {
		_, err := f.WriteString(contentType + "\n")
		return err
	})
	if err == nil && shared != "" {
		// This is the first record of its type, or the earlier file takes no
		// more links (65,000 on ext4), or there are no links here: then this
		// fails, and every record is a file of its own.
		t.disk.discard(shared)
		_ = t.disk.root.Link(aside, shared)
	}
	return aside, err
}

// sharedFile returns the name of the file that records of the type are links
// to. The name is made of the type alone, so that it means one type for ever.
// It is empty where a caller makes up ever new types.
func (t *contentTypes) sharedFile(contentType string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if name, ok := t.shared[contentType]; ok || len(t.shared) == maxShared {
		return name
	}
	sum := sha256.Sum256([]byte(contentType))
	name := filepath.FromSlash(sharedDir + "/" + hex.EncodeToString(sum[:16]))
	// An earlier process made it, and a power cut may have torn it.
	if held, err := t.readFile(name); err == nil && held != contentType {
		t.disk.discard(name)
	}
	if t.shared == nil {
		t.shared = make(map[string]string)
	}
	t.shared[contentType] = name
	return name
}

func record(key string) string { return typesDir + "/" + key }
