package faults

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/upload"
)

// showsNoSecret checks that no text that a program may print of a call shows a
// secret. It also checks that each error fits into one line of a log.
func (l *lab) showsNoSecret(u upload.Uploader, res upload.Result, err error) {
	l.t.Helper()
	texts := texts{"the log": l.log.String()}
	texts.print("the client", u)
	texts.print("the result", res)
	if err != nil {
		if n := len(err.Error()); n > 2000 {
			l.t.Errorf("the error's text has %d bytes: %.200s", n, err)
		}
		for i, e := range chain(err) {
			what := fmt.Sprintf("error %d of the chain, a %T,", i, e)
			texts.print(what, e)
			l.fitsALine(what, e.Error())
			l.noForeign(e)
		}
		if f, ok := err.(*upload.Error); ok {
			l.fitsALine("Message, Code and TraceID", f.Message+f.Code+f.TraceID)
		}
	}
	l.noSecretIn(texts)
}

// texts maps the name of a value to what was printed of it.
type texts map[string]string

func (t texts) print(what string, v any) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		t[what+" as "+verb] = fmt.Sprintf(verb, v)
	}
	if b, err := json.Marshal(v); err == nil {
		t[what+" as JSON"] = string(b)
	}
}

func (l *lab) noSecretIn(texts texts) {
	l.t.Helper()
	told, runs := 0, l.secretRuns()
	for _, what := range slices.Sorted(maps.Keys(texts)) {
		text := texts[what]
		lower := strings.ToLower(text)
		shows := strings.Contains(lower, planted) || strings.Contains(lower, inHex) ||
			slices.ContainsFunc(runs, func(run string) bool { return strings.Contains(text, run) })
		if shows && told < 3 { // they are all alike
			told++
			l.t.Errorf("%s tells a secret: %.600s", what, text)
		}
	}
}

var inHex = fmt.Sprintf("%x", planted)

// secretRuns returns the secrets of all requests that have no planted word: of
// each the longest run of letters and digits, because no escaping changes that.
func (l *lab) secretRuns() (runs []string) {
	for _, r := range l.srv.Requests() {
		u, _ := url.Parse(r.URI)
		for _, s := range []string{r.Header.Get("X-Ncp-Apigw-Signature-V2"), r.Header.Get("Authorization"),
			u.Query().Get("signature")} {
			pieces := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if len(pieces) > 0 {
				runs = append(runs, slices.MaxFunc(pieces, func(a, b string) int { return len(a) - len(b) }))
			}
		}
	}
	return runs
}

// fitsALine fails if text has a line break or controls a terminal.
func (l *lab) fitsALine(what, text string) {
	l.t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
	}); i >= 0 {
		l.t.Errorf("%s holds a control character: %q", what, text)
	}
}

// noForeign fails for errors whose types print secrets, or that a caller should
// not need to know.
func (l *lab) noForeign(e error) {
	l.t.Helper()
	_, isURL := e.(*url.Error)
	_, isToken := e.(*oauth2.RetrieveError)
	typ := reflect.TypeOf(e)
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if isURL || isToken || strings.Contains(typ.PkgPath(), "/gen/") || typ.PkgPath() == "encoding/json" {
		l.t.Errorf("the chain of errors holds a %T: %v", e, e)
	}
}

func chain(err error) (all []error) {
	if err == nil {
		return nil
	}
	all = append(all, err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		all = append(all, chain(e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, chain(inner)...)
		}
	}
	return all
}

// tokenFunc is a foreign oauth2.TokenSource.
type tokenFunc func() (*oauth2.Token, error)

func (f tokenFunc) Token() (*oauth2.Token, error) { return f() }
