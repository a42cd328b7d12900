package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestNoSecretOfTheRequestSurvives(t *testing.T) {
	req, err := http.NewRequest(http.MethodPut, "https://host/path?sig=a%2Bb%2Fcdefghijklmnop&X-Amz-Credential=AKIAEXAMPLE%2F2026", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token-1234567")
	req.Header.Set("X-Key", "key-1234567")
	secrets := (&Doer{api: API{Secret: []string{"X-Key", "Authorization"}, Hide: func() []string { return []string{"hidden-1234567"} }}}).secrets(req, nil)
	for _, text := range []string{
		"denied: Bearer token-1234567", "token-1234567", "hidden-1234567", "a%252Bb%252Fcdefghijklmnop", "a&#43;b&#47;cdefghijklmnop", "key-1234567 unknown", "a%2Bb%2Fcdefghijklmnop", "a+b/cdefghijklmnop", "AKIAEXAMPLE/2026",
		`Put "https://host/path?sig=a%2Bb%2Fcdefgh&x=1": refused`, "<a href='https://other/x?t=unrelated-secret'>", "https://user:pa55word@host/x",
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
	req, err := http.NewRequest(http.MethodPut, "https://name:pa55word@host/x?short=12345&six=123456&long=123456789&two=aaaaaaaaaaaa%2Bbbbbbbbbbbbb&odd=%zz1234567", nil)
	if err != nil {
		t.Fatal(err)
	}
	secrets := (&Doer{}).secrets(nil, req) // the requests that there are
	for text, want := range map[string]string{
		"12345":                         "12345", // too short to be a secret
		"123456":                        Redacted,
		"123456789":                     Redacted, // not the shorter one that it holds, and the rest
		"aaaaaaaaaaaa+bbbbbbbbbbbb":     Redacted,
		"aaaaaaaaaaaa&#43;bbbbbbbbbbbb": Redacted + "&#43;" + Redacted,
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

func TestWithoutURLKeepsWhatErrorsIsAsksFor(t *testing.T) {
	secret := errors.New("dial https://host/x?sig=hunter2")
	for _, err := range []error{
		&url.Error{Op: "Put", URL: "https://host/x?sig=hunter2", Err: fmt.Errorf("%w: %w", context.Canceled, secret)},
		fmt.Errorf("%w: %w", context.Canceled, &url.Error{Op: "Put", URL: "https://host/x?sig=hunter2", Err: secret}),
	} {
		got := withoutURL(err)
		if _, leaks := errors.AsType[*url.Error](got); leaks || strings.Contains(fmt.Sprintf("%v %+v %#v", got, got, got), "hunter2") || !errors.Is(got, context.Canceled) || !errors.Is(got, secret) {
			t.Errorf("%v became %#v", err, got)
		}
	}
	plain := errors.New("connection refused")
	if got := withoutURL(plain); got != plain {
		t.Errorf("an error without a secret became %#v", got)
	}
}

func TestOneLine(t *testing.T) {
	if got, want := oneLine("a\r\n\x1b[31mb\t c\xff", 100), "a [31mb c\uFFFD"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for given, want := range map[int]int{255: 255, 256: 256, 257: 256, 300: 256} {
		got := []rune(oneLine(strings.Repeat("한", given), 256))
		if cut := got[len(got)-1] == '…'; len(got) != want || cut != (given > want) {
			t.Errorf("of %d runes there are %d (cut off: %t), want %d", given, len(got), cut, want)
		}
	}
}
