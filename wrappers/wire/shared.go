package wire

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Shared keeps one value that costs a call, such as a token, for all callers.
// If many callers ask at once, one call is made, with the context of one of
// them. Each caller stops waiting when its own context ends. If that ends the
// call too, another caller makes the next call. But if the cause of that
// context has a method Lasting that returns true, all who wait fail with it.
// After a failed call, the next caller makes a new one.
//
// Printing it shows nothing of the value. It must not be copied after its first
// use.
type Shared[T any] struct {
	Life  context.Context // ends all that Shared does; nil means context.Background()
	Valid func(T) bool    // reports whether the value can still be used

	mu    sync.Mutex
	turn  chan struct{} // holds an element while a call is made
	calls int           // number of calls that have ended
	value T             // result of the last call
	err   error
	held  bool // value may still be valid
}

// Get returns the value if it is valid. Otherwise it waits for one call of
// fetch: its own, or one that another caller has begun.
func (s *Shared[T]) Get(ctx context.Context, fetch func(context.Context) (T, error)) (value T, err error) {
	if s.Life != nil && s.Life.Err() != nil {
		return value, ended(s.Life, nil)
	}
	s.mu.Lock()
	if s.held && s.Valid(s.value) {
		defer s.mu.Unlock()
		return s.value, nil
	}
	if s.turn == nil {
		s.turn = make(chan struct{}, 1)
	}
	calls := s.calls
	s.mu.Unlock()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }() // also when fetch panics: the others must not wait for ever
	case <-ctx.Done():
		return value, ended(ctx, nil)
	}
	s.mu.Lock()
	if s.calls != calls { // another caller's call has ended meanwhile
		defer s.mu.Unlock()
		return s.value, s.err
	}
	s.mu.Unlock()
	return s.fetch(ctx, fetch)
}

func (s *Shared[T]) fetch(caller context.Context, fetch func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	if s.Life != nil {
		defer context.AfterFunc(s.Life, cancel)()
	}
	value, err := fetch(ctx)
	if err != nil {
		value = *new(T)
	}
	if err != nil && caller.Err() != nil && !lasting(context.Cause(caller)) {
		return value, err // that is no failure of fetch, so another caller tries
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	s.value, s.err, s.held = value, err, err == nil
	return value, err
}

// Drop forgets the value if refused returns true for it. A value that has
// already replaced the refused one stays.
func (s *Shared[T]) Drop(refused func(T) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = s.held && !refused(s.value)
}

// Format prints nothing of the value, whatever the verb.
func (*Shared[T]) Format(s fmt.State, _ rune) { io.WriteString(s, "wire.Shared"+Redacted) }
