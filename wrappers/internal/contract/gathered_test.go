package contract

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// read reads a form that comes in pieces.
func read(body string, piece int, whole bool, w Watch) *form {
	f := newForm("b", w)
	for p := range slices.Chunk([]byte(body), piece) {
		f.write(p)
	}
	f.end(whole)
	f.finish()
	return f
}

// scraps are what random forms are made of.
var scraps = []string{"\r\n", "\r", "\n", "-", "--b", "--b\r\n", "\r\n--b", "\r\n--b--", "\r\n--b\r\n",
	"\r\n\r\n", "\n\n", "x", "b", ": ", `Content-Disposition: form-data; name="n"; filename="f"`,
	`Content-Disposition: form-data; name="n"`, "filename=",
	"\r\n--b\r\nContent-Disposition: form-data; name=n; filename=f\r\n\r\n", strings.Repeat("y", 3000)}

func TestAFormThatIsReadLaterIsReadAsOneThatIsReadAtOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 5_000 {
		body := "--b\r\n"
		for range random.IntN(12) {
			body += scraps[random.IntN(len(scraps))]
		}
		piece, whole := 5+random.IntN(40), n%2 == 0
		if n%3 == 0 {
			piece = len(body)
		}
		var got [2]string
		for i, w := range []Watch{{}, {Sum: true}} {
			f := read(body, piece, whole, w)
			got[i] = fmt.Sprint(f.fault(nil, whole), f.over)
			for _, p := range f.list {
				got[i] += fmt.Sprintf("\n%q %d", p.Header, p.digest.size)
				if !strings.Contains(fmt.Sprint(p.Header), "filename=") {
					got[i] += fmt.Sprintf(" %q", p.digest.head)
				}
			}
		}
		if got[0] != got[1] {
			t.Fatalf("%q in pieces of %d: later %s\nat once %s", body, piece, got[0], got[1])
		}
	}
}

func TestOnlyTheTextAroundFilesWaits(t *testing.T) {
	part := func(name, content string) string {
		return "\r\n--b\r\nContent-Disposition: form-data; name=n" + name + "\r\n\r\n" + content
	}
	long := strings.Repeat("x", 100_000)
	file := part("; filename=a", long)
	for body, waits := range map[string]bool{
		file: true, part("", "x") + file + file: true, part("", long): false, "p" + file: false,
	} {
		body = strings.TrimPrefix(body, "\r\n") + "\r\n--b--\r\n"
		for _, w := range []Watch{{}, {Sum: true}, {Head: 1}} {
			f := newForm("b", w)
			for p := range slices.Chunk([]byte(body), 30_000) {
				f.write(p)
			}
			f.end(true)
			want := waits && w == (Watch{})
			if got := f.resume == nil; got != want || cap(f.text) > 500 {
				t.Errorf("%.80q waits: %t, want %t; %d bytes are kept", body, got, want, cap(f.text))
			}
			f.finish()
		}
	}
}
