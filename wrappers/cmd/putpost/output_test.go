package main

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/upload"
)

func TestProgressIsALineNowAndThenWhereThereIsNoTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr standintest.Log
		c := &output{err: &stderr}
		var n tally
		n.expect(3, 10<<20)
		n.unknown.Store(1)
		done := c.watch(&n, noEnvironment, func() {})
		src, end := n.begin(upload.Bytes("a", make([]byte, 10<<20)))
		readHalf(t, src)
		time.Sleep(15 * time.Second)
		n.unknown.Store(0)
		end(nil)
		time.Sleep(10 * time.Second)
		done()
		time.Sleep(time.Minute)
		want := "putpost: 0 files, 5.0 MiB, 512.0 KiB/s\n" +
			"putpost: 1 of 3 files, 10.0 MiB of 30.0 MiB, 512.0 KiB/s, 40s left\n"
		if got := stderr.String(); got != want {
			t.Errorf("got:\n%swant:\n%s", got, want)
		}
	})
}

func noEnvironment(string) string { return "" }

func readHalf(t *testing.T, src upload.Source) {
	t.Helper()
	r, err := src.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := r.Read(make([]byte, src.Size/2)); err != nil || int64(n) != src.Size/2 {
		t.Fatal(n, err)
	}
}

func TestWhatFailsIsNeitherSentNorLeft(t *testing.T) {
	var n tally
	n.expect(2, 100)
	failing, fail := n.begin(upload.Bytes("a", make([]byte, 100)))
	readHalf(t, failing)
	readHalf(t, failing) // another attempt starts over
	if got, want := n.amount(), "0 of 2 files, 50 bytes of 200 bytes"; got != want {
		t.Errorf("under way: got %q, want %q", got, want)
	}
	fail(errors.New("refused"))
	_, end := n.begin(upload.Bytes("b", make([]byte, 100)))
	end(nil) // also where nothing was read
	if got, want := n.amount(), "2 of 2 files, 100 bytes of 100 bytes"; got != want {
		t.Errorf("at the end: got %q, want %q", got, want)
	}
	if n.inFlight.Load() != 0 {
		t.Errorf("%d are still in flight", n.inFlight.Load())
	}
}

func TestTheRateFollowsWhatIsGoingOn(t *testing.T) {
	var m meter
	at := time.Now()
	sample := func(bytes int64) float64 {
		m.sample(at, bytes)
		at = at.Add(time.Second)
		return m.rate
	}
	total := int64(0)
	sample(total)
	for range 60 {
		total += 1000
		if rate := sample(total); rate != 1000 {
			t.Fatalf("at an even pace the rate is %v", rate)
		}
	}
	for range 5 {
		sample(total)
	}
	if m.rate != 500 {
		t.Errorf("five seconds after the last byte the rate is %v", m.rate)
	}
	m.sample(at.Add(-time.Minute), total) // a clock that was set back
	if m.rate != 500 {
		t.Errorf("without time the rate became %v", m.rate)
	}
	for range 10 {
		sample(total)
	}
	if m.rate != 0 || len(m.samples) > 12 {
		t.Errorf("ten seconds later the rate is %v, by %d samples", m.rate, len(m.samples))
	}
}

func TestNotesAreOneLineAndLeaveTheTerminalAlone(t *testing.T) {
	var stderr strings.Builder
	c := &output{err: &stderr}
	c.note("%s: %v", shown("a\x1b[2Jb"), errors.New("two\nlines\x1b[2J"))
	if got, want := stderr.String(), "putpost: \"a\\x1b[2Jb\": two lines\\x1b[2J\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestControlAndBidirectionalCharactersAreShownAsEscapes(t *testing.T) {
	for s, want := range map[string]string{
		"plain":                     "plain",
		"보고서 é 📎 \ufffd":            "보고서 é 📎 \ufffd",
		"a\x1b[2J\x07\x7f\x9b":      `a\x1b[2J\x07\x7f\x9b`,
		"a\u0085\u009b\u2028\u2029": `a\u0085\u009b\u2028\u2029`,
		"a\u200e\u202e\u2066b":      `a\u200e\u202e\u2066b`,
		"a\tb\n":                    "a\tb\n",
	} {
		if got := visible(s, "\t\n"); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
	if got := visible("a\tb\n", ""); got != `a\x09b\x0a` {
		t.Errorf("got %q", got)
	}
}
