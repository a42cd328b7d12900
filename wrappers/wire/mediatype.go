package wire

import (
	"fmt"
	"mime"
	"slices"
	"strings"
	"unicode"
)

// simple reports whether text is a media type without parameters.
func simple(text string) bool {
	kind, sub, _ := strings.Cut(text, "/")
	return kind != "" && sub != "" && !strings.Contains(sub, "/") && strings.Trim(text,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/") == ""
}

func checkMediaType(text string) error {
	if simple(text) {
		return nil
	}
	typ, _, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(typ, "/") || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("the content type %q is no media type, such as application/pdf", text)
	}
	return nil
}

// choose returns own if an accepted media type covers it, or if none is given.
// Otherwise it returns the first accepted one without an asterisk.
func choose(accepted []string, own string) string {
	if !slices.ContainsFunc(accepted, func(a string) bool { return covers(a, own) }) {
		for _, a := range accepted {
			if !strings.Contains(a, "*") {
				return a
			}
		}
	}
	return own
}

// covers reports whether typ is the media type or range a. Parameters of typ
// may differ, unless a has some.
func covers(a, typ string) bool {
	if a == "*/*" || strings.EqualFold(a, typ) {
		return true
	}
	bare, _, _ := strings.Cut(typ, ";")
	bare = strings.TrimSpace(bare)
	if kind, all := strings.CutSuffix(a, "*"); all {
		return strings.HasPrefix(strings.ToLower(bare), strings.ToLower(kind))
	}
	return strings.EqualFold(a, bare)
}
