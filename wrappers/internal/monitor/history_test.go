package monitor

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/putpost/putpost/wrappers/internal/contract"
)

func TestEachPartOfAnExchangeCountsAgainstTheHistory(t *testing.T) {
	const long = 5000
	text, texts := strings.Repeat("x", long), slices.Repeat([]string{"x"}, 500)
	file := func(f contract.File) Exchange { return Exchange{Files: []contract.File{f}} }
	violation := func(v contract.Violation) Exchange { return Exchange{Violations: []contract.Violation{v}} }
	for name, x := range map[string]Exchange{
		"path": {Path: text}, "path beside a header": {Path: text, Header: http.Header{"A": nil}},
		"URI": {URI: text}, "refusal": {Refusal: text}, "trace id": {TraceID: text},
		"body": {Body: []byte(text)}, "answer": {Answer: []byte(text)},
		"a long id": {FileIDs: []string{text}}, "many ids": {FileIDs: texts},
		"many files": {Files: make([]contract.File, 20)}, "a file's name": file(contract.File{Name: text}),
		"a file's type": file(contract.File{ContentType: text}), "a file's field": file(contract.File{Field: text}),
		"a file's body":   file(contract.File{Body: []byte(text)}),
		"many violations": {Violations: make([]contract.Violation, 20)},
		"a detail":        violation(contract.Violation{Detail: text}), "a place": violation(contract.Violation{At: text}),
		"a header's name": {Header: http.Header{text: nil}}, "a header": {Header: http.Header{"A": {text}}},
		"many values": {AnswerHeader: http.Header{"A": texts}}, "a field": {Fields: url.Values{"a": {text}}},
	} {
		if got := x.size(); got < long || got > 3*long {
			t.Errorf("%s of %d bytes counts as %d", name, long, got)
		}
	}
}

func TestTheHistoryIsFilledToItsBounds(t *testing.T) {
	size := (&Exchange{}).size()
	for _, cfg := range []Config{{Count: 3, Bytes: 9 * size}, {Count: 9, Bytes: 3 * size}} {
		h := &New(cfg).history
		for n := range int64(5) {
			h.add(&entry{})
			if want := min(n+1, 3); int64(len(h.entries)) != want || h.held != want*size || h.entries[want-1].ID != n+1 {
				t.Errorf("%d of %d are held, with %d bytes; want %d", len(h.entries), n+1, h.held, want)
			}
		}
		h.entries[0].Over = true
		if h.forget(); len(h.entries) != 2 || h.held != 2*size {
			t.Errorf("%d are held after one is forgotten, with %d bytes", len(h.entries), h.held)
		}
	}
}
