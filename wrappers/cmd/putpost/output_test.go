package main

import (
	"errors"
	"strings"
	"testing"
)

func TestANoteIsOneLineAndOtherwiseAsItIs(t *testing.T) {
	var stderr strings.Builder
	c := &output{err: &stderr}
	c.note("%s, %s: %v", shown("a\x1b[2Jb"), shown("c\nd"), errors.New("two\r\nlines\u202e"))
	if got, want := stderr.String(), "putpost: a\x1b[2Jb, \"c\\nd\": two  lines\u202e\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestControlAndBidirectionalCharactersAreShownAsEscapes(t *testing.T) {
	for s, want := range map[string]string{
		"plain":                     "plain",
		"보고서 é 📎 \ufffd":            "보고서 é 📎 \ufffd",
		"a\x1b[2J\x07\x7f\x9b":      `a\x1b[2J\x07\x7f\x9b`,
		"a\u0085\u009b\u2028\u2029": `a\u0085\u009b\u2028\u2029`,
		"a\u200e\u202e\u2066b":      `a\u200e\u202e\u2066b`,
		"a\tb\n":                    "a\tb\n",
	} {
		if got := visible(s, "\t\n"); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
	if got := visible("a\tb\n", ""); got != `a\x09b\x0a` {
		t.Errorf("got %q", got)
	}
}
