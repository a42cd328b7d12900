package uploadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// The checks of an upload that fails.

// storesNothing uploads src, checks that it fails by an error of the kind, and
// looks for stored files. A plain client's transport finds out too late that a
// source is not what it says.
func (t *trial) storesNothing(ctx context.Context, src *source, kind error) (failure *upload.Error, ok bool) {
	t.Helper()
	count, requests, alive := t.count(), len(t.requests()), ctx.Err() == nil
	_, err := t.send(ctx, src)
	if failure, ok = t.fails(err, kind); err == nil || t.plain() {
		return failure, ok
	}
	if t.Server != nil {
		t.Server.quiet()
	}
	own := t.requests()[requests:]
	if alive && src.Size == int64(len(src.content)) && src.came(accepted(own)) {
		return failure, ok // a later step failed, and the whole file may stay
	}
	for _, r := range own {
		for _, m := range contract.Members(r.Answer) { // one of them may be an id
			if t.isHeld(m.Value) {
				t.broke("stored: an upload that failed left a file under its id")
				return failure, ok
			}
		}
	}
	if after := t.count(); after != count {
		t.broke("stored: %d files after an upload that failed, %d before", after, count)
	}
	return failure, ok
}

// isHeld reports whether something is held under an id.
func (t *trial) isHeld(id string) bool {
	if t.Stored == nil {
		return false
	}
	content, _, err := t.Stored(t.Context(), id)
	if err == nil {
		content.Close()
	}
	return err == nil
}

// fails sees that err is a failure as clients report it, of the given kind. An
// error of a plain client is looked at only as far as it says something; it
// gives no failure.
func (t *trial) fails(err, kind error) (failure *upload.Error, ok bool) {
	t.Helper()
	t.seen.Note(aFailure)
	if err == nil {
		t.broke("error: none, want one of the kind %q", kind)
		return nil, false
	}
	t.tellsNothing(err)
	if !errors.As(err, &failure) && !t.plain() {
		t.broke("error: of type %s, want *upload.Error: %v", fmt.Sprintf("%T", err), err)
		return nil, false
	}
	right := errors.Is(err, kind)
	other := slices.IndexFunc(kinds, func(k error) bool { return k != kind && errors.Is(err, k) })
	switch {
	case !right && failure != nil:
		t.broke("error: not of the kind %q: %v", kind, err)
	case !right && other >= 0:
		t.broke("error: of the kind %q, want %q: %v", kinds[other], kind, err)
	case right && other >= 0 && slices.Contains(kinds, kind):
		t.broke("error: of two kinds, %q and %q: %v", kind, kinds[other], err)
	default:
		return failure, failure != nil
	}
	return failure, false
}

// kinds exclude one another. [upload.ErrNotReplayable] is not among them: it
// comes beside another.
var kinds = []error{
	upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound,
	upload.ErrTooLarge, upload.ErrRateLimited, upload.ErrUnavailable, upload.ErrExpired,
}

// accounts compares what an error says of the requests with those that came.
func (t *trial) accounts(failure *upload.Error, op string, status int) {
	t.Helper()
	switch n := t.tries(t.of(op)); {
	case failure.Provider == "":
		t.broke("error: Provider is empty")
	case failure.Op != op:
		t.broke("error: Op is %q, want %q", failure.Op, op)
	case failure.Status != status:
		t.broke("error: Status is %d, want %d", failure.Status, status)
	case n > 100:
		t.broke("attempts: the client sent %d requests, and should give up earlier", n)
	case n > 0 && failure.Attempts > n, failure.Attempts < n && (status != 0 || !replayed(t.of(op)[0])):
		t.broke("error: Attempts is %d, but %d requests arrived", failure.Attempts, n)
	case status == 0 && failure.TraceID == "" && op != Presigned: // no answer, no trace id
	default:
		t.traces(failure.TraceID, "")
	}
}

// replayed reports whether net/http by itself sends a request again when its
// connection is cut.
func replayed(r Request) bool {
	return r.Method == http.MethodGet || r.Header.Get("Idempotency-Key") != ""
}
