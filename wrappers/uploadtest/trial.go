package uploadtest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	what  string // the case that is looked at: each line begins with it
}

func begin(t testing.TB, setup func(testing.TB) Subject) *trial {
	t.Helper()
	s := setup(t)
	if s.Uploader == nil {
		t.Fatal("uploadtest: the subject has no Uploader")
	}
	return &trial{TB: t, Subject: s, setup: setup, seen: &seen{}}
}

// about returns the trial for a case of its property.
func (t *trial) about(format string, args ...any) *trial {
	it := *t
	it.what = fmt.Sprintf(format, args...)
	return &it
}

// fresh runs the case on a subject of its own.
func (t *trial) fresh(check func(*trial)) {
	within(t.TB, t.what, func(tb testing.TB) {
		it := begin(tb, t.setup)
		it.seen, it.what = t.seen, t.what
		check(it)
	})
}

// broke reports a broken rule in one line, with no secret in its errors.
func (t *trial) broke(format string, args ...any) {
	t.Helper()
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = t.masked(err)
		}
	}
	t.Errorf("%s: %s", t.what, fmt.Sprintf(format, args...))
}

// plain tells whether the client is one of the adapters.
func (t *trial) plain() bool {
	switch t.Uploader.(type) {
	case Func, Call:
		return true
	}
	return false
}

const (
	patience = 30 * time.Second // how long an upload may take before it counts as stuck
	prompt   = 5 * time.Second  // how long it may go on after its context has ended
)

// send uploads src and sees to its readers.
func (t *trial) send(ctx context.Context, src *source) (upload.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return t.upload(ctx, src)
}

// upload uploads src within ctx alone. A client that does not return must not
// keep the test from its end.
func (t *trial) upload(ctx context.Context, src *source) (res upload.Result, err error) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		res, err = t.Uploader.Upload(ctx, src.Source)
	}()
	select {
	case <-done:
	case <-time.After(patience + prompt):
		t.Fatalf("%s: upload: it has not returned after %v, and its context has ended", t.what, patience+prompt)
	}
	if fault := t.readersOf(src); fault != "" {
		t.broke("readers: %s when Upload returned", fault)
	}
	return res, err
}

// readersOf says what was done wrong with the readers of src. The transport of
// a plain client may close a reader late, and twice.
func (t *trial) readersOf(src *source) string {
	if !t.plain() {
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
func (t *trial) arrives(src *source) (upload.Result, bool) {
	t.Helper()
	count, requests := t.count(), len(t.requests())
	res, err := t.send(t.Context(), src)
	if err != nil {
		t.broke("upload: %v", err)
		return res, false
	}
	ok := t.describes(res, src.Source) && t.holds(res.ID, src) && t.carried(src, requests) && t.traces(res.TraceID)
	if after := t.count(); ok && t.Count != nil && after != count+1 {
		t.broke("count: %d files are stored, %d were before one upload", after, count)
		ok = false
	}
	return res, ok
}

// describes compares a result with the source that was uploaded. A plain client
// may leave out everything but the id.
func (t *trial) describes(res upload.Result, src upload.Source) bool {
	t.Helper()
	switch bare, want := t.plain(), upload.BaseName(src.Name); {
	case res.ID == "" && (!bare || t.Stored != nil):
		t.broke("result: the ID is empty")
	case res.Size != src.Size && !bare:
		t.broke("result: Size is %d, but %d bytes were handed over", res.Size, src.Size)
	case res.Name != want && !bare:
		t.broke("result: Name is %q, want %q", res.Name, want)
	case !bare && !t.belongs(res):
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
func (t *trial) belongs(res upload.Result) bool {
	t.Helper()
	for _, r := range t.requests() {
		if res.ID == "" || !has(r.Answer, res.ID) {
			continue
		}
		for _, m := range contract.Members(r.Answer) {
			if strings.EqualFold(m.Name, "tempRequestId") && m.Value != res.TempRequestID {
				t.broke("result: TempRequestID is %q, but the answer that gave the ID said %q", res.TempRequestID, m.Value)
				return false
			}
		}
		if res.TempRequestID != "" && !has(r.Answer, res.TempRequestID) {
			t.broke("result: TempRequestID %q is not of the answer that gave the ID", res.TempRequestID)
			return false
		}
		break
	}
	return true
}

// memberOf returns the name under which a JSON answer holds a value.
func memberOf(answer []byte, value string) (name string, ok bool) {
	for _, m := range contract.Members(answer) {
		if m.Value == value {
			return m.Name, true
		}
	}
	return "", false
}

func has(answer []byte, value string) bool {
	_, ok := memberOf(answer, value)
	return ok
}

// traces compares a trace id with the one of the last answer that an operation
// of the spec gave, if the spec declares such ids: a failed presigned step goes
// by the API's.
func (t *trial) traces(id string) bool {
	t.Helper()
	if t.Server == nil || t.plain() {
		return true
	}
	want := ""
	for _, r := range t.requests() {
		if said := r.AnswerHeader.Get(t.Server.contract.TraceHeader); said != "" && r.Op != Presigned && r.Op != Token {
			want = said
		}
	}
	if want == "" {
		return true
	}
	if t.seen.note(aTrace); id != want {
		t.broke("trace id: %q, but the API's answer said %q", id, want)
	}
	return id == want
}

// mediaType returns the media type that a source travels under.
func mediaType(src upload.Source) string { return cmp.Or(src.ContentType, upload.OctetStream) }

// holds compares what is stored under id with src.
func (t *trial) holds(id string, src *source) bool {
	t.Helper()
	if t.Stored == nil {
		return true
	}
	content, contentType, err := t.Stored(t.Context(), id)
	if err != nil {
		t.broke("stored: nothing under the returned id: %v", err)
		return false
	}
	defer content.Close()
	got, err := io.ReadAll(io.LimitReader(content, src.Size+1))
	switch {
	case err != nil:
		t.broke("stored: what is stored cannot be read: %v", err)
	case !bytes.Equal(got, src.content):
		t.broke("stored: %s", difference(got, src.content))
	case contentType != mediaType(src.Source):
		t.broke("stored: the media type is %q, want %q", contentType, mediaType(src.Source))
	default:
		t.seen.note(aContent, aMediaType)
		return true
	}
	return false
}

// escapes are how browsers write in a form what would end a name there.
var escapes = strings.NewReplacer("%22", `"`, "%0D", "\r", "%0A", "\n")

// carried compares the last file in the requests since a number of them with
// src.
func (t *trial) carried(src *source, since int) bool {
	t.Helper()
	var last *File
	for _, r := range t.requests()[since:] {
		for _, f := range r.Files {
			if r.Status/100 == 2 {
				last = &f
			}
		}
	}
	if last == nil {
		return true
	}
	switch name := upload.BaseName(src.Name); {
	case last.SHA256 != sum(src.content):
		t.broke("wire: %d bytes that are not the file's %d arrived", last.Size, src.Size)
	case last.Name != upload.BaseName(last.Name):
		t.broke("wire: the form tells the directories: %q", last.Name)
	case last.Name != "" && last.Name != name && escapes.Replace(last.Name) != name:
		t.broke("wire: the name is %q, want %q", last.Name, name)
	case last.ContentType != mediaType(src.Source):
		t.broke("wire: the media type is %q, want %q", last.ContentType, mediaType(src.Source))
	default:
		if t.seen.note(aContent, aMediaType); last.Name != "" {
			t.seen.note(aName)
		}
		return true
	}
	return false
}

// requests returns what the Server received, which is nothing without one.
func (t *trial) requests() []Request {
	if t.Server == nil {
		return nil
	}
	return t.Server.Requests()
}

// of returns the requests of an operation.
func (t *trial) of(op string) []Request {
	return slices.DeleteFunc(t.requests(), func(r Request) bool { return r.Op != op })
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

// storesNothing uploads src, which must fail by an error of the kind, and looks
// for what it left. A plain client's transport finds out too late that a source
// is not what it says.
func (t *trial) storesNothing(ctx context.Context, src *source, kind error) (failure *upload.Error, ok bool) {
	t.Helper()
	count, requests := t.count(), len(t.requests())
	_, err := t.send(ctx, src)
	if failure, ok = t.fails(err, kind); t.plain() {
		return failure, ok
	}
	if t.Server != nil {
		t.Server.quiet()
	}
	for _, r := range t.requests()[requests:] {
		for _, m := range contract.Members(r.Answer) { // one of them may be an id
			if t.Stored == nil {
				break
			}
			if content, _, err := t.Stored(t.Context(), m.Value); err == nil {
				content.Close()
				t.broke("stored: an upload that failed left a file under its id")
			}
		}
	}
	if after := t.count(); after != count {
		t.broke("stored: %d files after an upload that failed, %d before", after, count)
	}
	return failure, ok
}

// fails sees that err is a failure as clients report it, of the given kind. An
// error of a plain client is looked at only as far as it says something; it
// gives no failure.
func (t *trial) fails(err, kind error) (failure *upload.Error, ok bool) {
	t.Helper()
	if err == nil {
		t.broke("error: none, want %q", kind)
		return nil, false
	}
	t.seen.note(aFailure)
	t.tellsNothing(err)
	if !errors.As(err, &failure) && !t.plain() {
		t.broke("error: of type %s, want *upload.Error: %v", fmt.Sprintf("%T", err), err)
		return nil, false
	}
	for _, other := range kinds {
		switch wrong := other != kind && errors.Is(err, other); {
		case wrong && failure == nil && !errors.Is(err, kind):
			t.broke("error: of the kind %q, want %q: %v", other, kind, err)
			return nil, false
		case wrong && errors.Is(err, kind) && slices.Contains(kinds, kind):
			t.broke("error: of the kind %q, but of the kind %q too: %v", kind, other, err)
			return failure, false
		}
	}
	if failure != nil && !errors.Is(err, kind) {
		t.broke("error: not of the kind %q: %v", kind, err)
		return failure, false
	}
	return failure, failure != nil
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
	switch n := len(t.of(op)); {
	case failure.Provider == "":
		t.broke("error: Provider is empty")
	case failure.Op != op:
		t.broke("error: Op is %q, want %q", failure.Op, op)
	case failure.Status != status:
		t.broke("error: Status is %d, want %d", failure.Status, status)
	case failure.Attempts != n:
		t.broke("error: Attempts is %d, but %d requests arrived", failure.Attempts, n)
	default:
		t.traces(failure.TraceID)
	}
}

// operations are those that an upload needs, found by making one. Without a
// Server there are none.
func (t *trial) operations() []string {
	t.Helper()
	if t.Server == nil {
		return nil
	}
	t.about("an upload without a fault").arrives(file(100))
	return t.Server.ops()
}

// carriers are the operations that carry the file.
func (t *trial) carriers() []string {
	t.Helper()
	return slices.DeleteFunc(t.operations(), func(op string) bool {
		return !slices.ContainsFunc(t.of(op), func(r Request) bool { return len(r.Files) > 0 })
	})
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
	return slices.Contains(t.Once, op) && status != http.StatusTooManyRequests
}
