package wire

import (
	"net/http"
	"strings"

	"github.com/putpost/putpost/wrappers/upload"
)

// Table gives the answers of one provider their meaning. It decides whether a
// request is repeated and which error the caller sees. The first row that fits
// counts.
type Table []Row

// Row fits an answer with its Status, its Code, and a message that contains its
// Text. Zero, or an empty text, fits any answer. Status 200 stands for a
// success that cannot be used.
type Row struct {
	Status int
	Code   string
	Text   string // compared without regard to case
	Kind   error  // one of upload's
	Again  bool   // the same request may succeed later
}

// Meaning returns the kind of an answer, and whether the same request may
// succeed later.
func (t Table) Meaning(status int, code, message string) (kind error, again bool) {
	for _, row := range t {
		if (row.Status == 0 || row.Status == status) && (row.Code == "" || row.Code == code) &&
			strings.Contains(strings.ToLower(message), strings.ToLower(row.Text)) {
			return row.Kind, row.Again
		}
	}
	switch {
	case status == http.StatusUnauthorized:
		return upload.ErrUnauthorized, false
	case status == http.StatusForbidden:
		return upload.ErrForbidden, false
	case status == http.StatusNotFound:
		return upload.ErrNotFound, false
	case status == http.StatusRequestTimeout:
		return upload.ErrUnavailable, true
	case status == http.StatusRequestEntityTooLarge:
		return upload.ErrTooLarge, false
	case status == http.StatusTooManyRequests:
		return upload.ErrRateLimited, true
	case status >= 400 && status < 500:
		return upload.ErrInvalid, false
	}
	return upload.ErrUnavailable, status >= 500
}
