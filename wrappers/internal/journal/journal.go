// Package journal remembers on disk which files have been sent, so that another
// run can continue after a kill.
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

// ErrUnwritable is in Add's error if no entry can be added any more.
var ErrUnwritable = errors.New("the journal cannot be written")

// Key is a hash of an absolute path. It saves memory for millions of paths. It
// has 128 bits and random seeds, so nobody can cause a collision.
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
	Torn bool // a crash tore the last line, so it does not count

	target   Target
	begin    []byte // the result of beginning
	readOnly bool   // the file is not changed

	file      *os.File
	sync      func() error  // file's
	disk      chan struct{} // holds an element while a batch is written
	size      int64         // bytes that are synced
	lastWrite time.Duration // the time of the last write and its sync
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
	full  chan struct{} // closed when it has as many lines as the largest batch so far
	done  chan struct{} // closed when the lines are on disk or err is set
	at    int64         // the offset of the lines in the file
	err   error
}

// Target says where the files of a journal are sent. A journal has one target.
type Target struct {
	To      string // the provider
	Base    string // the address of its API
	Account string // empty if it is not known
}

// Open reads the journal at path, or creates it, and locks it against other
// processes.
func Open(path string, t Target) (*Journal, error) {
	j, err := open(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, t)
	syncFolder(filepath.Dir(path)) // the file may be new
	return j, err
}

// Read is like [Open], but does not change the journal. A missing journal is
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

// Info describes the journal's file.
func (j *Journal) Info() (fs.FileInfo, error) { return j.file.Stat() }

// lock opens a journal and locks it against other processes. It refuses a pipe,
// because opening one would wait for its other end.
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

// load reads all lines. If a crash has torn the last one, load repairs it.
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

// cutTorn removes the bytes after the last whole line.
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

// torn reports whether line begins like a journal's first line. Otherwise the
// file is no journal and must not be cut.
func torn(line []byte) bool {
	n := min(len(line), len(magic))
	return string(line[:n]) == magic[:n]
}

// Lookup returns the latest entry of an absolute path. It reports whether there
// is one whose upload neither failed nor expired.
func (j *Journal) Lookup(path string) (Entry, bool, error) {
	j.mu.Lock()
	at, ok := j.sent[KeyOf(path)]
	j.mu.Unlock()
	if !ok {
		return Entry{}, false, nil
	}
	line := make([]byte, at.size)
	if _, err := j.file.ReadAt(line, at.at); err != nil {
		return Entry{}, false, fmt.Errorf("journal: %w", err)
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

// Add adds e and returns when it is on disk. Entries that arrive during a write
// are written together, with one sync. Before that write Add waits for more
// entries, for as long as the last write took, or until the batch is as large
// as the largest so far. After a failure nothing more is written, and the
// journal ends with a whole line.
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
	if first { // the first caller writes the batch, and the others wait
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

// longestGather limits the wait for more lines. If a sync takes longer, enough
// lines arrive during the sync.
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
	j.open = nil // only now, so that the batch has the lines that arrived meanwhile
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
		_ = j.file.Truncate(j.size) // if this fails, too, the next run repairs it
		j.failed = fmt.Errorf("%w: %w", ErrUnwritable, err)
		return j.failed
	}
	j.size += int64(len(lines))
	return nil
}

// Close closes the file, so other processes can use the journal.
func (j *Journal) Close() error { return j.file.Close() }

// syncFolder syncs a folder with a new file. Some systems cannot do it. A
// folder that did not open is a nil file: its methods only return an error.
func syncFolder(dir string) {
	d, _ := os.Open(dir)
	_ = d.Sync()
	_ = d.Close()
}
