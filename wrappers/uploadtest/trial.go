package uploadtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// trial is one property under check.
type trial struct {
	testing.TB
	Subject
	setup func(testing.TB) Subject
	seen  *seen
}

func begin(t testing.TB, setup func(testing.TB) Subject) *trial {
	t.Helper()
	s := setup(t)
	if s.Uploader == nil {
		t.Fatal("uploadtest: the subject has no Uploader")
	}
	return &trial{TB: t, Subject: s, setup: setup, seen: &seen{}}
}

// fresh runs a case of the property on a subject of its own.
func (t *trial) fresh(name string, check func(*trial)) {
	within(t.TB, name, func(tb testing.TB) {
		it := begin(tb, t.setup)
		it.seen = t.seen
		check(it)
	})
}

// patience is how long an upload may take before it counts as stuck.
const patience = 30 * time.Second

// send uploads src and sees to its readers.
func (t *trial) send(ctx context.Context, what string, src *source) (upload.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return t.upload(ctx, what, src)
}

// upload uploads src within ctx alone. A client that does not return must not
// keep the test from its end.
func (t *trial) upload(ctx context.Context, what string, src *source) (res upload.Result, err error) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err = t.Uploader.Upload(ctx, src.Source)
	}()
	select {
	case <-done:
	case <-time.After(patience + prompt):
		t.Fatalf("%s: upload: it has not returned after %v, and its context has ended", what, patience+prompt)
	}
	if fault := t.readersOf(src); fault != "" {
		t.Errorf("%s: readers: %s when Upload returned", what, fault)
	}
	return res, err
}

// readersOf says what was done wrong with the readers of src. The transport of
// a plain client may close a reader late, and twice.
func (t *trial) readersOf(src *source) string {
	if !plain(t.Uploader) {
		return src.fault()
	}
	for deadline := time.Now().Add(prompt); src.open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return src.fault()
		}
	}
	return ""
}

// arrives uploads src and compares all that came of it.
func (t *trial) arrives(what string, src *source) (upload.Result, bool) {
	t.Helper()
	before, seen := t.count(), t.requests()
	res, err := t.send(t.Context(), what, src)
	if err != nil {
		t.Errorf("%s: upload: %v", what, t.masked(err))
		return res, false
	}
	ok := t.describes(what, res, src.Source) && t.holds(what, res.ID, src) && t.carried(what, src, seen) &&
		t.traces(what, res.TraceID)
	if after := t.count(); ok && t.Count != nil && after != before+1 {
		t.Errorf("%s: count: %d files are stored, %d were before one upload", what, after, before)
		ok = false
	}
	return res, ok
}

// describes compares a result with what was handed over. A plain client may
// leave out everything but the id.
func (t *trial) describes(what string, res upload.Result, src upload.Source) bool {
	t.Helper()
	bare := plain(t.Uploader)
	switch want := upload.BaseName(src.Name); {
	case res.ID == "" && (!bare || t.Stored != nil):
		t.Errorf("%s: result: the ID is empty", what)
	case res.Size != src.Size && !bare:
		t.Errorf("%s: result: Size is %d, but %d bytes were handed over", what, res.Size, src.Size)
	case res.Name != want && !bare:
		t.Errorf("%s: result: Name is %q, want %q", what, res.Name, want)
	case !t.belongs(what, res):
	default:
		t.seen.note(aResult)
		if !bare {
			t.seen.note(aName)
		}
		return true
	}
	return false
}

// belongs sees that the ids of a result come out of one answer.
func (t *trial) belongs(what string, res upload.Result) bool {
	t.Helper()
	if plain(t.Uploader) || res.ID == "" {
		return true
	}
	for _, r := range t.requestsSince(0) {
		if !has(r.Answer, res.ID) {
			continue
		}
		for _, m := range contract.Members(r.Answer) {
			if strings.EqualFold(m.Name, "tempRequestId") && m.Value != res.TempRequestID {
				t.Errorf("%s: result: TempRequestID is %q, but the answer that gave the ID said %q", what,
					res.TempRequestID, m.Value)
				return false
			}
		}
		if res.TempRequestID != "" && !has(r.Answer, res.TempRequestID) {
			t.Errorf("%s: result: TempRequestID %q is not of the answer that gave the ID", what, res.TempRequestID)
			return false
		}
		return true
	}
	return true
}

// has tells whether a JSON answer holds a value.
func has(answer []byte, value string) bool {
	return slices.ContainsFunc(contract.Members(answer), func(m contract.Member) bool { return m.Value == value })
}

// traces compares a trace id with the one of the last answer that an operation
// of the spec gave, where it declares such: a failed presigned step goes by the
// API's.
func (t *trial) traces(what, id string) bool {
	t.Helper()
	if t.Server == nil || plain(t.Uploader) {
		return true
	}
	want, name := "", t.Server.contract.TraceHeader
	for _, r := range t.Server.Requests() {
		if r.Op != Presigned && r.Op != Token && r.AnswerHeader.Get(name) != "" {
			want = r.AnswerHeader.Get(name)
		}
	}
	if want == "" {
		return true
	}
	t.seen.note(aTrace)
	if id == want {
		return true
	}
	t.Errorf("%s: trace id: %q, but the API's answer said %q", what, id, want)
	return false
}

// mediaType returns the media type that a source travels under.
func mediaType(src upload.Source) string {
	if src.ContentType == "" {
		return upload.OctetStream
	}
	return src.ContentType
}

// holds compares what is stored under id with src.
func (t *trial) holds(what, id string, src *source) bool {
	t.Helper()
	if t.Stored == nil {
		return true
	}
	content, contentType, err := t.Stored(t.Context(), id)
	if err != nil {
		t.Errorf("%s: stored: nothing under the returned id: %v", what, t.masked(err))
		return false
	}
	defer content.Close()
	got, err := io.ReadAll(io.LimitReader(content, src.Size+1))
	switch {
	case err != nil:
		t.Errorf("%s: stored: what is stored cannot be read: %v", what, t.masked(err))
	case !bytes.Equal(got, src.content):
		t.Errorf("%s: stored: %s", what, difference(got, src.content))
	case contentType != mediaType(src.Source):
		t.Errorf("%s: stored: the media type is %q, want %q", what, contentType, mediaType(src.Source))
	default:
		t.seen.note(aContent)
		t.seen.note(aMediaType)
		return true
	}
	return false
}

// escapes are how browsers write in a form what would end a name there.
var escapes = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

// carried compares the file in the requests since a number of them with src.
func (t *trial) carried(what string, src *source, since int) bool {
	t.Helper()
	var last *File
	for _, r := range t.requestsSince(since) {
		for _, f := range r.Files {
			if r.Status/100 == 2 {
				last = &f
			}
		}
	}
	if last == nil {
		return true
	}
	name := upload.BaseName(src.Name)
	switch {
	case last.SHA256 != sum(src.content):
		t.Errorf("%s: wire: %d bytes that are not the file's %d arrived", what, last.Size, src.Size)
	case last.Name != upload.BaseName(last.Name):
		t.Errorf("%s: wire: the form tells the directories: %q", what, last.Name)
	case last.Name != "" && last.Name != name && escapes.Replace(last.Name) != name:
		t.Errorf("%s: wire: the name is %q, want %q", what, last.Name, name)
	case last.ContentType != mediaType(src.Source):
		t.Errorf("%s: wire: the media type is %q, want %q", what, last.ContentType, mediaType(src.Source))
	default:
		t.seen.note(aContent)
		t.seen.note(aMediaType)
		if last.Name != "" {
			t.seen.note(aName)
		}
		return true
	}
	return false
}

func (t *trial) requests() int {
	if t.Server == nil {
		return 0
	}
	return len(t.Server.Requests())
}

func (t *trial) requestsSince(since int) []Request {
	if t.Server == nil {
		return nil
	}
	return t.Server.Requests()[since:]
}

func difference(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	if len(got) > len(want) {
		return fmt.Sprintf("more than the %d bytes that were sent, the first wrong one at offset %d", len(want), at)
	}
	return fmt.Sprintf("%d bytes, %d were sent, the first wrong one at offset %d", len(got), len(want), at)
}

func (t *trial) count() int {
	if t.Count == nil {
		return 0
	}
	return t.Count()
}

// storesNothing runs f, an upload that fails, and looks for what it left. A
// plain client's transport finds out too late that a source is not what it
// says.
func (t *trial) storesNothing(what string, f func()) {
	t.Helper()
	if plain(t.Uploader) {
		f()
		return
	}
	before, seen := t.count(), t.requests()
	f()
	if t.Server != nil {
		t.Server.quiet()
		if t.Stored != nil {
			for _, r := range t.requestsSince(seen) {
				for _, m := range contract.Members(r.Answer) { // one of them may be an id
					if content, _, err := t.Stored(t.Context(), m.Value); err == nil {
						content.Close()
						t.Errorf("%s: stored: an upload that failed left a file under its id", what)
					}
				}
			}
		}
	}
	if after := t.count(); after != before {
		t.Errorf("%s: stored: %d files after an upload that failed, %d before", what, after, before)
	}
}

// fails sees that err is a failure as clients report it, of the given kind. An
// error of a plain client is looked at only as far as it says something; it
// gives no failure.
func (t *trial) fails(what string, err, kind error) (failure *upload.Error, ok bool) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: error: none, want %q", what, kind)
		return nil, false
	}
	t.seen.note(aFailure)
	t.tellsNothing(what, err)
	if !errors.As(err, &failure) && !plain(t.Uploader) {
		t.Errorf("%s: error: of type %T, want *upload.Error: %v", what, err, t.masked(err))
		return nil, false
	}
	for _, other := range kinds {
		switch wrong := other != kind && errors.Is(err, other); {
		case wrong && failure == nil && !errors.Is(err, kind):
			t.Errorf("%s: error: of the kind %q, want %q: %v", what, other, kind, t.masked(err))
			return nil, false
		case wrong && errors.Is(err, kind) && slices.Contains(kinds, kind):
			t.Errorf("%s: error: of the kind %q, but of the kind %q too: %v", what, kind, other, t.masked(err))
			return failure, false
		}
	}
	if failure == nil {
		return nil, false
	}
	if !errors.Is(err, kind) {
		t.Errorf("%s: error: not of the kind %q: %v", what, kind, t.masked(err))
		return failure, false
	}
	return failure, true
}

// kinds exclude one another. [upload.ErrNotReplayable] is not among them: it
// comes beside another.
var kinds = []error{
	upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound,
	upload.ErrTooLarge, upload.ErrRateLimited, upload.ErrUnavailable, upload.ErrExpired,
}

// accounts compares what an error says of the requests with those that came.
func (t *trial) accounts(what string, failure *upload.Error, op string, status int) {
	t.Helper()
	switch n := t.Server.received(op); {
	case failure.Provider == "":
		t.Errorf("%s: error: Provider is empty", what)
	case failure.Op != op:
		t.Errorf("%s: error: Op is %q, want %q", what, failure.Op, op)
	case failure.Status != status:
		t.Errorf("%s: error: Status is %d, want %d", what, failure.Status, status)
	case failure.Attempts != n:
		t.Errorf("%s: error: Attempts is %d, but %d requests arrived", what, failure.Attempts, n)
	default:
		t.traces(what, failure.TraceID)
	}
}

// operations are those that an upload needs, found by making one. Without a
// Server there are none.
func (t *trial) operations() []string {
	t.Helper()
	if t.Server == nil {
		return nil
	}
	t.arrives("an upload without a fault", newSource("first.bin", upload.OctetStream, noise(100, 14), nil))
	return t.Server.ops()
}

// carriers are the operations that carry the file.
func (t *trial) carriers() []string {
	t.Helper()
	t.operations()
	var ops []string
	for _, r := range t.requestsSince(0) {
		if len(r.Files) > 0 && !slices.Contains(ops, r.Op) {
			ops = append(ops, r.Op)
		}
	}
	return ops
}

// starter is the operation that hands out the presigned URL, or empty.
func (t *trial) starter() string {
	t.Helper()
	ops := t.operations()
	if at := slices.Index(ops, Presigned); at > 0 {
		return ops[at-1]
	}
	return ""
}

// once tells whether an operation is sent only once after a status, or after no
// answer at all (0).
func (t *trial) once(op string, status int) bool {
	return slices.Contains(t.Once, op) && status != 429
}
