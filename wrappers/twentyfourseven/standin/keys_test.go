package standin

import (
	"encoding/hex"
	"testing"
	"time"
)

func TestCodesFitNothingElse(t *testing.T) {
	seen := map[string]string{}
	code := func(what string, m mac, texts ...string) {
		c := hex.EncodeToString(m(texts...))
		if other, ok := seen[c]; ok {
			t.Errorf("%s has the code of %s", what, other)
		}
		seen[c] = what
	}
	for what, credentials := range map[string][]string{"credentials": {"ab", "c"}, "credentials cut elsewhere": {"a",
		"bc"}} {
		macs, err := derive(credentials, "one purpose", "another")
		if err != nil {
			t.Fatal(err)
		}
		code(what+", one purpose", macs[0], "ab", "c")
		code(what+", another", macs[1], "ab", "c")
		code(what+", texts cut elsewhere", macs[0], "a", "bc")
		code(what+", texts in one", macs[0], "abc")
		code(what+", one more text", macs[0], "ab", "c", "")
	}
}

// issuer returns a handler that can issue ids.
func issuer(t *testing.T) *Handler {
	t.Helper()
	macs, err := derive([]string{"token"}, "fileId")
	if err != nil {
		t.Fatal(err)
	}
	return &Handler{ids: macs[0], now: time.Now}
}

func TestIDsAreKeysThatNeverRepeat(t *testing.T) {
	h := issuer(t)
	ids, documents := map[string]bool{}, map[int64]bool{}
	for range 1000 {
		id := h.newID()
		if len(id) != 40 || !h.issued(id) {
			t.Fatalf("%q is not an id of its own maker", id)
		}
		ids[id], documents[documentID(id)] = true, true
	}
	if len(ids) != 1000 || len(documents) != 1000 {
		t.Errorf("%d ids and %d documents of 1000", len(ids), len(documents))
	}
}

// Each letter counts: of the time, of the random bytes and of the code.
func TestATextThatIsNearlyAnIDWasNeverIssued(t *testing.T) {
	h := issuer(t)
	id := h.newID()
	var near []string
	for i := range id {
		other := []byte(id)
		if other[i]++; id[i] == 'z' || id[i] == '7' {
			other[i] = 'a'
		}
		near = append(near, string(other), id[:i], id[i+1:])
	}
	for _, more := range []string{"a", "\n", "=", "aaaaaaaa", id} {
		near = append(near, id+more, more+id)
	}
	for _, text := range near {
		if h.issued(text) {
			t.Errorf("%q passes for %s", text, id)
		}
	}
}
