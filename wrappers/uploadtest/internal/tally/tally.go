// Package tally counts what was looked at, and remembers what was reported.
package tally

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Seen counts what was looked at. A check that looked at nothing has held
// nothing, and must not pass for one that did.
type Seen struct {
	mu    sync.Mutex
	count map[string]int
	blind string

	Failed    atomic.Bool // an upload without a fault did not come out right
	Scattered atomic.Bool // a file came in parts, and no request said where its part belongs
}

// Note counts aspects that were looked at.
func (s *Seen) Note(aspects ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[string]int{}
	}
	for _, aspect := range aspects {
		s.count[aspect]++
	}
}

// Missed notes why something could not be looked at.
func (s *Seen) Missed(why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blind = why
}

// Blind returns what was last noted of that, or empty.
func (s *Seen) Blind() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blind
}

// Has reports whether an aspect was looked at.
func (s *Seen) Has(aspect string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[aspect] > 0
}

// String lists the aspects and how often each was looked at.
func (s *Seen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var words []string
	for _, aspect := range slices.Sorted(maps.Keys(s.count)) {
		words = append(words, fmt.Sprintf("%s %dx", aspect, s.count[aspect]))
	}
	return strings.Join(words, ", ")
}

// Told remembers what was reported, so that it is reported once.
type Told struct {
	keys  sync.Map
	mu    sync.Mutex
	again map[string][]string // by key: the cases after the first
	Leaky atomic.Bool         // a reader was left open
}

// First reports whether a key comes for the first time.
func (t *Told) First(key string) bool {
	_, again := t.keys.LoadOrStore(key, true)
	return !again
}

// Also notes another case of a key that came before.
func (t *Told) Also(key, where string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.again == nil {
		t.again = map[string][]string{}
	}
	t.again[key] = append(t.again[key], where)
}

// Again returns a line for each key that came again: how often, and where
// first.
func (t *Told) Again() (lines []string) {
	const most = 5
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(t.again)) {
		cases := t.again[key]
		n := fmt.Sprintf("%d more cases", len(cases))
		if len(cases) == 1 {
			n = "one more case"
		}
		names := slices.Compact(slices.Clone(cases))
		if len(names) > most {
			names = append(names[:most], "...")
		}
		lines = append(lines, fmt.Sprintf("%s: so in %s: %s", key, n, strings.Join(names, ", ")))
	}
	return lines
}

// values matches what differs between lines of one rule: what is quoted, and
// words with a digit, such as ids.
var values = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|[\w-]*\d[\w-]*`)

// Rule returns a line without its values.
func Rule(line string) string { return values.ReplaceAllString(line, "...") }

// Nothing reports whether no key has come.
func (t *Told) Nothing() bool {
	for range t.keys.Range {
		return false
	}
	return true
}
