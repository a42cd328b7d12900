package lab

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Logged is a test that keeps its log.
type Logged struct {
	testing.TB
	Text strings.Builder
}

func (l *Logged) Logf(format string, args ...any) { fmt.Fprintf(&l.Text, format+"\n", args...) }

// Named finds want among the lines that the kit reported, and sees that each
// report is one line.
func Named(t *testing.T, lines []string, want string) {
	t.Helper()
	found := false
	for _, line := range lines {
		found = found || strings.Contains(line, want)
		if strings.Contains(line, "\n") {
			t.Errorf("more than one line: %s", line)
		}
		if strings.Contains(line, DepotKey) {
			t.Errorf("the kit itself shows the credential: %s", line)
		}
	}
	if !found {
		t.Errorf("no line has %q in it:\n%s", want, strings.Join(lines, "\n"))
	}
}

// Blames sees that f, such as a Probe, reports want in one line, and ends its
// goroutine there. If want is empty, f must report nothing.
func Blames(t *testing.T, want string, f func(testing.TB)) {
	t.Helper()
	Matched(t, Recorded(t, f, want), want)
}

// Matched finds want among the lines that the kit reported. If want is empty,
// there must be no line.
func Matched(t *testing.T, lines []string, want string) {
	t.Helper()
	if want != "" {
		Named(t, lines, want)
	} else if len(lines) > 0 {
		t.Errorf("it was blamed: %q", lines)
	}
}

// Recorder is a test that notes its failures, up to the last that is asked for.
type Recorder struct {
	testing.TB
	Last     string
	mu       sync.Mutex
	Lines    []string
	cleanups []func()
}

// Recorded runs f on a recorder, to its end, and returns what it reported. A
// report that has last in it ends f, if that is given.
func Recorded(t testing.TB, f func(testing.TB), last ...string) []string {
	r := &Recorder{TB: t, Last: strings.Join(last, "")}
	done := make(chan struct{})
	go func() { // FailNow may end it
		defer close(done)
		f(r)
	}()
	<-done
	for _, clean := range r.cleanups {
		defer clean()
	}
	return r.Lines
}

func (r *Recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	if r.Lines = append(r.Lines, line); r.Last != "" && strings.Contains(line, r.Last) {
		runtime.Goexit()
	}
}

func (r *Recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }

// Fail notes nothing: what failed is told in a line of its own.
func (r *Recorder) Fail() {}

func (r *Recorder) FailNow() { runtime.Goexit() }

func (r *Recorder) Fatal(args ...any) { r.Error(args...); runtime.Goexit() }

func (r *Recorder) Fatalf(format string, args ...any) { r.Errorf(format, args...); runtime.Goexit() }

func (r *Recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *Recorder) Helper() {}
