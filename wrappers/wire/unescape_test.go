package wire

import (
	"slices"
	"testing"
)

func TestAnEscapeIsDecodedWhereItStands(t *testing.T) {
	type decoder = func(cells, int) (string, int)
	for _, tt := range []struct {
		decode    decoder
		in, plain string
		length    int // of the escape; 0: there is none
	}{
		{common, "x", "", 0},
		{common, "%2b", "+", 3}, {common, "%2Bx", "+", 3}, {common, "%e9", "\xe9", 3},
		{common, "%", "", 0}, {common, "%2", "", 0}, {common, "%zz", "", 0},
		{common, "%u002b", "+", 6}, {common, "%u00e9", "é", 6}, {common, "%u", "", 0}, {common, "%u002", "", 0},
		{common, "&#43;", "+", 5}, {common, "&#43", "+", 4}, {common, "&#43x", "+", 4}, {common, "&#x2B;", "+", 6},
		{common, "&amp;", "&", 5}, {common, "&nbsp;", " ", 6}, {common, "&amp", "", 0}, {common, "&none;", "", 0},
		{common, "&", "", 0}, {common, "&#0;", "", 0}, {common, "&#x80000000;", "", 0},
		{common, `\`, "", 0}, {common, `\/`, "/", 2}, {common, `\u002b`, "+", 6}, {common, `\u00e9`, "é", 6},
		{common, `\u`, "", 0}, {common, `\u00`, "", 0}, {common, `\x2b`, "+", 4}, {common, `\xe9`, "\xe9", 4},
		{common, `\x2`, "", 0},
		{common, `\u{2b}`, "+", 6}, {common, `\u{2b}x`, "+", 6}, {common, `\u{00002b}`, "+", 10},
		{common, `\u{2b`, "", 0}, {common, `\u{`, "", 0}, {common, `\u{}`, "", 0}, {common, `\u{zz}`, "", 0},
		{printable, "x", "", 0}, {printable, "=2B", "+", 3}, {printable, "=", "", 0}, {printable, "==", "", 0},
		{printable, "=zz", "", 0}, {printable, "=\n", "", 2}, {printable, "= \r\nx", "", 4},
	} {
		for _, before := range []string{"", "ab"} { // the place is not always the first
			plain, length := tt.decode(cellsOf(before+tt.in), len(before))
			if plain != tt.plain || length != tt.length {
				t.Errorf("%q behind %q: %q and %d bytes, want %q and %d", tt.in, before, plain, length, tt.plain, tt.length)
			}
		}
	}
}

func TestTextsAreFoldedAlike(t *testing.T) {
	for in, want := range map[string][]string{
		"AZaz@[09": {"azaz@[09"}, "A+ b+": {"a+b+", "ab"}, "a\u200b\t\u00a0b": {"ab"}, "": {""}, "É": {"É"},
	} {
		var got []string
		for _, form := range fold(cellsOf(in)) {
			got = append(got, string(form.text()))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
