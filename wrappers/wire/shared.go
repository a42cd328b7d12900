package wire

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Shared keeps one value that costs a call, such as a token, for all who need
// it. However many callers ask at once, one call is made. A caller whose
// context ends waits no longer. If the call ends with it, another caller makes
// the next one, unless the cause of that context has a method Lasting that
// returns true: all who wait then fail with it. A failed call is tried again by
// the next to ask.
//
// It prints nothing of the value. It must not be copied after its first use.
type Shared[T any] struct {
	Life  context.Context // ends all that Shared does; nil means context.Background()
	Valid func(T) bool    // reports whether the value can still be used

	mu   sync.Mutex
	held *T
	call *sharedCall[T]
}

// sharedCall is one call for the value, made on the goroutine of the caller who
// came first; the others wait for it.
type sharedCall[T any] struct {
	done      chan struct{}
	value     *T
	err       error
	abandoned bool // it ended with the context of the caller who made it
}

// Get returns the value if it is valid, and otherwise waits for one call of
// fetch: its own, or another caller's that is under way.
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
				continue // that says nothing of the other side: the next one calls
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

// Drop forgets the value if refused says that it is the one that was refused.
// One that has been replaced already stays.
func (s *Shared[T]) Drop(refused func(T) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != nil && refused(*s.held) {
		s.held = nil
	}
}

// Format prints nothing of the value, whatever the verb.
func (*Shared[T]) Format(s fmt.State, _ rune) { io.WriteString(s, "wire.Shared"+Redacted) }
