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
	"strings"
)

// Damage describes a damaged line.
type Damage struct {
	Line, Offset, Bytes int64
	Path                string // of the lost entry, if it can still be read
}

// Found counts the entries and damaged lines of a journal. A damaged line may
// still hold an entry, or two if its newline is damaged.
type Found struct{ Kept, Damaged, Lost int64 }

// Check checks the checksum of each line of the journal at path. It calls
// damaged for each damaged line. [Open] checks no checksums, because at worst a
// wrong value means that a file is sent again.
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

// Repair writes all readable entries to a new file with the name of the
// journal. It keeps the original under the name that it returns. It does not
// change a journal without damage.
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
	defer os.Remove(aside.Name()) // unless it has the journal's name by then
	defer aside.Close()
	found, err = inspect(f, aside, damaged)
	if err != nil || found.Damaged == 0 {
		return found, "", err
	}
	if err := aside.Sync(); err != nil {
		return found, "", err
	}
	aside.Close()
	if runtime.GOOS == "windows" { // it cannot rename an open file
		f.Close()
	}
	if original, err = keep(path); err != nil {
		return found, "", err
	}
	err = os.Rename(aside.Name(), path)
	syncFolder(filepath.Dir(path))
	return found, original, err
}

// keep links the file at path to a second name that is not in use.
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
		return found, errors.New("no line can be read, so this is not a putpost journal; the file is left as it is")
	}
	return found, w.Flush()
}

// entriesIn returns the readable entries of a line, unchanged. Whole reports
// whether the line is one entry and nothing else.
func entriesIn(line []byte) (entries [][]byte, whole bool) {
	line = bytes.TrimSuffix(line, []byte("\n"))
	if _, err := parseLine(line); err == nil && isIntact(line) {
		return [][]byte{line}, true
	}
	for _, rest := range bytes.Split(line, []byte(magic))[1:] {
		dec := json.NewDecoder(strings.NewReader(magic + string(rest)))
		var raw json.RawMessage
		if dec.Decode(&raw) == nil {
			if _, err := parseLine(raw); err == nil && isIntact(raw) {
				entries = append(entries, raw)
			}
		}
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
