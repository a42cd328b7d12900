package wire

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Redacted is what is printed in a secret's place.
const Redacted = "[redacted]"

// query matches what follows a question mark in anything that looks like an
// address, and userInfo what stands before its host.
var (
	query    = regexp.MustCompile(`(://[^\s?"'<>]*)\?[^\s"'<>]*`)
	userInfo = regexp.MustCompile(`(://)[^\s/?#@"'<>]*@`)
)

// redact takes secrets, and the query and user info of every address, out of a text.
func redact(text string, secrets []string) string {
	if strings.Contains(text, "://") {
		text = query.ReplaceAllString(text, "$1?"+Redacted)
		text = userInfo.ReplaceAllString(text, "$1"+Redacted+"@")
	}
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, Redacted)
	}
	return text
}

// secretsOf lists what a request carries that no message may repeat: the
// values of the named headers and of its URL's query and user info, as they
// stand and decoded.
func secretsOf(req *http.Request, headers []string) []string {
	var secrets []string
	add := func(s string) {
		if len(s) >= 6 { // a shorter one would blank out ordinary words, and guards nothing
			secrets = append(secrets, s)
		}
	}
	for _, name := range append(headers, "Authorization", "Proxy-Authorization", "Cookie") {
		for _, v := range req.Header.Values(name) {
			add(v)
			if _, credentials, found := strings.Cut(v, " "); found {
				add(credentials)
			}
		}
	}
	if raw := req.URL.RawQuery; raw != "" {
		add(raw)
		for pair := range strings.SplitSeq(raw, "&") {
			_, v, _ := strings.Cut(pair, "=")
			add(v)
			if plain, err := url.QueryUnescape(v); err == nil && plain != v {
				add(plain)
			}
		}
	}
	if req.URL.User != nil {
		add(req.URL.User.String())
		if p, set := req.URL.User.Password(); set {
			add(p)
		}
	}
	// Longest first: one may hold another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// WithoutURL is err without what may show a secret: the *url.Error that an
// http.Client puts around a failure, since that prints the whole address, any
// query, and the secrets named. It is one line, and still answers errors.Is.
func WithoutURL(err error, secrets ...string) error {
	if ue, ok := err.(*url.Error); ok {
		err = ue.Err
	}
	text := err.Error()
	clean := oneLine(redact(text, secrets), 512) // net/http repeats what a server wrote, however long
	if _, found := errors.AsType[*url.Error](err); found || clean != text {
		return &masked{text: clean, is: func(target error) bool { return errors.Is(err, target) }}
	}
	return err
}

// masked stands for an error whose text or chain tells too much: it answers
// errors.Is like the original, and that is all that is left of it.
type masked struct {
	text string
	is   func(error) bool // behind a func, so that no verb of fmt reaches the original
}

func (m *masked) Error() string        { return m.text }
func (m *masked) Is(target error) bool { return m.is(target) }

// Clean makes a provider's own words fit to stand in a message: one line, not
// long, and no address with its query.
func Clean(text string) string { return oneLine(redact(text, nil), 256) }

// oneLine makes foreign text fit to stand in a message: control characters and
// runs of blanks become one blank, and what exceeds limit runes is cut off.
func oneLine(text string, limit int) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) // the last would turn a message around
	}), " ")
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}
