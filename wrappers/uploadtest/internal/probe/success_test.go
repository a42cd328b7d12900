package probe

import (
	"testing"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestARequestRefersToWhatItNames(t *testing.T) {
	p, ops := idProber(t)
	p.learned = map[string]string{"thingId": "t-1"}
	of := func(object map[string]any) sample {
		return sample{typ: "application/json", object: object,
			schema: lab.SchemaOf(t, `{"required":["noteId","partId","label"],"properties":{"file":{"format":"binary"},
				"noteId":{},"label":{},"partId":{"type":"integer"}}}`).Value}
	}
	for _, c := range []struct {
		op            string
		s             sample
		refers, guess bool
	}{
		{"fill", sample{}, true, true}, {"row", sample{}, false, true}, {"look", sample{}, false, false},
		{"make", sample{}, false, false},
		{"make", of(map[string]any{"noteId": "n-1"}), true, false},
		{"make", of(map[string]any{"noteId": "uploadtest"}), true, true},
		{"make", of(map[string]any{"partId": 1}), true, true},
		{"make", of(map[string]any{"partId": 7}), true, false},
		{"make", of(map[string]any{"label": "uploadtest"}), false, false},
		{"make", of(map[string]any{"file": "f"}), false, false},
	} {
		if refers(ops[c.op], c.s) != c.refers || p.guesses(ops[c.op], c.s) != c.guess {
			t.Errorf("%s with %v: refers %t, guesses %t", c.op, c.s.object, !c.refers, !c.guess)
		}
	}
}
