package wire

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Redacted is printed in a secret's place.
const Redacted = "[redacted]"

const (
	// longestRun is the length from which any run of a secret's characters is
	// redacted.
	longestRun = 8

	// shortestSecret is the length from which a secret is looked for. A shorter
	// one protects nothing, and redacting it would hide ordinary words.
	shortestSecret = 6

	// shownOf limits how much of a text is looked at: no more of it is ever
	// shown.
	shownOf = 4 << 10
)

// query matches the query of anything that looks like an address, and userInfo
// its user info.
var (
	query    = pattern(`(://[^\s?"'<>]*)\?[^\s"'<>]*`)
	userInfo = pattern(`(://)[^\s/?#@"'<>]*@`)
)

// pattern returns a regular expression that is compiled on first use, not at
// the start of the program.
func pattern(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// secretSet holds secrets as runs of characters, so that it finds a secret that
// was cut, wrapped or written in another way. A nil set is empty.
type secretSet struct {
	runs  map[string]bool // folded: longestRun bytes, or a shorter secret as a whole
	whole []string        // texts that are taken out only as they stand, since parts of them may be public
}

// add adds every run of a secret.
func (s *secretSet) add(secret string) {
	for _, form := range fold(cellsOf(secret)) {
		text := form.text()
		n := min(longestRun, len(text))
		for i := range len(text) - n + 1 {
			if run := text[i : i+n]; n >= shortestSecret && !strings.Contains(commonWords, run) {
				s.runs[run] = true
			}
		}
	}
}

// commonWords stand in many refusals. Showing one says nothing about a secret
// that contains it.
const commonWords = "accessdenied application authentication authorization certificate content-type credentials " +
	"expiration forbidden invalidtoken organization permission presigned signaturedoesnotmatch timestamp unauthorized"

// redact replaces secrets in a text, and the query and user info of every
// address.
func redact(text string, secrets *secretSet) string {
	if strings.Contains(text, "://") {
		text = query().ReplaceAllString(text, "$1?"+Redacted)
		text = userInfo().ReplaceAllString(text, "$1"+Redacted+"@")
	}
	if secrets == nil {
		return text
	}
	for _, s := range secrets.whole {
		text = strings.ReplaceAll(text, s, Redacted)
	}
	secret := make([]bool, len(text)) // which bytes of text belong to one
	for _, view := range views(text) {
		secrets.mark(view, secret)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case !secret[i]:
			b.WriteByte(text[i])
		case i == 0 || !secret[i-1]:
			b.WriteString(Redacted)
		}
	}
	return b.String()
}

// mark finds the secrets' runs in a view.
func (s *secretSet) mark(view cells, secret []bool) {
	for _, form := range fold(view) {
		text := form.text()
		for n := shortestSecret; n <= longestRun; n++ {
			for i := range len(text) - n + 1 {
				if s.runs[text[i:i+n]] {
					for at := form[i].from; at < form[i+n-1].to; at++ {
						secret[at] = true
					}
				}
			}
		}
	}
}

// clean returns foreign text fit for a message: one line without secrets, of at
// most limit runes.
func clean(text string, limit int, secrets *secretSet) string {
	return oneLine(redact(oneLine(text, shownOf), secrets), limit)
}

// oneLine returns foreign text as one line of at most limit runes. Control
// characters and runs of blanks become one blank each.
func oneLine(text string, limit int) string {
	if len(text) <= limit && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return text // as most ids are
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		// A Bidi_Control would turn a message around.
		return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r)
	}), " ")
	if utf8.RuneCountInString(text) > limit {
		return string([]rune(text)[:limit-1]) + "…"
	}
	return text
}

// origin returns the part of an address that may be shown.
func origin(u *url.URL) string { return oneLine(u.Scheme+"://"+u.Host, 128) }

// traceID returns the answer's trace id, unless it repeats the credentials of
// the request. It checks less than the redaction of failures, because a full
// check would slow down every success.
func (d *Doer) traceID(resp *http.Response) string {
	if d.api.TraceHeader == "" {
		return ""
	}
	id := resp.Header.Get(d.api.TraceHeader)
	if id == "" {
		return ""
	}
	for _, name := range d.api.Secret {
		_, credentials, found := strings.Cut(resp.Request.Header.Get(name), " ")
		if !found {
			credentials = resp.Request.Header.Get(name)
		}
		if Repeats(id, credentials) && !strings.Contains(name, "Timestamp") {
			return Redacted
		}
	}
	return oneLine(id, 128)
}

// Repeats reports whether a text holds a run of a secret's characters that must
// be redacted. It is for a text that is shown unchanged, such as an id.
func Repeats(text, secret string) bool {
	n := min(longestRun, len(secret))
	for i := range len(text) - n + 1 {
		if n >= shortestSecret && strings.Contains(secret, text[i:i+n]) {
			return true
		}
	}
	return false
}
