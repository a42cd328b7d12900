package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

func TestSizesAreReadWithUnits(t *testing.T) {
	for text, want := range map[string]byteSize{
		"0": 0, "1048576": 1 << 20, "12B": 12, "10MB": 10_000_000, "10MiB": 10 << 20, "10 MiB": 10 << 20,
		"1kB": 1000, "1KB": 1000, "1KiB": 1024, "1.5GiB": 3 << 29, "2GB": 2_000_000_000, "1TiB": 1 << 40, "1TB": 1e12,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, int64(got), err, int64(want))
		}
	}
	for _, text := range []string{"", "MB", "10M", "-1", "-1MB", "1.5", "1e99", "9999999TiB", "NaN", "Inf", "0x10",
		"1_000", "10 XB", "ten"} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %d", text, int64(got))
		}
	}
}

func TestSizesAreShown(t *testing.T) {
	for size, want := range map[byteSize]string{
		0: "0 bytes", 999: "999 bytes", 1000: "1.0 KiB", 1 << 20: "1.0 MiB", 36_175_872: "34.5 MiB", 5 << 30: "5.0 GiB",
		3 << 40: "3.0 TiB", 5000 << 40: "5000.0 TiB",
	} {
		if got := size.String(); got != want {
			t.Errorf("%d: got %q, want %q", int64(size), got, want)
		}
	}
}

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
		40:  "500/2000 [#####-----------------] 2m30s",
		80:  "500 of 2000 files, 500.0 MiB of 2.0 GiB [###-----------] 10.0 MiB/s, 2m30s left",
		200: "500 of 2000 files, 500.0 MiB of 2.0 GiB [##########------------------------------] 10.0 MiB/s, 2m30s left",
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

// An interrupt ends the count of the files, and the answers still take a while.
func TestAFileThatIsAllSentWaitsForTheAnswer(t *testing.T) {
	var n tally
	n.unknown.Store(1)
	src, done := n.begin(upload.Bytes("a", []byte("abc")))
	body, err := src.Open()
	if err != nil {
		t.Fatal(err)
	}
	if held := n.held(); held != "" {
		t.Errorf("before the first byte: %q", held)
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		t.Fatal(err)
	}
	body.Close()
	if held := n.held(); held != "waiting for the answer" {
		t.Errorf("after the last byte: %q", held)
	}
	done(nil)
	if held := n.held(); held != "" || n.answering.Load() != 0 {
		t.Errorf("after the answer: %q, %d", held, n.answering.Load())
	}
}
