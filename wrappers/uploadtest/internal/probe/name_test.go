package probe

import "testing"

func TestASpecMaySayThatNamesAreChanged(t *testing.T) {
	for text, want := range map[string]bool{
		"In file names, each character that is none of `a`, `.` and `-` is replaced by `_`.": true,
		"Spaces in the name of a file\nare removed.":                                         true,
		"The server sanitizes file names.":                                                   true,
		"Names are normalized.":                                                              true,
		"A file of the same name is replaced.":                                               false,
		"A name has 100 characters at most. The file before it is removed.":                  false,
		"The file is escaped. It has a name.":                                                false,
	} {
		if respells.MatchString(text) != want {
			t.Errorf("%s changes names: %t", text, !want)
		}
	}
	for _, c := range []struct {
		is, sent       string
		same, respells bool
	}{
		{"a b+.txt", "a b+.txt", true, true}, {"%22a%22", `"a"`, true, true}, {"a_b_.txt", "a b+.txt", false, true},
		{"a%20b%2B.txt", "a b+.txt", false, true}, {"A-B.TXT", "a b+.txt", false, true}, {"a.txt", "a b+.txt", false, false},
	} {
		if got := (&operation{}).sameName(c.is, c.sent); got != c.same {
			t.Errorf("%s is %s: %t", c.is, c.sent, got)
		}
		if got := (&operation{respells: true}).sameName(c.is, c.sent); got != c.respells {
			t.Errorf("%s is %s, which may be changed: %t", c.is, c.sent, got)
		}
	}
}
