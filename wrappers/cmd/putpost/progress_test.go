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

func TestTheStatusLineIsTrueAtEveryWidth(t *testing.T) {
	var n tally
	n.expect(2000, 1<<20)
	n.doneFiles.Store(500)
	n.doneBytes.Store(500 << 20)
	n.inFlight.Store(4)
	var m meter
	at := time.Now()
	m.sample(at, 0)
	m.sample(at.Add(10*time.Second), 100<<20)
	for columns := range 201 {
		line := n.line(&m, columns)
		if len(line) > max(0, columns-1) {
			t.Errorf("%d columns: %q has %d", columns, line, len(line))
		}
		if bar := strings.Count(line, "#") + strings.Count(line, "-"); columns >= 40 &&
			(bar < leastBar || strings.Count(line, "#") != bar/4) {
			t.Errorf("%d columns: the bar of a quarter is %q", columns, line)
		}
	}
	for columns, want := range map[int]string{
		40: "500/2000 [#####-----------------] 2m30s",
		80: "500 of 2000 files, 500.0 MiB of 2.0 GiB [###-----------] 10.0 MiB/s, 2m30s left",
		200: "500 of 2000 files, 500.0 MiB of 2.0 GiB [##########------------------------------] 10.0 " +
			"MiB/s, 2m30s left",
	} {
		if got := n.line(&m, columns); got != want {
			t.Errorf("%d columns: got %q, want %q", columns, got, want)
		}
	}
	m.rate = 0.001
	if got := n.line(&m, 200); strings.Contains(got, "left") {
		t.Errorf("nobody knows when: %q", got)
	}
	m.rate = 100 << 10
	if got := n.line(&m, 200); !strings.Contains(got, "4h16m left") {
		t.Errorf("hours: %q", got)
	}
	n.waiting.Store(4)
	if got := n.line(&m, 200); !strings.HasSuffix(got, "] waiting for the status of 4 files") {
		t.Errorf("all wait: %q", got)
	}
	n.unknown.Store(1)
	for columns := range 201 {
		if line := n.line(&m, columns); len(line) > max(0, columns-1) || strings.ContainsAny(line, "#%") {
			t.Errorf("not whole, %d columns: %q", columns, line)
		}
	}
}

func TestProgressIsALineNowAndThenWhereThereIsNoTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stderr standintest.Log
		c := &output{err: &stderr}
		var n tally
		n.expect(3, 10<<20)
		n.unknown.Store(1)
		done := c.watch(&n, environ(nil), func() {})
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

func readHalf(t *testing.T, src upload.Source) {
	t.Helper()
	r, err := src.Open()
	must(t, err)
	defer r.Close()
	if n, err := r.Read(make([]byte, src.Size/2)); err != nil || int64(n) != src.Size/2 {
		t.Fatal(n, err)
	}
}

func TestAFailedFileCountsNeitherAsSentNorAsLeft(t *testing.T) {
	var n tally
	n.expect(2, 100)
	failing, fail := n.begin(upload.Bytes("a", make([]byte, 100)))
	readHalf(t, failing)
	readHalf(t, failing) // another attempt starts at zero
	if got, want := n.amount(), "0 of 2 files, 50 bytes of 200 bytes"; got != want {
		t.Errorf("under way: got %q, want %q", got, want)
	}
	fail(errors.New("refused"))
	_, end := n.begin(upload.Bytes("b", make([]byte, 100)))
	end(nil) // even if nothing was read
	if n.answering.Load() != 0 {
		t.Errorf("%d still wait for the answer", n.answering.Load())
	}
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
	for range 10 {
		sample(total)
	}
	if m.rate != 0 || len(m.samples) > 12 {
		t.Errorf("ten seconds later the rate is %v, by %d samples", m.rate, len(m.samples))
	}
}
