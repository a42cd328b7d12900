package probe

import "testing"

func TestARequestRefersToWhatItNames(t *testing.T) {
	_, ops := idProber(t)
	of := func(object map[string]any) sample {
		return sample{typ: "application/json", object: object,
			schema: schemaOf(t, `{"required":["noteId","label"],"properties":{"file":{"format":"binary"},"noteId":{},"label":{}}}`).Value}
	}
	for _, c := range []struct {
		op            string
		s             sample
		refers, guess bool
	}{
		{"fill", sample{}, true, false}, {"row", sample{}, false, false}, {"make", sample{}, false, false},
		{"make", of(map[string]any{"noteId": "n-1"}), true, false},
		{"make", of(map[string]any{"noteId": "uploadtest"}), true, true},
		{"make", of(map[string]any{"label": "uploadtest"}), false, false},
		{"make", of(map[string]any{"file": "f"}), false, false},
	} {
		if refers(ops[c.op], c.s) != c.refers || guesses(ops[c.op], c.s) != c.guess {
			t.Errorf("%s with %v: refers %t, guesses %t", c.op, c.s.object, !c.refers, !c.guess)
		}
	}
}
