package wire

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestNoSecretOfTheRequestSurvives(t *testing.T) {
	req, err := http.NewRequest(http.MethodPut,
		"https://host/path?sig=a%2Bb%2Fcdefghijklmnop&X-Amz-Credential=AKIAEXAMPLE%2F2026", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token-1234567")
	req.Header.Set("X-Key", "key-1234567")
	req.Header.Set("X-Upload-Token", "given-1234567") // the API handed it out with the URL
	secrets := (&Doer{api: API{Secret: []string{"X-Key", "Authorization"},
		Hide: func() []string { return []string{"hidden-1234567"} }}}).secrets(req, nil)
	for _, text := range []string{
		"denied: Bearer token-1234567", "token-1234567", "hidden-1234567", "given-1234567",
		"a%252Bb%252Fcdefghijklmnop",
		"a&#43;b&#47;cdefghijklmnop", "key-1234567 unknown", "a%2Bb%2Fcdefghijklmnop", "a+b/cdefghijklmnop",
		"AKIAEXAMPLE/2026",
		`Put "https://host/path?sig=a%2Bb%2Fcdefgh&x=1": refused`, "<a href='https://other/x?t=unrelated-secret'>",
		"https://user:pa55word@host/x",
	} {
		got := redact(text, secrets)
		for _, s := range []string{"1234567", "cdefgh", "AKIA", "unrelated", "pa55word"} {
			if strings.Contains(got, s) {
				t.Errorf("%q became %q, which still holds %q", text, got, s)
			}
		}
	}
}

func TestEachOfTheSecretsIsTakenOutWhole(t *testing.T) {
	req, err := http.NewRequest(http.MethodPut,
		"https://name:pa55word@host/x?short=12345&se=2026-11-25&six=123456&long=123456789"+
			"&two=aaaaaaaaaaaa%2Bbbbbbbbbbbbb&odd=%zz1234567",
		nil)
	if err != nil {
		t.Fatal(err)
	}
	secrets := (&Doer{}).secrets(nil, req) // a nil request has no secrets
	for text, want := range map[string]string{
		"12345":                         "12345", // too short to be a secret
		"123456":                        Redacted,
		"123456789":                     Redacted, // all of it, not only the shorter secret in it
		"aaaaaaaaaaaa+bbbbbbbbbbbb":     Redacted,
		"aaaaaaaaaaaa&#43;bbbbbbbbbbbb": Redacted,
		"%zz1234567":                    Redacted,
		"pa55word":                      Redacted,
		"name:pa55word":                 Redacted,
		req.URL.RawQuery:                Redacted,
	} {
		if got := redact(text, secrets); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

// longest returns the longest run of secret's characters in text, without
// regard to case and blanks.
func longest(text, secret string) string {
	same := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }
	text, secret = same(text), same(secret)
	best := ""
	for i := range secret {
		for j := i + len(best) + 1; j <= len(secret) && strings.Contains(text, secret[i:j]); j++ {
			best = secret[i:j]
		}
	}
	return best
}

func TestSecretIsKnownHoweverItWasCutWrappedOrRespelt(t *testing.T) {
	const token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.eyJpc3MiOiJodHRwczovL2xvZ2luLmV4YW1wbGUiLCJzdWIiOiJhYmMifQ." +
		"c2lnbmF0dXJlLW9mLXRoZS10b2tlbg+/Zq7J=="
	req, err := http.NewRequest(http.MethodPost, "https://host/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	secrets := (&Doer{api: API{Secret: []string{"Authorization"}}}).secrets(req)
	wrap := func(s, with string, at int) string {
		var b strings.Builder
		for i := 0; i < len(s); i += at {
			b.WriteString(s[i:min(i+at, len(s))] + with)
		}
		return b.String()
	}
	each := func(s, format string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
	for name, said := range map[string]string{
		"as it is":                        token,
		"without its last four":           token[:len(token)-4],
		"its first 60":                    token[:60],
		"its middle":                      token[30:50],
		"its last eight":                  token[len(token)-8:],
		"in upper case":                   strings.ToUpper(token),
		"in lower case":                   strings.ToLower(token),
		"wrapped at 76 columns":           wrap(token, "\r\n", 76),
		"wrapped and indented":            wrap(token, "\n    ", 20),
		"wrapped with soft breaks":        wrap(token, "=\r\n", 75),
		"with zero-width blanks":          wrap(token, "\u200b", 4),
		"escaped for a URL":               url.QueryEscape(token),
		"escaped for a URL, twice":        url.QueryEscape(url.QueryEscape(token)),
		"escaped for a URL, every letter": each(token, "%%%02x"),
		"with HTML's dots":                strings.ReplaceAll(token, ".", "&#46;"),
		"in HTML's numbers":               each(token, "&#x%X;"),
		"in HTML's numbers without ends":  each(token, "&#%d"),
		"with HTML's dots without ends":   strings.ReplaceAll(token, ".", "&#46"),
		"with HTML's blanks":              wrap(token, "&nbsp;", 5),
		"with what HTML does not show":    wrap(token, "&ZeroWidthSpace;&shy;", 5),
		"in a browser's old escapes":      each(token, "%%u%04X"),
		"in JavaScript's braces":          each(token, `\u{%x}`),
		"in quoted-printable":             strings.ReplaceAll(strings.ReplaceAll(token, "=", "=3D"), ".", "=2E"),
		"in JSON":                         each(token, `\u%04x`),
		"with JSON's slashes":             strings.ReplaceAll(token, "/", `\/`),
		"in HTML in a URL":                url.QueryEscape(strings.ReplaceAll(token, ".", "&#46;")),
	} {
		got := clean("invalid token "+said+" was sent", 4096, secrets)
		plain := got
		for range 3 {
			plain, _ = url.PathUnescape(html.UnescapeString(strings.NewReplacer("=2E", ".", "=3D", "=",
				"\\u00", "%", "%u00", "%", "\\u{", "%", "}", "").Replace(plain)))
		}
		if run := longest(plain, token); len(run) >= 8 || !strings.HasPrefix(got, "invalid token "+Redacted) ||
			!strings.HasSuffix(got, " was sent") {
			t.Errorf("%s: %q shows %q", name, got, run)
		}
	}
}

func TestWhatIsNoSecretStaysReadable(t *testing.T) {
	req, err := http.NewRequest(http.MethodPut,
		"https://account.blob.core.windows.net/c/b?sv=2024-11-04&se=2026-11-25T18%3A52%3A59Z&sr=b&sp=cw"+
			"&sig=q1JhbYivx0lU%2FwBoOyh%2Byn%2Fy7Lg9Ez%3D"+
			"&X-Amz-Date=20261125T185259Z&X-Amz-SignedHeaders=content-type%3Bhost"+
			"&X-Amz-Credential=AKIAEXAMPLE%2F20261125%2Feu-north-1%2Fs3%2Faws4_request", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer application-0123456789abcdef0123456789abcdef")
	req.Header.Set("X-Timestamp", "1764097979000")
	secrets := (&Doer{api: API{Secret: []string{"Authorization", "X-Timestamp"}}}).secrets(req)
	for _, text := range []string{
		"Server failed to authenticate the request. " +
			"Signature not valid in the specified time frame: Start [] - Expiry [Wed, 25 Nov 2026 18:52:59 " +
			"GMT] - Current []",
		"RequestId:4b2a6d1e-001e-0031-5a3c-5d1f33000000 Time:2026-11-25T18:52:59.1234567Z",
		"Signed headers: content-type;host, date 20261125T185259Z, scope 20261125/eu-north-1/s3/aws4_request",
		"ETag 9e107d9d372bb6826bd81d3542a419d6, sha256 " +
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"the application needs another permission", "timestamp 1764097979512 is out of range",
		"Bearer error=\"invalid_token\", the access token is expired",
	} {
		if got := clean(text, 4096, secrets); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestWithoutURLKeepsWhatErrorsIsAsksFor(t *testing.T) {
	secret := errors.New("dial https://host/x?sig=hunter2")
	for _, err := range []error{
		&url.Error{Op: "Put", URL: "https://host/x?sig=hunter2", Err: fmt.Errorf("%w: %w", context.Canceled, secret)},
		fmt.Errorf("%w: %w", context.Canceled, &url.Error{Op: "Put", URL: "https://host/x?sig=hunter2", Err: secret}),
	} {
		got := withoutURL(err, nil)
		if _, leaks := errors.AsType[*url.Error](got); leaks ||
			strings.Contains(fmt.Sprintf("%v %+v %#v", got, got, got), "hunter2") ||
			!errors.Is(got, context.Canceled) ||
			!errors.Is(got, secret) {
			t.Errorf("%v became %#v", err, got)
		}
	}
	plain := errors.New("connection refused")
	if got := withoutURL(plain, nil); got != plain {
		t.Errorf("an error without a secret became %#v", got)
	}
}

func TestOneLine(t *testing.T) {
	for given, want := range map[string]string{"a\r\n\x1b[31mb\t c\xff": "a [31mb c\uFFFD", "a  b": "a b", "  ": "",
		"a\x7fb": "a b", "\u0085한": "한", "한": "한"} {
		if got := oneLine(given, 100); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
	for given, want := range map[int]int{255: 255, 256: 256, 257: 256, 300: 256} {
		got := []rune(oneLine(strings.Repeat("한", given), 256))
		if cut := got[len(got)-1] == '…'; len(got) != want || cut != (given > want) {
			t.Errorf("of %d runes there are %d (cut off: %t), want %d", given, len(got), cut, want)
		}
	}
}
