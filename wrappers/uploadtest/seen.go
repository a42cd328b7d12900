package uploadtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Aspects are what a property can look at.
const (
	aResult     = "result"
	aContent    = "content"
	aID         = "id"
	aName       = "name"
	aMediaType  = "media type"
	aTrace      = "trace id"
	aProgress   = "progress"
	aFailure    = "failure"
	aRepeat     = "repeat"
	aWait       = "wait"
	aCredential = "credential"
	aPresigned  = "presigned step"
	aSecret     = "secret"
	aRedirect   = "redirect"
	aGoroutine  = "goroutines"
)

// seen counts what was looked at. A check that looked at nothing has held
// nothing, and must not pass for one that did.
type seen struct {
	mu    sync.Mutex
	count map[string]int
	leaky atomic.Bool // a reader was left open

	failed atomic.Bool // an upload without a fault did not come out right
}

func (s *seen) note(aspects ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[string]int{}
	}
	for _, aspect := range aspects {
		s.count[aspect]++
	}
}

func (s *seen) has(aspect string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[aspect] > 0
}

// String lists the aspects and how often each was looked at.
func (s *seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var words []string
	for _, aspect := range slices.Sorted(maps.Keys(s.count)) {
		words = append(words, fmt.Sprintf("%s %dx", aspect, s.count[aspect]))
	}
	return strings.Join(words, ", ")
}

// told remembers what was reported, so that it is reported once.
type told struct{ keys sync.Map }

func (t *told) first(key string) bool {
	_, again := t.keys.LoadOrStore(key, true)
	return !again
}

func (t *told) nothing() bool {
	for range t.keys.Range {
		return false
	}
	return true
}
