package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/upload"
)

// must fails the test if err is not nil.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// file makes a file with the content and returns its path.
func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a")
	must(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

func TestAFileIsTheSameBySizeAndTimesOrElseByItsBytes(t *testing.T) {
	path := file(t, "1234")
	const sum = "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4" // of 1234
	at := time.Now()
	later := at.Add(time.Minute)
	sent := Fingerprint{Size: 4, Modified: at, Changed: at, SHA256: "not looked at", Noted: later}
	second := at.Truncate(time.Second) // like a file system with whole seconds
	for name, tc := range map[string]struct {
		sent, now Fingerprint
		want      bool
	}{
		"all agrees":   {sent, sent, true},
		"another size": {sent, Fingerprint{Size: 5, Modified: at, Changed: at}, false},
		"another time": {sent, Fingerprint{Size: 4, Modified: at.Add(1), Changed: at}, false},
		"another change, as sent": {Fingerprint{Size: 4, Modified: at, Changed: at, SHA256: sum},
			Fingerprint{Size: 4, Modified: at, Changed: at.Add(1)}, true},
		"another change, not so": {sent, Fingerprint{Size: 4, Modified: at, Changed: at.Add(1)}, false},
		"another change, not known": {Fingerprint{Size: 4, Modified: at},
			Fingerprint{Size: 4, Modified: at, Changed: at},
			false},
		"noted at once, as sent": {Fingerprint{Size: 4, Modified: at, Changed: at, SHA256: sum, Noted: at}, sent, true},
		"noted at once, not so": {Fingerprint{Size: 4, Modified: at, Changed: at, Noted: at.Add(tick - 1)}, sent,
			false},
		"noted a tick later": {Fingerprint{Size: 4, Modified: at, Changed: at, Noted: at.Add(tick)}, sent, true},
		"noted before, by its clock": {Fingerprint{Size: 4, Modified: at, Changed: at, Noted: at.Add(-time.Hour)}, sent,
			false},
		"changed just now": {Fingerprint{Size: 4, Modified: at, Changed: later, Noted: later},
			Fingerprint{Size: 4, Modified: at, Changed: later}, false},
		"in the same second": {Fingerprint{Size: 4, Modified: second, Changed: second,
			Noted: second.Add(900 * time.Millisecond)}, Fingerprint{Size: 4, Modified: second, Changed: second}, false},
		"whole seconds, long ago": {Fingerprint{Size: 4, Modified: second, Changed: second,
			Noted: second.Add(coarseTick)}, Fingerprint{Size: 4, Modified: second, Changed: second}, true},
		"not noted when": {Fingerprint{Size: 4, Modified: at, Changed: at}, sent, false},
	} {
		if got, err := tc.sent.Same(t.Context(), path, tc.now); got != tc.want || err != nil {
			t.Errorf("%s: got %t, %v, want %t", name, got, err, tc.want)
		}
	}
	if _, err := sent.Same(t.Context(), "missing", Fingerprint{Size: 4, Modified: at, Changed: later}); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("a file that cannot be read: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sumFile(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: got %v", err)
	}
}

func TestASumIsOfTheWholeFile(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 40_000) // several reads
	path := file(t, string(content))
	want := sha256.Sum256(content)
	if got, err := sumFile(t.Context(), path); err != nil || got != hex.EncodeToString(want[:]) {
		t.Errorf("got %s and %v, want %x", got, err, want)
	}
}

func TestAFingerprintHasNoTimeThatJSONCannotHold(t *testing.T) {
	for year, holds := range map[int]bool{-1: false, 0: true, 1969: true, 9999: true, 10000: false, 12026: false} {
		at := time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)
		if got := JSONTime(at); got.Equal(at) != holds || got.IsZero() == holds {
			t.Errorf("%v became %v", at, got)
		}
		if _, err := JSONTime(at).MarshalJSON(); err != nil {
			t.Errorf("%v: %v", at, err)
		}
	}
	if at := time.Now(); !JSONTime(at).Equal(at) {
		t.Errorf("a time of today became %v", JSONTime(at))
	}
}

func TestOnlyWholeReadsHaveASum(t *testing.T) {
	src, sum := Summed(upload.Bytes("a", []byte("1234")))
	if sum() != "" {
		t.Error("there is a sum before anything was read")
	}
	half, err := src.Open()
	must(t, err)
	defer half.Close()
	half.Read(make([]byte, 2))
	if got := sum(); got != "" {
		t.Errorf("half of it has the sum %s", got)
	}
	whole, err := src.Open()
	must(t, err)
	defer whole.Close()
	whole.Read(make([]byte, 1))
	whole.Read(make([]byte, 3))
	half.Read(make([]byte, 2)) // an abandoned attempt still reads
	if got, want := sum(), "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
