package wire

import (
	"regexp"
	"slices"
	"testing"
)

func TestAnEscapeIsDecodedWhereItStands(t *testing.T) {
	for _, tt := range []struct {
		escape    func() *regexp.Regexp
		in, plain string
	}{
		{common, "x", "x"},
		{common, "%2b", "+"}, {common, "%2Bx", "+x"}, {common, "%e9", "\xe9"},
		{common, "%", "%"}, {common, "%2", "%2"}, {common, "%zz", "%zz"},
		{common, "%u002b", "+"}, {common, "%u00e9", "é"}, {common, "%u", "%u"}, {common, "%u002", "%u002"},
		{common, "&#43;", "+"}, {common, "&#43", "+"}, {common, "&#43x", "+x"}, {common, "&#x2B;", "+"},
		{common, "&#x0000002b;", "+"}, {common, "&#000000043;", "+"}, {common, `\u{0000002b}`, "+"},
		{common, "&#x2Bx", "+x"}, {common, "&#;", "&#;"}, {common, "&#xx;", "&#xx;"},
		{common, "&amp;", "&"}, {common, "&nbsp;", ""}, {common, "&amp", "&amp"}, {common, "&;", "&;"},
		{common, "&", "&"}, {common, `\`, `\`}, {common, `\/`, "/"}, {common, `\u002b`, "+"}, {common, `\u00e9`, "é"},
		{common, `\u`, `\u`}, {common, `\u00`, `\u00`}, {common, `\x2b`, "+"}, {common, `\xe9`, "\xe9"},
		{common, `\x2`, `\x2`},
		{common, `\u{2b}`, "+"}, {common, `\u{2b}x`, "+x"}, {common, `\u{00002b}`, "+"}, {common, `\u{e9}`, "é"},
		{common, `\u{2b`, `\u{2b`}, {common, `\u{`, `\u{`}, {common, `\u{}`, `\u{}`}, {common, `\u{zz}`, `\u{zz}`},
		{printable, "x", "x"}, {printable, "=2B", "+"}, {printable, "=", "="}, {printable, "==", "=="},
		{printable, "=zz", "=zz"}, {printable, "=\n", ""}, {printable, "= \r\nx", "x"},
	} {
		got := unescape(cellsOf("ab"+tt.in), tt.escape()).text()
		if got != "ab"+tt.plain {
			t.Errorf("%q: %q, want ab%q", tt.in, got, tt.plain)
		}
	}
	got := unescape(cellsOf("ab%2bcd&#47;"), common()) // where each byte was
	want := cells{{'a', 0, 1}, {'b', 1, 2}, {'+', 2, 5}, {'c', 5, 6}, {'d', 6, 7}, {'/', 7, 12}}
	if !slices.Equal(got, want) {
		t.Errorf("the places are %v, want %v", got, want)
	}
}

func TestTextsAreFoldedAlike(t *testing.T) {
	for in, want := range map[string][]string{
		"AZaz@[09": {"azaz@[09"}, "A+ b+": {"a+b+", "ab"}, "a\u200b\t\u00a0b": {"ab"}, "": {""}, "É": {"É"},
	} {
		var got []string
		for _, form := range fold(cellsOf(in)) {
			got = append(got, form.text())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
