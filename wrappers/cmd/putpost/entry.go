package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
)

// A journal is a file of JSON lines, one for each finished upload; a later line
// of the same path replaces an earlier one. Every line says where its file was
// sent, so a journal is recognised by any of its lines and begins empty.
const (
	journalVersion = "putpost/1"
	journalMagic   = `{"journal":"` + journalVersion + `",`
)

// entry is a line of a journal.
type entry struct {
	Journal string `json:"journal"` // first, so that it begins with journalMagic
	To      string `json:"to"`
	Base    string `json:"base"`
	Account string `json:"account,omitempty"`

	Path    string `json:"path"`              // absolute
	RawPath []byte `json:"rawPath,omitempty"` // see rawPath
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
		ID:          res.ID, Name: res.Name, TraceID: res.TraceID,
		TempRequestID: res.TempRequestID, Expires: plain(res.Expires),
	}
}

func (e entry) result() upload.Result {
	return upload.Result{
		ID: e.ID, Name: e.Name, TraceID: e.TraceID, Size: e.Size,
		TempRequestID: e.TempRequestID, Expires: e.Expires,
	}
}

// expired says that the provider has deleted the file by now.
func (e entry) expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// parseLine returns the entry of a line, whatever it was sent to.
func parseLine(line []byte) (e entry, wrong error) {
	if !bytes.HasPrefix(line, []byte(journalMagic)) {
		return e, errors.New("is not one of a putpost journal; the file is left as it is")
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

// parse says what is wrong with a line, if anything is.
func (j *journal) parse(line []byte) (entry, error) {
	e, err := parseLine(line)
	switch {
	case err != nil:
		return e, err
	case e.To != j.to || e.Base != j.base:
		return e, fmt.Errorf("is of uploads to %s at %s, not to %s at %s", e.To, e.Base, j.to, j.base)
	case e.Account != j.account && e.Account != "" && j.account != "":
		return e, fmt.Errorf("is of uploads for another account (%s) than this one (%s)", e.Account, j.account)
	}
	return e, nil
}

// beginning is how every line of j begins, up to its path. A line that does not
// may be of j, too: only parse can tell.
func (j *journal) beginning() []byte {
	line, err := json.Marshal(entry{Journal: journalVersion, To: j.to, Base: j.base, Account: j.account})
	if err != nil {
		panic(err) // no text does that
	}
	before, _, _ := bytes.Cut(line, []byte(`"path":`))
	return append(before, `"path":"`...)
}

// pathOf returns the path of a line without the cost of its other fields, where
// the path stands in it as it is.
func pathOf(line, beginning []byte) (path []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, beginning)
	if !ok {
		return nil, false
	}
	path, rest, _ = bytes.Cut(rest, []byte(`","size":`))
	ok = len(path) > 0 && bytes.IndexAny(path, `"\`) < 0 && bytes.HasSuffix(rest, []byte("}\n"))
	return path, ok
}

// isWhole reports whether line is UTF-8 and an object of JSON.
func isWhole(line []byte) bool { return utf8.Valid(line) && json.Valid(line) }

// scan is parse at a fifth of its cost, for a line that add wrote: flat, and with
// fields that it knows. It leaves every other line to parse.
func (j *journal) scan(line []byte) (e entry, ok bool) {
	path, ok := pathOf(line, j.begin)
	if !ok {
		return e, false
	}
	e.Path = string(path)
	rest := line[len(j.begin)+len(path)+1:] // behind the path's quote
	for len(rest) > 1 && rest[0] == ',' && rest[1] == '"' {
		name, value, found := bytes.Cut(rest[2:], []byte(`":`))
		if !found {
			return e, false
		}
		if len(value) > 0 && value[0] == '"' {
			value, rest, found = bytes.Cut(value[1:], []byte(`"`))
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
	return e, e.ID != "" && string(rest) == "}\n"
}

// set reports whether the field called name is one that scan knows, and its value
// is as add writes it.
func (e *entry) set(name string, value []byte) bool {
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
	default:
		return false
	}
	return err == nil
}
