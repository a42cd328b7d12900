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

	mu   sync.Mutex
	held *T
	call *sharedCall[T]
}

// sharedCall is one call for the value, on the goroutine of the caller that
// came first. The others wait for it.
type sharedCall[T any] struct {
	done      chan struct{}
	value     *T
	err       error
	abandoned bool // the context of the caller that made it ended
}

// Get returns the value if it is valid. Otherwise it waits for one call of
// fetch: its own, or one that another caller has begun.
func (s *Shared[T]) Get(ctx context.Context, fetch func(context.Context) (T, error)) (value T, err error) {
	for {
		if s.Life != nil && s.Life.Err() != nil {
			return value, ended(s.Life, nil)
		}
		s.mu.Lock()
		if s.held != nil && s.Valid(*s.held) {
			defer s.mu.Unlock()
			return *s.held, nil
		}
		c, mine := s.call, false
		if c == nil {
			c, mine = &sharedCall[T]{done: make(chan struct{})}, true
			s.call = c
		}
		s.mu.Unlock()
		if mine {
			s.fetch(ctx, c, fetch)
		} else {
			select {
			case <-ctx.Done():
				return value, ended(ctx, nil)
			case <-c.done:
			}
			if c.abandoned {
				continue // that is no failure of fetch, so another caller tries
			}
		}
		if c.err == nil {
			value = *c.value
		}
		return value, c.err
	}
}

func (s *Shared[T]) fetch(caller context.Context, c *sharedCall[T], fetch func(context.Context) (T, error)) {
	ctx, cancel := context.WithCancel(caller)
	defer cancel()
	if s.Life != nil {
		defer context.AfterFunc(s.Life, cancel)()
	}
	defer func() { // also when fetch panics: the others must not wait for ever
		s.mu.Lock()
		defer s.mu.Unlock()
		c.abandoned = c.value == nil && (c.err == nil || caller.Err() != nil && !lasting(context.Cause(caller)))
		if c.value != nil {
			s.held = c.value
		}
		s.call = nil
		close(c.done)
	}()
	value, err := fetch(ctx)
	if c.err = err; err == nil {
		c.value = &value
	}
}

// Drop forgets the value if refused returns true for it. A value that has
// already replaced the refused one stays.
func (s *Shared[T]) Drop(refused func(T) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil && refused(*s.held) {
		s.held = nil
	}
}

// Format prints nothing of the value, whatever the verb.
func (*Shared[T]) Format(s fmt.State, _ rune) { io.WriteString(s, "wire.Shared"+Redacted) }
