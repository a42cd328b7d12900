package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/internal/filelock"
	"github.com/putpost/putpost/wrappers/upload"
)

// A journal is a file of JSON lines, one for each finished upload; a later line
// of the same path replaces an earlier one. Every line says where its file was
// sent, so a journal is recognised by any of its lines and begins empty.
const journalMagic = `{"journal":"putpost/1",`

// errJournal is in the error of every add after which there can be no other.
var errJournal = errors.New("the journal cannot be written")

// entry is a line of a journal.
type entry struct {
	Journal string `json:"journal"` // first, so that it begins with journalMagic
	To      string `json:"to"`
	Base    string `json:"base"`
	Account string `json:"account,omitempty"`

	Path    string `json:"path"`              // absolute
	RawPath []byte `json:"rawPath,omitempty"` // where the path is not UTF-8, which JSON would not give back
	fingerprint
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	TraceID       string    `json:"traceId,omitempty"`
	TempRequestID string    `json:"tempRequestId,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	DocumentID    int64     `json:"documentId,omitempty"`
	Failed        bool      `json:"failed,omitempty"` // the provider could not take it after all: it is sent again
}

func entryOf(res upload.Result) entry {
	return entry{
		fingerprint: fingerprint{Size: res.Size},
		ID:          res.ID, Name: res.Name, TraceID: res.TraceID, TempRequestID: res.TempRequestID, Expires: plain(res.Expires),
	}
}

func (e entry) result() upload.Result {
	return upload.Result{ID: e.ID, Name: e.Name, TraceID: e.TraceID, Size: e.Size, TempRequestID: e.TempRequestID, Expires: e.Expires}
}

// pathKey stands for an absolute path in memory, where there may be millions.
type pathKey [16]byte

func keyOf(path string) pathKey {
	sum := sha256.Sum256([]byte(path))
	return pathKey(sum[:16])
}

// journal remembers what has been sent. It is safe for concurrent use.
type journal struct {
	to, base, account string
	repaired          bool // the last line was torn and is gone

	file *os.File
	sync func() error // file's
	disk sync.Mutex   // held while a batch is written
	size int64        // of what is on disk for good
	dead error        // why nothing can be written any more

	mu   sync.Mutex
	sent map[pathKey]span // where the latest line of each path stands
	open *batch           // lines that no write has taken yet
}

// span is a line, newline included.
type span struct {
	at   int64
	size int
}

// batch is lines that one fsync covers.
type batch struct {
	lines []byte
	at    int64 // where they were written
	once  sync.Once
	err   error
}

// openJournal reads the journal at path, or begins one, and keeps other
// processes out of it.
func openJournal(path, to, base, account string) (_ *journal, err error) {
	_, statErr := os.Stat(path)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			err = fmt.Errorf("journal %s: %w", path, err)
		}
	}()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if err := filelock.Lock(f); err != nil {
		return nil, err
	}
	j := &journal{to: to, base: base, account: account, file: f, sync: f.Sync, sent: map[pathKey]span{}}
	if err := j.load(); err != nil {
		return nil, err
	}
	if errors.Is(statErr, fs.ErrNotExist) {
		syncFolder(filepath.Dir(path))
	}
	return j, nil
}

// load reads all lines and repairs the last one, which a crash may have torn.
func (j *journal) load() error {
	r := bufio.NewReaderSize(j.file, 64<<10)
	for number := 1; ; number++ {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return err
		}
		whole, at := err == nil, j.size
		if len(line) == 0 {
			return nil
		}
		e, wrong := j.parse(line)
		switch {
		case wrong == nil && whole:
			j.size += int64(len(line))
		case wrong == nil: // only the newline is missing
			if _, err := j.file.WriteString("\n"); err != nil {
				return err
			}
			j.size += int64(len(line)) + 1
		case !whole && (number > 1 || torn(line)):
			j.repaired = true
			if err := j.file.Truncate(j.size); err != nil {
				return err
			}
			return j.sync()
		default:
			return fmt.Errorf("line %d %w", number, wrong)
		}
		j.sent[keyOf(e.Path)] = span{at, int(j.size - at)}
	}
}

// torn tells the beginning of a first line from another kind of file, which
// must not be cut.
func torn(line []byte) bool {
	n := min(len(line), len(journalMagic))
	return string(line[:n]) == journalMagic[:n]
}

// parse says what is wrong with a line, if anything is.
func (j *journal) parse(line []byte) (e entry, wrong error) {
	if !bytes.HasPrefix(line, []byte(journalMagic)) {
		return e, errors.New("is not one of a putpost journal; the file is left as it is")
	}
	if json.Unmarshal(line, &e) != nil || e.Path == "" || e.ID == "" {
		return e, errors.New("is damaged; the file is left as it is")
	}
	if e.To != j.to || e.Base != j.base {
		return e, fmt.Errorf("is of uploads to %s at %s, not to %s at %s", e.To, e.Base, j.to, j.base)
	}
	if e.Account != j.account && e.Account != "" && j.account != "" {
		return e, fmt.Errorf("is of uploads for another account (%s) than this one (%s)", e.Account, j.account)
	}
	if e.RawPath != nil {
		e.Path = string(e.RawPath)
	}
	return e, nil
}

// lookup reads the latest line of path, which is absolute, and reports whether
// there is one that holds.
func (j *journal) lookup(path string) (entry, bool, error) {
	j.mu.Lock()
	at, ok := j.sent[keyOf(path)]
	j.mu.Unlock()
	if !ok {
		return entry{}, false, nil
	}
	line := make([]byte, at.size)
	if _, err := j.file.ReadAt(line, at.at); err != nil {
		return entry{}, false, fmt.Errorf("journal: %w", cause(err))
	}
	e, err := j.parse(line)
	if err != nil {
		return entry{}, false, fmt.Errorf("journal: a line %w", err)
	}
	return e, !e.Failed && !e.expired(time.Now()), nil
}

// expired says that the provider has deleted the file by now.
func (e entry) expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// add returns when e is on disk for good. Lines that come in while another
// batch is being written are written together: one fsync covers them all. After
// a failure nothing more is written, and the journal ends with a whole line.
func (j *journal) add(e entry) error {
	e.Journal, e.To, e.Base, e.Account = "putpost/1", j.to, j.base, j.account
	if !utf8.ValidString(e.Path) {
		e.RawPath = []byte(e.Path)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	if j.open == nil {
		j.open = &batch{}
	}
	b, before := j.open, int64(len(j.open.lines))
	b.lines = append(append(b.lines, line...), '\n')
	j.mu.Unlock()

	// The first one to come writes; the others wait here until it has.
	b.once.Do(func() {
		j.disk.Lock()
		defer j.disk.Unlock()
		j.mu.Lock()
		j.open = nil // closed only now: the lines of those who came meanwhile are in it
		j.mu.Unlock()
		b.at = j.size
		b.err = j.write(b.lines)
	})
	if b.err != nil {
		return b.err
	}
	j.mu.Lock()
	j.sent[keyOf(e.Path)] = span{b.at + before, len(line) + 1}
	j.mu.Unlock()
	return nil
}

func (j *journal) write(lines []byte) error {
	if j.dead != nil {
		return j.dead
	}
	_, err := j.file.Write(lines)
	if err == nil {
		err = j.sync()
	}
	if err != nil {
		_ = j.file.Truncate(j.size) // if this fails too, the next run repairs it
		j.dead = fmt.Errorf("%w: %w", errJournal, cause(err))
		return j.dead
	}
	j.size += int64(len(lines))
	return nil
}

func (j *journal) close() error { return j.file.Close() }

// syncFolder makes a new name in a folder last. Where folders cannot be synced
// there is nothing to be done.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}
