package uploadtest

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/tally"
)

// trial is one property under check.
type trial struct {
	testing.TB
	Subject
	setup func(testing.TB) Subject
	seen  *tally.Seen
	told  *tally.Told // in this property
	run   *tally.Told // in all properties
	what  string      // the case that is looked at: each line begins with it
	made  int         // requests of the setup, such as for a token
	ended time.Time   // when the last upload returned; the kit may wait after that
}

func begin(t testing.TB, setup func(testing.TB) Subject) *trial {
	t.Helper()
	s := setup(t)
	if s.Uploader == nil {
		t.Fatal("uploadtest: the subject has no Uploader")
	}
	it := trialOf(t, s)
	it.setup, it.made = setup, len(it.requests())
	return it
}

func trialOf(t testing.TB, s Subject) *trial {
	return &trial{TB: t, Subject: s, seen: &tally.Seen{}, told: &tally.Told{}, run: &tally.Told{}}
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
		it.seen, it.told, it.run, it.what = t.seen, t.told, t.run, t.what
		check(it)
	})
}

// each runs a case for each of some operations. Format names the case, with the
// operation in it.
func (t *trial) each(ops []string, format string, check func(t *trial, op string)) {
	for _, op := range ops {
		t.about(format, op).fresh(func(t *trial) { check(t, op) })
	}
}

// broke reports a broken rule in one line, with no secret in its errors. In
// other cases of the property the rule is counted. Broke reports whether this is
// the first case.
func (t *trial) broke(format string, args ...any) (first bool) {
	t.Helper()
	for i, arg := range args {
		if err, ok := arg.(error); ok {
			args[i] = t.masked(err)
		}
	}
	return t.tell(t.told, fmt.Sprintf(format, args...))
}

// tell reports a line. If its rule was told before, it is counted.
func (t *trial) tell(told *tally.Told, line string) (first bool) {
	t.Helper()
	rule := tally.Rule(line)
	if first = told.First(rule); first {
		t.Errorf("%s: %s", t.what, line)
	} else {
		told.Also(rule, t.what)
		t.Fail()
	}
	return first
}

const (
	patience = 30 * time.Second // how long an upload may take before it counts as stuck
	prompt   = 5 * time.Second  // how long it may go on after its context has ended
	stuck    = patience + prompt
	closing  = time.Second // how long it may take to end a wait, or to close a reader
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
	done, panicked, stack, logged := make(chan struct{}), any(nil), []byte(nil), listen()
	defer logged() // also where the test ends here
	go func() {
		defer close(done)
		defer func() { panicked, stack = recover(), debug.Stack() }()
		res, err = t.Uploader.Upload(ctx, src.Source)
	}()
	select {
	case <-done:
		t.ended = time.Now()
	case <-time.After(stuck):
		t.Fatalf("%s: upload: it has not returned after %v, and its context has ended", t.what, stuck)
	}
	if text := logged(); text != "" && shows(text, t.hidden()) {
		t.tell(t.run, "secrets: a line of package log shows a credential or a presigned query")
	}
	if panicked != nil {
		if t.broke("upload: it panicked: %v", panicked) {
			t.Logf("%s", stack)
		}
		t.FailNow()
	}
	if fault := t.readersOf(src); fault != "" {
		t.tell(t.run, "readers: "+fault)
	}
	return res, err
}

// readersOf says what was done wrong with the readers of src. Net/http may
// close a reader a moment after the answer is there.
func (t *trial) readersOf(src *source) string {
	for end := time.Now().Add(closing); src.open() > 0 && !t.run.Leaky.Load(); time.Sleep(time.Millisecond) {
		t.run.Leaky.Store(time.Now().After(end)) // waited for once, it need not be again
	}
	return src.fault(t.plain())
}

// requests returns the requests that the Server received of uploads. Without a
// Server there are none.
func (t *trial) requests() []Request {
	if t.Server == nil {
		return nil
	}
	return t.Server.Requests()[t.made:]
}

// of returns the requests of an operation.
func (t *trial) of(op string) []Request {
	return slices.DeleteFunc(t.requests(), func(r Request) bool { return r.Op != op })
}

func (t *trial) count() int {
	if t.Count == nil {
		return 0
	}
	return t.Count()
}

// operations are those that an upload needs, found by making one. Without a
// Server there are none.
func (t *trial) operations() []string {
	t.Helper()
	if t.Server == nil {
		return nil
	}
	t.about("an upload without a fault").arrives(file(100))
	return opsOf(t.requests())
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

// once reports whether an operation is sent only once after a status. Status 0
// stands for no answer at all.
func (t *trial) once(op string, status int) bool {
	return slices.Contains(t.Once, op) && status != http.StatusTooManyRequests
}
