package wire

import (
	"context"
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

// redact takes secrets, and the query and user info of every address, out of a
// text.
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

// shortestSecret is the length in bytes from which a secret is looked for: a
// shorter one would blank out ordinary words, and guards nothing.
const shortestSecret = 6

// run is a stretch of a secret that no escaping changes.
var run = regexp.MustCompile(`[A-Za-z0-9_.~-]{8,}`)

// secrets lists what no message about an exchange may repeat: what the requests
// carry in the headers that authenticate, in their URL's query and user info, as
// it stands, decoded, and in stretches that survive being escaped once more; and
// what the API hides besides.
func (d *Doer) secrets(reqs ...*http.Request) []string {
	var secrets []string
	add := func(s string) {
		if len(s) < shortestSecret {
			return
		}
		secrets = append(secrets, s)
		if runs := run.FindAllString(s, -1); len(runs) > 0 && runs[0] != s {
			secrets = append(secrets, runs...)
		}
	}
	if d.api.Hide != nil {
		for _, s := range d.api.Hide() {
			add(s)
		}
	}
	for _, req := range reqs {
		if req == nil {
			continue
		}
		for _, name := range d.api.Secret {
			for _, v := range req.Header.Values(name) {
				add(v)
				if _, credentials, found := strings.Cut(v, " "); found {
					add(credentials)
				}
			}
		}
		pairs := strings.Split(req.URL.RawQuery, "&")
		pairs = slices.DeleteFunc(pairs, func(pair string) bool { // the names of headers
			return strings.HasPrefix(pair, "X-Amz-SignedHeaders=") || strings.HasPrefix(pair, "X-Goog-SignedHeaders=")
		})
		add(strings.Join(pairs, "&"))
		for _, pair := range pairs {
			_, v, _ := strings.Cut(pair, "=")
			add(v)
			if plain, err := url.QueryUnescape(v); err == nil && plain != v {
				add(plain)
			}
		}
		if req.URL.User != nil {
			add(req.URL.User.String())
			if p, set := req.URL.User.Password(); set {
				add(p)
			}
		}
	}
	// Longest first: one may hold another.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return secrets
}

// withoutURL returns err without what may show a secret: the *url.Error that an
// http.Client puts around a failure, since that prints the whole address, any
// query, and the secrets named. It is one line, and still answers errors.Is.
func withoutURL(err error, secrets ...string) error {
	if ue, ok := err.(*url.Error); ok {
		err = ue.Err
	}
	text := err.Error()
	short := clean(text, 512, secrets) // net/http repeats what a server wrote, however long
	if _, found := errors.AsType[*url.Error](err); found || short != text {
		return &masked{text: short, is: func(target error) bool { return errors.Is(err, target) }}
	}
	return err
}

// foreign returns an error of somebody else's code: one line without what may
// show a secret. While ctx lives, the error is no context.DeadlineExceeded: a time
// limit of a transport's or a token source's is not the caller's.
func foreign(ctx context.Context, err error, secrets ...string) error {
	err = withoutURL(err, secrets...)
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return ended(ctx, err)
	}
	return &masked{text: err.Error(), is: func(target error) bool { return target != context.DeadlineExceeded && errors.Is(err, target) }}
}

// masked stands for an error whose text or chain tells too much: it answers
// errors.Is like the original, and that is all that is left of it.
type masked struct {
	text string
	is   func(error) bool // behind a func, so that no verb of fmt reaches the original
}

func (m *masked) Error() string        { return m.text }
func (m *masked) Is(target error) bool { return m.is(target) }

// clean redacts before it cuts: a secret cut in two would not be known again.
func clean(text string, limit int, secrets []string) string {
	return oneLine(redact(text, secrets), limit)
}

// oneLine makes foreign text fit to stand in a message: control characters and
// runs of blanks become one blank, and what exceeds limit runes is cut off.
func oneLine(text string, limit int) string {
	if len(text) <= limit && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return text // as most ids are
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r) // the last would turn a message around
	}), " ")
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// origin returns the part of an address that may be shown.
func origin(u *url.URL) string { return oneLine(u.Scheme+"://"+u.Host, 128) }

// traceID returns the answer's trace id, unless it repeats what the request
// authenticated with. The full redaction of failures would cost every success
// its time.
func (d *Doer) traceID(resp *http.Response) string {
	if d.api.TraceHeader == "" {
		return ""
	}
	id := resp.Header.Get(d.api.TraceHeader)
	for _, name := range d.api.Secret {
		_, credentials, found := strings.Cut(resp.Request.Header.Get(name), " ")
		if !found {
			credentials = resp.Request.Header.Get(name)
		}
		if len(credentials) >= shortestSecret && strings.Contains(id, credentials) {
			return Redacted
		}
	}
	return oneLine(id, 128)
}
