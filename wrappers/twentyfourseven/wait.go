package twentyfourseven

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// ErrFailed is the error of Wait if an upload has ended without a document.
var ErrFailed = errors.New("the provider reports that no document came of the file")

const (
	// waitLimit is how long Wait waits if its context has no deadline.
	waitLimit = time.Hour

	// gracePeriod is how long Wait goes on after an answer that may be older
	// than the upload: an unknown id, or a completed upload without its
	// document.
	gracePeriod = 10 * time.Second
)

// words match the meaning of a status. A status is free text. [spaced] has
// separated its words. The expressions are compiled when the first status
// comes.
var words = sync.OnceValue(func() (w struct{ failed, open, completed *regexp.Regexp }) {
	w.failed = regexp.MustCompile(` (fail|reject|cancel|error|abort|refus|denied|declin|invalid|unsupported|` +
		`corrupt|infected|quarantin|expired|deleted|removed|discard|timed ?out|timeout|terminat|stopped|killed|` +
		`crash|malform|unreadable|unsuccess|virus|malware|blocked|withdrawn|exception|too (large|big)|` +
		`not (found|supported|accepted|allowed|valid))`)
	// A failure beside one of these words is none.
	w.open = regexp.MustCompile(` (no|0|without|retry\w*|not (fail|reject|cancel)\w*) `)
	w.completed = regexp.MustCompile(`^ (complet|done|finish|success|succeed|processed)`)
	return w
})

var wordBreak = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`([a-z])([A-Z])|[^\pL\d]+`) })

// spaced returns a status in lower case with one blank around each word. It
// also separates the words of TimedOut and timed_out.
func spaced(status string) string {
	parted := wordBreak().ReplaceAllString(status, "$1 $2")
	return " " + strings.ToLower(strings.TrimSpace(parted)) + " "
}

func failed(status string) bool {
	s := spaced(status)
	return words().failed.MatchString(s) && !words().open.MatchString(s) && !completed(status)
}

func completed(status string) bool { return words().completed.MatchString(spaced(status)) }

// Wait asks for the status of fileID until its documentId is there. It pauses
// for a random time of up to 0.5, 1, 2 s and so on, never above upload.Retry's
// MaxWait. The deadline of ctx is the limit; without one it is an hour.
//
// Wait ends early with the first failure of [Client.Status], and with
// [ErrFailed] if the status says that no document will come: "Failed",
// "Rejected" and the like, or "Completed" for ten seconds without a documentId.
// Any other status means that the document is not there yet. So does
// [upload.ErrNotFound] in the first ten seconds, since the server may not know
// a new id at once.
func (c *Client) Wait(ctx context.Context, fileID string) (Status, error) {
	began := time.Now()
	_, limited := ctx.Deadline()
	var known bool      // the server has recognised the id
	var since time.Time // when the status became "completed" without a document; zero if it is another
	for n := 1; ; n++ {
		st, err := c.Status(ctx, fileID)
		known = known || err == nil
		fresh := errors.Is(err, upload.ErrNotFound) && !known && time.Since(began) < gracePeriod
		if st.DocumentID != 0 || err != nil && !fresh {
			return st, err
		}
		switch {
		case !completed(st.Status):
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		switch {
		case failed(st.Status), !since.IsZero() && time.Since(since) >= gracePeriod:
			err = ErrFailed
		case !limited && time.Since(began) >= waitLimit:
			err = fmt.Errorf("%w: gave up after %s; for another limit give the context a deadline",
				upload.ErrUnavailable, waitLimit)
		default:
			pause := n
			if !known || !since.IsZero() { // so that gracePeriod is kept to
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
