package uploadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/internal/contract"
	"github.com/putpost/putpost/wrappers/upload"
)

// Subject is a client to be checked and what is known of the other side. All
// but Uploader may be left out; the properties that need it are then skipped,
// or look at less.
type Subject struct {
	// Uploader is the client. Give it small waits between attempts
	// (upload.Retry{MaxWait: time.Millisecond}): many properties make it repeat.
	Uploader upload.Uploader

	// Server is where the client sends its requests: faults go there.
	Server *Server

	// Stored opens what is held under an id that Uploader returned, and says
	// its media type; an id under which nothing is held is an error.
	Stored func(ctx context.Context, id string) (content io.ReadCloser, contentType string, err error)

	// Count is how many files are held in all.
	Count func() int

	// Once are the operations (by operationId) that the client sends only once,
	// since a duplicate would do harm: of these a failure that might pass is an
	// error of its kind after one request. A 429 says that nothing was done, and
	// is survived all the same.
	Once []string

	// Secrets are the client's credentials, which no error may show.
	Secrets []string
}

// Run checks a client against the one sentence that all clients have to keep:
// what was handed over is, byte for byte, what is stored under the returned id,
// with its name and media type, and every failure of the other side comes out
// as the error of its kind. Each property is a subtest of its own, with a
// subject of its own from setup; go test -run and -skip choose among them.
// Each failure is one line that says which rule was broken.
//
// Where t is no *testing.T, the properties run on t itself, one after another.
func Run(t testing.TB, setup func(testing.TB) Subject) {
	t.Helper()
	for _, p := range properties {
		within(t, p.name, func(t testing.TB) { p.check(begin(t, setup)) })
	}
}

type property struct {
	name  string
	check func(*trial)
}

var properties = []property{
	{"bytes arrive unchanged", bytesArrive},
	{"names arrive without directories", namesArrive},
	{"media types arrive unchanged", mediaTypesArrive},
	{"each upload has its own id", idsDiffer},
	{"uploads run at once", uploadsAtOnce},
	{"progress ends at the size", progressEnds},
	{"a stream that can be read once", readOnce},
	{"a source that is not its size", sizeIsPinned},
	{"a source that fails", sourceFails},
	{"a canceled context", cancelBefore},
	{"cancel while the body is sent", cancelInBody},
	{"cancel while the answer is awaited", cancelInAnswer},
	{"answers are errors of their kind", kindsHold},
	{"answers that cannot be used", unusable},
	{"an early refusal arrives", earlyRefusal},
	{"a passing fault is survived", faultsPass},
	{"a lasting fault is an error", faultsLast},
	{"secrets stay inside", secretsStay},
}

// trial is one property under check.
type trial struct {
	testing.TB
	Subject
	setup func(testing.TB) Subject
}

func begin(t testing.TB, setup func(testing.TB) Subject) *trial {
	t.Helper()
	s := setup(t)
	if s.Uploader == nil {
		t.Fatal("uploadtest: the subject has no Uploader")
	}
	return &trial{TB: t, Subject: s, setup: setup}
}

// fresh runs a case of the property on a subject of its own.
func (t *trial) fresh(name string, check func(*trial)) {
	within(t.TB, name, func(tb testing.TB) { check(begin(tb, t.setup)) })
}

// within runs f as a subtest where t has such.
func within(t testing.TB, name string, f func(testing.TB)) {
	if parent, ok := t.(interface {
		Run(string, func(*testing.T)) bool
	}); ok {
		parent.Run(name, func(t *testing.T) { f(t) })
		return
	}
	f(t)
}

// needsServer skips what cannot be checked without one.
func (t *trial) needsServer() bool {
	if t.Server != nil {
		return true
	}
	if _, ok := t.TB.(*testing.T); ok {
		t.Skip("the subject has no Server to inject faults into")
	}
	return false
}

// patience is how long an upload may take before it counts as stuck.
const patience = 30 * time.Second

// send uploads src and sees to its readers.
func (t *trial) send(ctx context.Context, what string, src *source) (upload.Result, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	res, err := t.Uploader.Upload(ctx, src.Source)
	if fault := src.fault(); fault != "" {
		t.Errorf("%s: readers: %s when Upload returned", what, fault)
	}
	return res, err
}

// arrives uploads src and compares all that came of it.
func (t *trial) arrives(what string, src *source) (upload.Result, bool) {
	t.Helper()
	before := t.count()
	res, err := t.send(t.Context(), what, src)
	if err != nil {
		t.Errorf("%s: upload: %v", what, err)
		return res, false
	}
	ok := t.describes(what, res, src.Source) && t.holds(what, res.ID, src) && t.traces(what, res.TraceID)
	if after := t.count(); ok && t.Count != nil && after != before+1 {
		t.Errorf("%s: count: %d files are stored, %d were before one upload", what, after, before)
		ok = false
	}
	return res, ok
}

// describes compares a result with what was handed over.
func (t *trial) describes(what string, res upload.Result, src upload.Source) bool {
	t.Helper()
	switch want := upload.BaseName(src.Name); {
	case res.ID == "":
		t.Errorf("%s: result: the ID is empty", what)
	case res.Size != src.Size:
		t.Errorf("%s: result: Size is %d, but %d bytes were handed over", what, res.Size, src.Size)
	case res.Name != want:
		t.Errorf("%s: result: Name is %q, want %q", what, res.Name, want)
	default:
		return true
	}
	return false
}

// traces compares a trace id with the one of the last answer that an operation of the
// spec gave, where it declares such: a failed presigned step goes by the API's.
func (t *trial) traces(what, id string) bool {
	t.Helper()
	if t.Server == nil {
		return true
	}
	want, name := "", t.Server.contract.TraceHeader
	for _, r := range t.Server.Requests() {
		if r.Op != Presigned && r.Op != Token && r.AnswerHeader.Get(name) != "" {
			want = r.AnswerHeader.Get(name)
		}
	}
	if want == "" || id == want {
		return true
	}
	t.Errorf("%s: trace id: %q, but the API's answer said %q", what, id, want)
	return false
}

// holds compares what is stored under id with src.
func (t *trial) holds(what, id string, src *source) bool {
	t.Helper()
	if t.Stored == nil {
		return true
	}
	content, contentType, err := t.Stored(t.Context(), id)
	if err != nil {
		t.Errorf("%s: stored: nothing under the returned id: %v", what, err)
		return false
	}
	defer content.Close()
	got, err := io.ReadAll(io.LimitReader(content, src.Size+1))
	want := src.ContentType
	if want == "" {
		want = upload.OctetStream
	}
	switch {
	case err != nil:
		t.Errorf("%s: stored: what is stored cannot be read: %v", what, err)
	case !bytes.Equal(got, src.content):
		t.Errorf("%s: stored: %s", what, difference(got, src.content))
	case contentType != want:
		t.Errorf("%s: stored: the media type is %q, want %q", what, contentType, want)
	default:
		return true
	}
	return false
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

// storesNothing runs f, an upload that fails, and looks for what it left.
func (t *trial) storesNothing(what string, f func()) {
	t.Helper()
	before, seen := t.count(), 0
	if t.Server != nil {
		seen = len(t.Server.Requests())
	}
	f()
	if t.Server != nil {
		t.Server.quiet()
		if t.Stored != nil {
			for _, r := range t.Server.Requests()[seen:] {
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

// fails sees that err is a failure as clients report it, of the given kind.
func (t *trial) fails(what string, err, kind error) (failure *upload.Error, ok bool) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: error: none, want %q", what, kind)
		return nil, false
	}
	t.tellsNothing(what, err)
	if !errors.As(err, &failure) {
		t.Errorf("%s: error: of type %T, want *upload.Error: %v", what, err, err)
		return nil, false
	}
	if !errors.Is(err, kind) {
		t.Errorf("%s: error: not of the kind %q: %v", what, kind, err)
		return failure, false
	}
	for _, other := range kinds {
		if other != kind && errors.Is(err, other) && isKind(kind) {
			t.Errorf("%s: error: of the kind %q, but of the kind %q too: %v", what, kind, other, err)
			return failure, false
		}
	}
	return failure, true
}

// kinds exclude one another. [upload.ErrNotReplayable] is not among them: it comes beside another.
var kinds = []error{
	upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound,
	upload.ErrTooLarge, upload.ErrRateLimited, upload.ErrUnavailable, upload.ErrExpired,
}

func isKind(err error) bool {
	for _, k := range kinds {
		if k == err {
			return true
		}
	}
	return false
}

// tellsNothing looks for secrets in everything that can be printed of v.
func (t *trial) tellsNothing(what string, v any) {
	t.Helper()
	secrets := t.Secrets
	if t.Server != nil {
		secrets = append(secrets[:len(secrets):len(secrets)], t.Server.contract.Secrets()...)
	}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed[verb] = fmt.Sprintf(verb, v)
	}
	if b, err := json.Marshal(v); err == nil {
		printed["JSON"] = string(b)
	}
	for e, ok := v.(error); ok && e != nil; e = errors.Unwrap(e) {
		printed["an error of its chain"] += e.Error() + "\n"
	}
	for how, text := range printed {
		for _, secret := range secrets {
			if secret != "" && (strings.Contains(text, secret) || strings.Contains(text, url.QueryEscape(secret))) {
				t.Errorf("%s: secrets: %T printed by %s shows a credential or a presigned query", what, v, how)
				return
			}
		}
	}
}
