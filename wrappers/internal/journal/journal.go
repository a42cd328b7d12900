// Package journal remembers on disk which files have been sent, so that a run
// that was killed can be taken up.
//
//	j, err := journal.Open("sent.journal", journal.Target{To: "ncloudmailer", Base: base})
//	if e, sent, err := j.Lookup(path); err == nil && !sent {
//		// send the file at path
//		e = journal.EntryOf(result)
//		e.Path = path
//		err = j.Add(e) // it is on disk when Add returns
//	}
package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/internal/filelock"
)

// ErrUnwritable is in the error of Add if nothing more can be added.
var ErrUnwritable = errors.New("the journal cannot be written")

// Key stands for an absolute path in memory, where there may be millions. It
// has 128 bits, and nobody can choose them.
type Key [2]uint64

var pathSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// KeyOf returns the key of an absolute path.
func KeyOf(path string) Key {
	return Key{maphash.String(pathSeeds[0], path), maphash.String(pathSeeds[1], path)}
}

func keyOfBytes(path []byte) Key {
	return Key{maphash.Bytes(pathSeeds[0], path), maphash.Bytes(pathSeeds[1], path)}
}

// Journal remembers what has been sent. It is safe for concurrent use.
type Journal struct {
	Torn bool // the last line was torn by a crash and does not count

	target   Target
	begin    []byte // see beginning
	readOnly bool   // the file is left as it is

	file      *os.File
	sync      func() error  // file's
	disk      chan struct{} // holds an element while a batch is written
	size      int64         // of what is on disk for good
	lastWrite time.Duration // by the last write with its sync
	failed    error         // why nothing can be written any more

	mu      sync.Mutex
	sent    map[Key]span // where the latest line of each path stands
	open    *batch       // lines that no write has taken yet
	largest int          // lines that ever were in a batch
}

// span is the place of a line, with its newline.
type span struct {
	at   int64
	size int32
}

// batch holds lines that are written and synced together.
type batch struct {
	lines []byte
	count int           // of lines
	full  chan struct{} // closed when as many lines are in it as ever were
	done  chan struct{} // closed when they are on disk, or err says why not
	at    int64         // where they were written
	err   error
}

// Target says where the files of a journal are sent. A journal has one target.
type Target struct {
	To      string // the provider
	Base    string // the address of its API
	Account string // empty where it is not known
}

// Open reads the journal at path, or begins one, and keeps other processes out
// of it.
func Open(path string, t Target) (*Journal, error) {
	j, err := open(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, t)
	if err == nil {
		syncFolder(filepath.Dir(path)) // it may be new
	}
	return j, err
}

// Read is [Open] for a journal that is not to be written. A missing journal is
// empty.
func Read(path string, t Target) (*Journal, error) {
	j, err := open(path, os.O_RDONLY, t)
	if errors.Is(err, fs.ErrNotExist) {
		return &Journal{sent: map[Key]span{}}, nil
	}
	return j, err
}

func open(path string, flags int, t Target) (*Journal, error) {
	f, err := lock(path, flags)
	if err != nil {
		return nil, err
	}
	j := &Journal{
		target: t, readOnly: flags == os.O_RDONLY,
		file: f, sync: f.Sync, disk: make(chan struct{}, 1), sent: map[Key]span{}, largest: 1,
	}
	if err := j.load(); err != nil {
		f.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return j, nil
}

// Info describes the file of the journal, so that it can be recognised.
func (j *Journal) Info() (fs.FileInfo, error) { return j.file.Stat() }

// lock opens a journal and keeps other processes out of it. It reads nothing.
// It does not open a pipe: this would wait for the pipe's other end.
func lock(path string, flags int) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("journal %s: is not a regular file", path)
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := filelock.Lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return f, nil
}

// longestLine is more than a path and a name need.
const longestLine = 256 << 10

// load reads all lines. It repairs the last one, if a crash has torn it.
func (j *Journal) load() error {
	r := bufio.NewReaderSize(j.file, longestLine)
	j.begin = j.beginning()
	for number := 1; ; number++ {
		line, err := r.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull:
			return fmt.Errorf("line %d %w", number, errDamaged)
		case err != nil && err != io.EOF:
			return err
		case len(line) == 0:
			return nil
		case number == 1:
			if info, err := j.file.Stat(); err == nil { // room for all, at once
				j.sent = make(map[Key]span, info.Size()/int64(len(line)))
			}
		}
		whole, at := err == nil, j.size
		if path, ok := pathOf(line, j.begin); ok && isWhole(line) {
			j.size += int64(len(line))
			j.sent[keyOfBytes(path)] = span{at, int32(len(line))}
			continue
		}
		e, wrong := j.parse(line)
		switch {
		case wrong == nil && whole:
			j.size += int64(len(line))
		case wrong == nil && j.readOnly:
		case wrong == nil: // only the newline is missing
			if _, err := j.file.WriteString("\n"); err != nil {
				return err
			}
			j.size += int64(len(line)) + 1
		case !whole && (number > 1 || torn(line)):
			return j.cutTorn()
		default:
			return fmt.Errorf("line %d %w", number, wrong)
		}
		j.sent[KeyOf(e.Path)] = span{at, int32(len(line))}
	}
}

// cutTorn removes what stands after the last whole line.
func (j *Journal) cutTorn() error {
	j.Torn = true
	if j.readOnly {
		return nil
	}
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	return j.sync()
}

// torn reports whether line is the beginning of a first line. If not, the file
// is of another kind and must not be cut.
func torn(line []byte) bool {
	n := min(len(line), len(magic))
	return string(line[:n]) == magic[:n]
}

// Lookup returns the latest entry of an absolute path, and reports whether it
// still holds.
func (j *Journal) Lookup(path string) (Entry, bool, error) {
	j.mu.Lock()
	at, ok := j.sent[KeyOf(path)]
	j.mu.Unlock()
	if !ok {
		return Entry{}, false, nil
	}
	line := make([]byte, at.size)
	if _, err := j.file.ReadAt(line, at.at); err != nil {
		return Entry{}, false, fmt.Errorf("journal: %w", cause(err))
	}
	e, ok := j.scan(line)
	if !ok {
		var err error
		if e, err = j.parse(line); err != nil {
			return Entry{}, false, fmt.Errorf("journal: a line %w", err)
		}
	}
	return e, !e.Failed && !e.expired(time.Now()), nil
}

// Add returns when e is on disk. Entries that arrive while others are being
// written are written together and share one sync. That sync waits for more
// entries, as long as the last one took, unless as many wait as ever did. After
// a failure nothing more is written, and the journal ends with a whole line.
func (j *Journal) Add(e Entry) error {
	e.Journal, e.To, e.Base, e.Account = version, j.target.To, j.target.Base, j.target.Account
	e.RawPath = RawPath(e.Path)
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	line = sealed(line)
	j.mu.Lock()
	b, first := j.open, j.open == nil
	if first {
		b = &batch{full: make(chan struct{}), done: make(chan struct{})}
		j.open = b
	}
	before := int64(len(b.lines))
	b.lines = append(append(b.lines, line...), '\n')
	if b.count++; b.count == j.largest {
		close(b.full)
	}
	j.mu.Unlock()
	if first { // the first one to come writes; the others wait until it has
		j.commit(b)
	}
	<-b.done
	if b.err != nil {
		return b.err
	}
	j.mu.Lock()
	j.sent[KeyOf(e.Path)] = span{b.at + before, int32(len(line)) + 1}
	j.mu.Unlock()
	return nil
}

// longestGather bounds the wait for more lines. Where a sync takes longer,
// enough of them come during the sync.
const longestGather = 20 * time.Millisecond

// commit writes b when the batch before it is on disk.
func (j *Journal) commit(b *batch) {
	defer close(b.done)
	j.disk <- struct{}{}
	defer func() { <-j.disk }()
	select {
	case <-b.full:
	case <-time.After(min(j.lastWrite, longestGather)):
	}
	j.mu.Lock()
	j.open = nil // closed only now: the lines of those who came meanwhile are in it
	j.largest = max(j.largest, b.count)
	j.mu.Unlock()
	b.at = j.size
	began := time.Now()
	b.err = j.write(b.lines)
	j.lastWrite = time.Since(began)
}

func (j *Journal) write(lines []byte) error {
	if j.failed != nil {
		return j.failed
	}
	_, err := j.file.Write(lines)
	if err == nil {
		err = j.sync()
	}
	if err != nil {
		_ = j.file.Truncate(j.size) // if this fails too, the next run repairs it
		j.failed = fmt.Errorf("%w: %w", ErrUnwritable, cause(err))
		return j.failed
	}
	j.size += int64(len(lines))
	return nil
}

// Close lets other processes use the journal.
func (j *Journal) Close() error { return j.file.Close() }

// syncFolder writes a new name in a folder to disk. Some systems cannot do it.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		d.Close()
	}
}

// cause returns err without the path, which is printed before it.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
