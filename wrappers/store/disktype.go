package store

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	typesDir  = ".content-type" // the type of DIR/key stands in DIR/.content-type/key, unless it is the default
	sharedDir = ".shared"       // below typesDir, where again it is no key
	maxShared = 256
)

// typeRecords keeps the content types of a disk store. It relies on the store's locks: one key is changed by one
// caller at a time.
//
// Records of one type are links to one file. Making a new file is what a small put spends its time on, as much as on
// the sync, and so would take that time twice.
type typeRecords struct {
	dir        string
	writeAside func(write func(*os.File) error) (path string, err error)
	mu         sync.Mutex
	shared     map[string]string // path of a file that holds the type and is never changed
}

// prepare makes the folder. The shared files of an earlier process are forgotten, which does not touch the records: a
// power cut may have torn them.
func (t *typeRecords) prepare() error {
	t.shared = make(map[string]string)
	if err := os.RemoveAll(filepath.Join(t.dir, sharedDir)); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Join(t.dir, sharedDir), 0o700)
}

// read returns the type of the object under key. It has no error: a record that was lost or torn by a power cut is the
// same as none.
func (t *typeRecords) read(key string) string {
	b, err := os.ReadFile(t.path(key))
	contentType := strings.TrimSuffix(string(b), "\n")
	if err != nil || contentType == "" || CheckContentType(contentType) != nil {
		return DefaultContentType
	}
	return contentType
}

// change makes the type under key another one. It is not synced: that would cost as much as the object.
func (t *typeRecords) change(key, from, to string) error {
	if from == to {
		return nil
	}
	if to == DefaultContentType {
		if err := missing(os.Remove(t.path(key))); err != nil && err != fs.ErrNotExist {
			return err
		}
		prune(t.dir, t.path(key))
		return nil
	}
	aside, err := t.record(to)
	if err != nil {
		return err
	}
	if err := place(aside, t.path(key)); err != nil {
		os.Remove(aside)
		return err
	}
	return nil
}

// record makes a file that holds the type, and returns its path.
func (t *typeRecords) record(contentType string) (aside string, err error) {
	shared := t.sharedPath(contentType)
	if shared != "" {
		aside = filepath.Join(filepath.Dir(t.dir), incomingDir, rand.Text())
		if os.Link(shared, aside) == nil {
			return aside, nil
		}
	}
	aside, err = t.writeAside(func(f *os.File) error {
		_, err := f.WriteString(contentType + "\n")
		return err
	})
	if err == nil && shared != "" {
		// The first of its type, or the last that a file takes links for (65,000 on ext4), or there are no links here:
		// then this fails, and every record is a file of its own.
		os.Remove(shared)
		_ = os.Link(aside, shared)
	}
	return aside, err
}

// sharedPath names a file after the type alone, so that two processes could not mean different types by one name. It
// is empty where a caller makes up ever new types.
func (t *typeRecords) sharedPath(contentType string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	path, ok := t.shared[contentType]
	if !ok && len(t.shared) < maxShared {
		sum := sha256.Sum256([]byte(contentType))
		path = filepath.Join(t.dir, sharedDir, hex.EncodeToString(sum[:16]))
		t.shared[contentType] = path
	}
	return path
}

func (t *typeRecords) path(key string) string { return filepath.Join(t.dir, filepath.FromSlash(key)) }
