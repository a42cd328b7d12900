package wire_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/wire"
)

// value is a Shared whose value is the number of the call that fetched it.
type value struct {
	wire.Shared[int]

	calls atomic.Int64
	fetch func(ctx context.Context, call int) error
}

// newValue returns a value that fetch makes valid, or not.
func newValue(fetch func(ctx context.Context, call int) error) *value {
	v := &value{fetch: fetch}
	v.Valid = func(int) bool { return true }
	return v
}

func (v *value) get(ctx context.Context) (int, error) {
	return v.Get(ctx, func(ctx context.Context) (int, error) {
		call := int(v.calls.Add(1))
		return call, v.fetch(ctx, call)
	})
}

// together has a hundred callers get v at once, and checks what each gets.
func (v *value) together(t *testing.T, want int, kind error) {
	t.Helper()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if got, err := v.get(t.Context()); got != want || !errors.Is(err, kind) {
				t.Errorf("got %d and %v, want %d and %v", got, err, want, kind)
			}
		})
	}
	all.Wait()
}

func second(context.Context, int) error { time.Sleep(time.Second); return nil }

// untilEnd is a fetch whose first call waits for the end of its context.
func untilEnd(ctx context.Context, call int) error {
	if call > 1 {
		return second(ctx, call)
	}
	<-ctx.Done()
	return ctx.Err()
}

func TestHundredCallersCostOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newValue(second)
		for range 2 { // the value is kept
			v.together(t, 1, nil)
		}
	})
}

func TestFailureOfAFetchIsSharedAndTheNextCallerTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		v := newValue(func(ctx context.Context, call int) error { second(ctx, call); return down })
		v.together(t, 0, down)
		if _, err := v.get(t.Context()); err != down || v.calls.Load() != 2 {
			t.Errorf("the next caller got %v after %d calls, want the second", err, v.calls.Load())
		}
	})
}

func TestCallerWhoseContextEndsDoesNotWaitForAnothersFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newValue(second)
		var first sync.WaitGroup
		first.Go(func() {
			if got, err := v.get(t.Context()); got != 1 || err != nil {
				t.Errorf("the caller who fetches was disturbed: %d, %v", got, err)
			}
		})
		synctest.Wait()
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, err := v.get(ctx)
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != 10*time.Millisecond {
			t.Errorf("%v after %s, want context.DeadlineExceeded after 10ms", err, took)
		}
		first.Wait()
	})
}

// errPassing and lasting are reasons why a caller stops.
var (
	errPassing = errors.New("the caller had enough")
	lasting    = lastingError{errors.New("the network stalls")}
)

type lastingError struct{ error }

func (lastingError) Lasting() bool { return true }

func TestAnotherFetchesWhereTheOneWhoFetchedIsCalledBack(t *testing.T) {
	for cause, tt := range map[error]struct {
		value int
		kind  error
	}{errPassing: {2, nil}, lasting: {0, context.Canceled}} {
		synctest.Test(t, func(t *testing.T) {
			v := newValue(untilEnd)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(cause) })
			var first sync.WaitGroup
			first.Go(func() {
				if _, err := v.get(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("the first got %v", err)
				}
			})
			synctest.Wait()
			v.together(t, tt.value, tt.kind)
			first.Wait()
		})
	}
}

func TestPanicOfAFetchLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newValue(func(ctx context.Context, call int) error {
			if second(ctx, call); call == 1 {
				panic("a fault")
			}
			return nil
		})
		var first sync.WaitGroup
		first.Go(func() {
			if p := caught(func() { _, _ = v.get(t.Context()) }); p != "a fault" {
				t.Errorf("recovered %v", p)
			}
		})
		synctest.Wait()
		v.together(t, 2, nil)
		first.Wait()
	})
}

func TestEndOfTheLifeEndsTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newValue(untilEnd)
		life, end := context.WithCancel(t.Context())
		v.Life = life
		time.AfterFunc(time.Second, end)
		begin := time.Now()
		for range 2 { // also after its life
			v.together(t, 0, context.Canceled)
		}
		if took := time.Since(begin); took != time.Second || v.calls.Load() != 1 {
			t.Errorf("callers returned after %s and %d calls, want 1s and one", took, v.calls.Load())
		}
	})
}

func TestRefusalOfAnOldValueKeepsTheNewOne(t *testing.T) {
	v := newValue(func(context.Context, int) error { return nil })
	for range 2 {
		_, _ = v.get(t.Context())
		v.Drop(func(n int) bool { return n == 1 })
	}
	if got, err := v.get(t.Context()); got != 2 || err != nil {
		t.Errorf("got %d and %v, want the second value", got, err)
	}
}
