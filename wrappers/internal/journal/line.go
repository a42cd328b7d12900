package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// parseLine returns the entry of a line, whatever its target.
func parseLine(line []byte) (e Entry, wrong error) {
	if !bytes.HasPrefix(line, []byte(magic)) {
		return e, errors.New("is not a line of a putpost journal; the file is left as it is")
	}
	if !utf8.Valid(line) || json.Unmarshal(line, &e) != nil || e.Path == "" || e.ID == "" {
		return e, errDamaged
	}
	if e.RawPath != nil {
		e.Path = string(e.RawPath)
	}
	return e, nil
}

var errDamaged = errors.New("is damaged; the file is left as it is; \"putpost journal repair\" keeps the other lines")

// parse returns the entry of a line if its target is j's.
func (j *Journal) parse(line []byte) (Entry, error) {
	e, err := parseLine(line)
	switch {
	case err != nil:
		return e, err
	case e.To != j.target.To || e.Base != j.target.Base:
		return e, fmt.Errorf("is for uploads to %s at %s, not to %s at %s; use another journal, or see if "+
			"\"putpost journal check\" finds damage", e.To, e.Base, j.target.To, j.target.Base)
	case e.Account != j.target.Account && e.Account != "" && j.target.Account != "":
		return e, fmt.Errorf("is for uploads of another account (%s) than this one (%s); use another journal",
			e.Account, j.target.Account)
	}
	return e, nil
}

// beginning returns the first bytes of a line of j, up to its path. A line with
// other first bytes may have j's target, too: only parse can tell.
func (j *Journal) beginning() []byte {
	line, err := json.Marshal(Entry{Journal: version, To: j.target.To, Base: j.target.Base, Account: j.target.Account})
	if err != nil {
		panic(err) // strings always marshal
	}
	before, _, _ := bytes.Cut(line, []byte(`"path":`))
	return append(before, `"path":"`...)
}

// pathOf returns the path of a line without reading the other fields. It is not
// ok if the path has escapes.
func pathOf(line, beginning []byte) (path []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, beginning)
	if !ok {
		return nil, false
	}
	path, rest, _ = bytes.Cut(rest, []byte(`","size":`))
	ok = len(path) > 0 && !bytes.ContainsAny(path, `"\`) && bytes.HasSuffix(rest, []byte("}\n"))
	return path, ok
}

// isWhole reports whether line is UTF-8 and an object of JSON.
func isWhole(line []byte) bool { return utf8.Valid(line) && json.Valid(line) }

// scan does the same as parse in a fifth of the time, but only for a line as
// Add writes it. For any other line ok is false.
func (j *Journal) scan(line []byte) (e Entry, ok bool) {
	path, ok := pathOf(line, j.begin)
	if !ok {
		return e, false
	}
	e.Path = string(path)
	rest := line[len(j.begin)+len(path)+1:] // behind the path's quote
	for {
		field, more := bytes.CutPrefix(rest, []byte(`,"`))
		if !more {
			return e, e.ID != "" && string(rest) == "}\n"
		}
		name, value, found := bytes.Cut(field, []byte(`":`))
		if text, isText := bytes.CutPrefix(value, []byte(`"`)); isText {
			value, rest, found = bytes.Cut(text, []byte(`"`))
			found = found && bytes.IndexByte(value, '\\') < 0
		} else if end := bytes.IndexAny(value, ",}"); end > 0 {
			value, rest = value[:end], value[end:]
		} else {
			found = false
		}
		if !found || !e.set(string(name), value) {
			return e, false
		}
	}
}

// set sets the field called name. It reports whether scan knows the field and
// the value is valid.
func (e *Entry) set(name string, value []byte) bool {
	var err error
	switch name {
	case "size":
		e.Size, err = strconv.ParseInt(string(value), 10, 64)
	case "documentId":
		e.DocumentID, err = strconv.ParseInt(string(value), 10, 64)
	case "modified":
		err = e.Modified.UnmarshalText(value)
	case "changed":
		err = e.Changed.UnmarshalText(value)
	case "noted":
		err = e.Noted.UnmarshalText(value)
	case "expires":
		err = e.Expires.UnmarshalText(value)
	case "sha256":
		e.SHA256 = string(value)
	case "id":
		e.ID = string(value)
	case "name":
		e.Name = string(value)
	case "traceId":
		e.TraceID = string(value)
	case "tempRequestId":
		e.TempRequestID = string(value)
	case "failed":
		e.Failed = string(value) == "true"
	case "crc32c": // only Check compares it
	default:
		return false
	}
	return err == nil
}
