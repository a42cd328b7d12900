package journal

import (
	"time"
	"unicode/utf8"

	"github.com/putpost/putpost/wrappers/upload"
)

// A journal is a file of JSON lines, one for each file that was sent. A later
// line of a path replaces an earlier one. Every line names the target, so any
// line identifies the journal, and an empty file is a journal.
const (
	version = "putpost/1"
	magic   = `{"journal":"` + version + `",`
)

// Entry is a line of a journal.
type Entry struct {
	Journal string `json:"journal"` // first, so that it begins with magic
	To      string `json:"to"`
	Base    string `json:"base"`
	Account string `json:"account,omitempty"`

	Path    string `json:"path"`              // absolute
	RawPath []byte `json:"rawPath,omitempty"` // see RawPath
	Fingerprint
	ID            string    `json:"id"`
	Name          string    `json:"name"`
	TraceID       string    `json:"traceId,omitempty"`
	TempRequestID string    `json:"tempRequestId,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	DocumentID    int64     `json:"documentId,omitempty"`
	Failed        bool      `json:"failed,omitempty"` // the provider could not process it, so it is sent again
}

// EntryOf returns the entry of a file that was sent, without its path and
// fingerprint.
func EntryOf(res upload.Result) Entry {
	return Entry{
		Fingerprint: Fingerprint{Size: res.Size},
		ID:          res.ID, Name: res.Name, TraceID: res.TraceID,
		TempRequestID: res.TempRequestID, Expires: JSONTime(res.Expires),
	}
}

// Result returns the provider's answer to the upload.
func (e Entry) Result() upload.Result {
	return upload.Result{
		ID: e.ID, Name: e.Name, TraceID: e.TraceID, Size: e.Size,
		TempRequestID: e.TempRequestID, Expires: e.Expires,
	}
}

// expired reports whether the provider has deleted the file by now.
func (e Entry) expired(now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// RawPath returns path if it is not UTF-8, and otherwise nil. JSON cannot hold
// such bytes, so two paths would look the same.
func RawPath(path string) []byte {
	if utf8.ValidString(path) {
		return nil
	}
	return []byte(path)
}
