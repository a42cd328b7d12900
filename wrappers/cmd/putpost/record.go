package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/internal/journal"
	"github.com/putpost/putpost/wrappers/upload"
)

// record is a line of standard output about one file: a JSON object, or
// columns.
type record struct {
	Provider      string    `json:"provider"`
	Path          string    `json:"path,omitempty"`
	RawPath       []byte    `json:"rawPath,omitempty"` // see journal.RawPath
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
		TempRequestID: res.TempRequestID, Expires: journal.JSONTime(res.Expires),
	}
}

func recordsOf(results []upload.Result) []record {
	var records []record
	for _, res := range results {
		records = append(records, recordOf(res))
	}
	return records
}

// line returns a line with its newline. Its columns are the id, then the name
// or the status, then the documentId if it is asked for.
func (r record) line(asJSON bool) string {
	if asJSON {
		return jsonLine(r)
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

// jsonLine returns v as a JSON object on a line. JSON escapes stand for all
// that a terminal might act on; this makes the same object.
func jsonLine(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // no type of ours does that
	}
	line := strings.TrimSuffix(b.String(), "\n")
	if !strings.ContainsFunc(line, acts) {
		return b.String()
	}
	b.Reset()
	for _, r := range line {
		if acts(r) && r != utf8.RuneError {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String() + "\n"
}

var columnEscapes = strings.NewReplacer("\t", `\t`, "\n", `\n`)

// column escapes tabs and newlines, which would end the column.
func column(s string) string { return columnEscapes.Replace(s) }
