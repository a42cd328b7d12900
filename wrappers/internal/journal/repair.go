package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Damage is a line that cannot be read as it stands.
type Damage struct {
	Line, Offset, Bytes int64
	Path                string // of the entry that is lost, if it can still be read
}

// Found counts what a journal holds. A damaged line may still hold an entry. If
// its newline is damaged, it may hold two.
type Found struct{ Kept, Damaged, Lost int64 }

// Check looks for damage in the journal at path. It calls damaged for each
// damaged line. It holds each line to its checksum. [Open] does not: a wrong
// value at worst has a file sent again.
func Check(path string, damaged func(Damage) error) (Found, error) {
	f, err := lock(path, os.O_RDONLY)
	if err != nil {
		return Found{}, err
	}
	defer f.Close()
	found, err := inspect(f, io.Discard, damaged)
	if err != nil {
		return found, fmt.Errorf("journal %s: %w", path, err)
	}
	return found, nil
}

// Repair writes all entries that can be read to a new file, and gives it the
// name of the journal. The original stays under the name that Repair returns.
// Repair leaves a journal without damage as it is.
func Repair(path string, damaged func(Damage) error) (found Found, original string, err error) {
	f, err := lock(path, os.O_RDWR)
	if err != nil {
		return found, "", err
	}
	defer f.Close()
	defer func() {
		if err != nil {
			err = fmt.Errorf("journal %s: %w", path, err)
		}
	}()
	aside, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".repair-")
	if err != nil {
		return found, "", err
	}
	defer os.Remove(aside.Name()) // unless it has taken the journal's name
	defer aside.Close()
	found, err = inspect(f, aside, damaged)
	if err != nil || found.Damaged == 0 {
		return found, "", err
	}
	if err := aside.Sync(); err != nil {
		return found, "", err
	}
	aside.Close()
	if runtime.GOOS == "windows" { // which gives no new name to an open file
		f.Close()
	}
	if original, err = keep(path); err != nil {
		return found, "", err
	}
	if err := os.Rename(aside.Name(), path); err != nil {
		return found, original, err
	}
	syncFolder(filepath.Dir(path))
	return found, original, nil
}

// keep gives the file at path a second name that is not in use.
func keep(path string) (second string, err error) {
	for n := 1; ; n++ {
		second = path + ".damaged"
		if n > 1 {
			second = fmt.Sprintf("%s.%d", second, n)
		}
		if err = os.Link(path, second); !errors.Is(err, os.ErrExist) {
			return second, err
		}
	}
}

// inspect calls damaged for each damaged line and copies the entries to good.
func inspect(journal io.Reader, good io.Writer, damaged func(Damage) error) (found Found, err error) {
	r := bufio.NewReader(journal)
	w := bufio.NewWriter(good)
	var at int64
	for number := int64(1); ; number++ {
		line, err := r.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return found, err
		}
		if len(line) == 0 {
			break
		}
		entries, whole := entriesIn(line)
		for _, e := range entries {
			found.Kept++
			_, _ = w.Write(append(e, '\n')) // Flush has the error
		}
		if !whole {
			d := Damage{Line: number, Offset: at, Bytes: int64(len(line))}
			found.Damaged++
			if len(entries) == 0 {
				found.Lost++
				d.Path = damagedPath(line)
			}
			if err := damaged(d); err != nil {
				return found, err
			}
		}
		at += int64(len(line))
	}
	if found.Kept == 0 && found.Damaged > 0 {
		return found, errors.New("no line can be read; this is no putpost journal; the file is left as it is")
	}
	return found, w.Flush()
}

// entriesIn returns the entries of a line that can be read, as they are. Whole
// reports that the line is one entry and nothing else.
func entriesIn(line []byte) (entries [][]byte, whole bool) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if _, err := parseLine(line); err == nil && isIntact(line) {
		return [][]byte{line}, true
	}
	begin := []byte(magic)
	for at := bytes.Index(line, begin); at >= 0; {
		line = line[at:]
		next := bytes.Index(line[len(begin):], begin)
		piece := line
		if next >= 0 {
			piece = line[:len(begin)+next]
		}
		dec := json.NewDecoder(bytes.NewReader(piece))
		var raw json.RawMessage
		if dec.Decode(&raw) == nil {
			if _, err := parseLine(raw); err == nil && isIntact(raw) {
				entries = append(entries, raw)
			}
		}
		if next < 0 {
			break
		}
		at = len(begin) + next
	}
	return entries, false
}

// damagedPath returns the path of a damaged line, if it can still be read.
func damagedPath(line []byte) string {
	var path string
	var raw []byte
	if readField(line, "rawPath", &raw) {
		return string(raw)
	}
	readField(line, "path", &path)
	return path
}

// readField reads one field of a line that may be damaged elsewhere.
func readField(line []byte, name string, value any) bool {
	_, after, found := bytes.Cut(line, []byte(`"`+name+`":`))
	return found && json.NewDecoder(bytes.NewReader(after)).Decode(value) == nil
}
