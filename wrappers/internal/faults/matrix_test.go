package faults

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/putpost/putpost/wrappers/upload"
)

// row is one fault. Each place that it names is tried on its own.
type row struct {
	name  string
	at    []place
	fault fault        // spoils the requests of that place
	set   func(l *lab) // changes the lab before its servers start
	late  func(l *lab) // changes it after they have started
	last  bool         // the client cannot upload afterwards
	// call stands in place of one Upload of the lab's source.
	call  func(context.Context, *lab, upload.Uploader) (upload.Result, error)
	want  want
	check func(l *lab, res upload.Result, err error) // checks other promises
}

// want is the outcome of a row. The zero value is success at the first attempt.
type want struct {
	kinds   []error  // the error is of these kinds and of no others; the context's errors count as kinds
	op      place    // of the error, where it is another place's
	status  int      // of the error
	says    []string // what the error's text holds
	tries   int      // the error's Attempts; of a success, the requests received
	reached int      // the requests received at the place, where they are not tries; see none and some
	starts  int      // fileUpload requests of a presigned fault, where they are not 1
	stored  bool     // the file is there, whole
	noTrace bool     // the API's answer has no trace id
}

// none is the want.reached of a row in which no request reaches the server.
// Some allows any number up to the attempts: it depends on how much the
// transport writes at once.
const (
	none = -1
	some = -2
)

// closedSet lists every error by which callers recognise a failure.
var closedSet = []error{
	upload.ErrInvalid, upload.ErrUnauthorized, upload.ErrForbidden, upload.ErrNotFound, upload.ErrTooLarge,
	upload.ErrRateLimited, upload.ErrUnavailable, upload.ErrExpired, upload.ErrNotReplayable,
	context.Canceled, context.DeadlineExceeded,
}

func kinds(k ...error) []error { return k }

var unavailable = kinds(upload.ErrUnavailable)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http says there what broken servers sent it
	os.Exit(m.Run())
}

// runAll runs rows one after another, to find out which row left a goroutine.
func runAll(t *testing.T, rows []row) {
	for _, r := range rows {
		for _, at := range r.at {
			t.Run(r.name+"/"+string(at), func(t *testing.T) {
				before := goleak.IgnoreCurrent()
				t.Cleanup(func() { goleak.VerifyNone(t, before) }) // after the server has ended
				r.run(t, at)
			})
		}
	}
}

// runTogether runs rows that wait in real time, all at once.
func runTogether(t *testing.T, rows []row) {
	before := goleak.IgnoreCurrent()
	var wg sync.WaitGroup
	for _, r := range rows {
		for _, at := range r.at {
			wg.Go(func() {
				t.Run(r.name+"/"+string(at), func(t *testing.T) { r.run(t, at) })
			})
		}
	}
	wg.Wait()
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("testing.(*T).Run"))
}

func (r row) run(t *testing.T, at place) {
	l := newLab(t, at)
	l.fault = r.fault
	if r.set != nil {
		r.set(l)
	}
	ctx, stop := l.context()
	defer stop()
	l.start()
	defer l.end()
	if r.late != nil {
		r.late(l)
	}
	u := l.uploader()
	call := r.call
	if call == nil {
		call = func(ctx context.Context, l *lab, u upload.Uploader) (upload.Result, error) {
			return u.Upload(ctx, l.src)
		}
	}
	res, err := call(ctx, l, u)
	l.sent.settle(t)
	r.want.compare(l, err)
	if r.check != nil {
		r.check(l, res, err)
	}
	l.showsNoSecret(u, res, err)
	if err == nil && r.check == nil && (l.under(res.ID) != l.sent.whole || res.Size != int64(len(l.sent.whole))) {
		t.Errorf("the result is %+v, and %d bytes are stored under its id", res, len(l.under(res.ID)))
	}
	l.onlyWhole(r.want.stored)
	if !r.last {
		l.uploadsAgain(u)
	}
}

// under returns the bytes that are stored under id, or the error.
func (l *lab) under(id string) string {
	rc, _, err := l.standin.Open(l.t.Context(), id)
	if err != nil {
		return err.Error()
	}
	defer rc.Close()
	b, _ := io.ReadAll(rc)
	return string(b)
}

func (w want) compare(l *lab, err error) {
	l.t.Helper()
	if got := len(l.received(l.at)); got != w.requests() && !(w.reached == some && got <= w.tries) {
		l.t.Errorf("%d requests reached the server, want %d", got, w.requests())
	}
	if l.at == presigned {
		if got, want := len(l.received(fileUpload)), max(1, w.starts); got != want {
			l.t.Errorf("%d presigned URLs were asked for, want %d", got, want)
		}
	}
	for _, kind := range closedSet {
		want := slices.Contains(w.kinds, kind)
		if errors.Is(err, kind) != want {
			l.t.Errorf("the error is of the kind %q: %t, want %t", kind, !want, want)
		}
	}
	if (err != nil) != (len(w.kinds) > 0) {
		l.t.Errorf("got the error %v", err)
	}
	if l.t.Failed() {
		l.t.Logf("error: %v", err)
	}
	if err == nil {
		return
	}
	f, ok := err.(*upload.Error)
	if !ok {
		l.t.Errorf("the error is a %T, not an *upload.Error", err)
		return
	}
	trace := ""
	if l.at == presigned || w.op != "" || w.status != 0 && l.at != token {
		trace = l.trace()
	}
	if w.noTrace && l.at != presigned {
		trace = ""
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"Provider", f.Provider, l.at.provider()},
		{"Op", f.Op, string(cmp.Or(w.op, l.at))},
		{"Status", f.Status, w.status},
		{"Attempts", f.Attempts, w.tries},
		{"RetryAfter", f.RetryAfter, time.Duration(0)},
		{"TraceID", f.TraceID, trace},
	} {
		if c.got != c.want {
			l.t.Errorf("%s is %v, want %v (%v)", c.what, c.got, c.want, err)
		}
	}
	for _, s := range w.says {
		if !strings.Contains(err.Error(), s) {
			l.t.Errorf("the error does not say %q: %v", s, err)
		}
	}
}

// requests returns how many requests must have arrived.
func (w want) requests() int {
	switch {
	case w.reached == none:
		return 0
	case w.reached > 0:
		return w.reached
	case len(w.kinds) == 0:
		return max(1, w.tries)
	}
	return w.tries
}

// onlyWhole checks that every stored file is whole.
func (l *lab) onlyWhole(want bool) {
	l.t.Helper()
	n := 0
	for f, err := range l.standin.Files(l.t.Context()) {
		n++
		if b := l.under(f.ID); err != nil || b != l.sent.whole {
			l.t.Errorf("%q has %d bytes that are not the whole file (%v)", f.ID, len(b), err)
		}
	}
	if got := n > 0; got != want {
		l.t.Errorf("something was stored: %t, want %t", got, want)
	}
}

// uploadsAgain uploads one more file with the same client, without a fault.
func (l *lab) uploadsAgain(u upload.Uploader) {
	l.t.Helper()
	if l.inject != nil {
		l.inject.Remove()
	}
	fresh := &lab{t: l.t}
	fresh.send(upload.Bytes("next.txt", []byte("the next file")))
	ctx, stop := context.WithTimeout(l.t.Context(), time.Minute)
	defer stop()
	res, err := u.Upload(ctx, fresh.src)
	if err != nil {
		l.t.Errorf("the next upload fails: %v", err)
	} else if l.under(res.ID) != fresh.sent.whole {
		l.t.Errorf("the next upload does not arrive: %v", res)
	}
	fresh.sent.settle(l.t)
}
