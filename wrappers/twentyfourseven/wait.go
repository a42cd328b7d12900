package twentyfourseven

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// ErrFailed says that an upload has ended and that no document came of it.
var ErrFailed = errors.New("the provider reports that no document came of the file")

const (
	// waitLimit is how long Wait waits if its context has no deadline.
	waitLimit = time.Hour

	// settleTime is how long Wait bears with an answer that the upload may have
	// overtaken: an id that is not known yet, or a completed upload without its
	// document.
	settleTime = 10 * time.Second
)

// The status is free text. These are the beginnings of words that say that
// nothing more will happen, in small letters.
var (
	failedWords = []string{
		"fail", "reject", "cancel", "error", "abort", "refus", "denied", "declin", "invalid", "unsupported", "corrupt",
		"infected", "quarantin", "expired", "deleted", "removed", "discard", "timed out", "timeout",
	}
	completedWords = []string{"complet", "done", "finish", "success", "succeed", "processed"}
)

func begins(status string, words []string) bool {
	status = strings.ToLower(strings.TrimSpace(status))
	return slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(status, word) })
}

// Wait asks for the status of fileID until its documentId is there. It pauses for
// a random time of up to 0.5, 1, 2 s and so on, never above upload.Retry's
// MaxWait. The deadline of ctx is the limit; without one it is an hour.
//
// Wait ends early with the first failure of [Client.Status], and with [ErrFailed]
// if the status says that no document will come: "Failed", "Rejected" and the
// like, or "Completed" for ten seconds without a documentId. Any other status
// means that the document is not there yet. So does [upload.ErrNotFound] in the
// first ten seconds: the id may be newer than what the server knows.
func (c *Client) Wait(ctx context.Context, fileID string) (Status, error) {
	began := time.Now()
	_, limited := ctx.Deadline()
	var known bool          // the server has known the id
	var completed time.Time // since then the status has said so without a document; zero: it has not
	for n := 1; ; n++ {
		st, err := c.Status(ctx, fileID)
		known = known || err == nil
		fresh := errors.Is(err, upload.ErrNotFound) && !known && time.Since(began) < settleTime
		if st.DocumentID != 0 || err != nil && !fresh {
			return st, err
		}
		switch {
		case !begins(st.Status, completedWords):
			completed = time.Time{}
		case completed.IsZero():
			completed = time.Now()
		}
		switch {
		case begins(st.Status, failedWords), !completed.IsZero() && time.Since(completed) >= settleTime:
			err = ErrFailed
		case !limited && time.Since(began) >= waitLimit:
			err = fmt.Errorf("%w: gave up after %s; for another limit give the context a deadline",
				upload.ErrUnavailable, waitLimit)
		default:
			pause := n
			if !known || !completed.IsZero() { // so that settleTime is kept to
				pause = min(n, 3)
			}
			if err = c.doer.Pause(ctx, pause); err == nil {
				continue
			}
		}
		said := fmt.Sprintf("the status of %.100q is %.100q, without a documentId", fileID, st.Status)
		if !known {
			said = fmt.Sprintf("%.100q is not known yet", fileID)
		}
		err = fmt.Errorf("%w: %s", err, said)
		return st, &upload.Error{Provider: provider, Op: opStatus, TraceID: st.TraceID, Attempts: n, Err: err}
	}
}
