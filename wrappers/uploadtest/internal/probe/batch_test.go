package probe

import (
	"fmt"
	"testing"
)

func TestAnElementOfAnAnswerIsAboutTheFileThatItNames(t *testing.T) {
	of := func(names ...any) (elements []any) {
		for _, name := range names {
			elements = append(elements, map[string]any{"name": name})
		}
		return elements
	}
	for _, c := range []struct {
		elements []any
		answer   string
		want     [2]int // the files of the first two elements of the answer
	}{
		{of("b", "c", "a"), `{"uploads":[{"name":"c"},{"name":"a"},{"name":"b"}]}`, [2]int{1, 2}},
		{of("b", "a"), `{"name":"b","uploads":[{"name":"a"},{"name":"b"}]}`, [2]int{1, 0}},
		{of("x", "x"), `{"uploads":[{"name":"x"},{"name":"x"}]}`, [2]int{0, 1}},
		{of("b", "a"), `{"uploads":[{"id":"a"},{"id":"b"}]}`, [2]int{0, 1}},
		{of(2, 1), `{"uploads":[{"name":"1"},{"name":"2"}]}`, [2]int{0, 1}},
		{of("b", "a"), `{"uploads":[{"name":"A"},{"name":"B"}]}`, [2]int{0, 1}},
	} {
		for i, want := range c.want {
			if got := announcedAs(c.elements, []byte(c.answer), i); got != want {
				t.Errorf("number %d of %s is file %d, want %d", i, c.answer, got, want)
			}
		}
	}
}

func TestAFileIsCalledByItsNameAndItsReference(t *testing.T) {
	file := map[string]any{"name": "a", "fileName": 7, "clientRef": "a", "id": 7, "size": 7, "note": "a"}
	want := "map[clientRef:r fileName:7 id:7 name:n note:a size:7]"
	if got := fmt.Sprint(calling(file, "n", "r")); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
