package wire

import (
	"fmt"
	"mime"
	"regexp"
	"strings"
	"unicode"
)

// simpleType is a media type without parameters.
var simpleType = regexp.MustCompile("^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$")

func checkMediaType(text string) error {
	if simpleType.MatchString(text) {
		return nil
	}
	typ, _, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(typ, "/") || strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("the content type %q is no media type, such as application/pdf", text)
	}
	return nil
}

// choose returns own where one of the accepted media types covers it, or where
// nothing is known of them; and else the first of these that has no asterisk.
func choose(accepted []string, own string) string {
	first := ""
	for _, a := range accepted {
		if covers(a, own) {
			return own
		}
		if first == "" && !strings.Contains(a, "*") {
			first = a
		}
	}
	if first == "" {
		return own
	}
	return first
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
		return len(bare) > len(kind) && strings.EqualFold(bare[:len(kind)], kind)
	}
	return strings.EqualFold(a, bare)
}
