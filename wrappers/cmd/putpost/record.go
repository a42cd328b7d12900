package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
)

// record is what standard output has of one file: a JSON object, or a line of
// columns.
type record struct {
	Provider      string    `json:"provider"`
	Path          string    `json:"path,omitempty"`
	ID            string    `json:"id"`
	Name          string    `json:"name,omitempty"`
	Size          *int64    `json:"size,omitempty"` // a pointer, since an empty file has one too
	TraceID       string    `json:"traceId,omitempty"`
	TempRequestID string    `json:"tempRequestId,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	Status        string    `json:"status,omitempty"`
	DocumentID    int64     `json:"documentId,omitempty"`

	document bool // the documentId has a column
}

func recordOf(res upload.Result) record {
	return record{
		ID: res.ID, Name: res.Name, Size: &res.Size, TraceID: res.TraceID,
		TempRequestID: res.TempRequestID, Expires: res.Expires,
	}
}

func recordsOf(results []upload.Result) []record {
	var records []record
	for _, res := range results {
		records = append(records, recordOf(res))
	}
	return records
}

// line ends with a newline. As columns these are the id, then the name or the
// status, then, where it is asked for, the documentId or nothing.
func (r record) line(asJSON bool) string {
	if asJSON {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(r) == nil {
			return b.String()
		}
		r.Expires = time.Time{} // of a year beyond 9999, the one thing that JSON does not take
		return r.line(true)
	}
	columns := []string{column(r.ID), column(cmp.Or(r.Status, r.Name))}
	if r.document {
		columns = append(columns, "")
		if r.DocumentID != 0 {
			columns[2] = fmt.Sprint(r.DocumentID)
		}
	}
	return strings.Join(columns, "\t") + "\n"
}

// column keeps a tab or newline from being taken for the end of the column.
func column(s string) string {
	return strings.NewReplacer("\t", `\t`, "\n", `\n`).Replace(s)
}

// oneLine is s for a person: on one line, and without control characters that
// would make a terminal do things.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
}

// shown is a path for a person, in quotes where it would not show as it is.
func shown(path string) string {
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if path == "" || !utf8.ValidString(path) || strings.ContainsFunc(path, hidden) {
		return strconv.Quote(path)
	}
	return path
}

// and is "a", "a and b", "a, b and c".
func and(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
