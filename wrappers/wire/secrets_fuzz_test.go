package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/putpost/putpost/wrappers/upload"
	"github.com/putpost/putpost/wrappers/wire"
)

// An answer may repeat any part of a request, escaped in any way. Neither the
// error nor the log shows the secret, and each is one line.
func FuzzSecrets(f *testing.F) {
	f.Add("invalid token ", "", "eyJhbGciOiJIUzI1NiJ9", 401, uint8(0))
	f.Add("https://files.example/x?sig=", "&x=1", "q1JhbYivx0lU//wBoOyh+yn/y7+Lg9Ez=", 403, uint8(1))
	f.Add(`{"message":"`, `"}`, "a+b/c=d+e/f=g", 400, uint8(2))
	f.Add("<Error><Message>", "</Message></Error>", "AKIAEXAMPLE/2026/eu", 404, uint8(3))
	f.Add(strings.Repeat(" ", 64<<10-10), "", "aaaabbbbccccdddd", 400, uint8(0))
	f.Add(strings.Repeat("x", 250), "\r\n\x1b[31m\u202e", "aaaabbbbccccdddd", 500, uint8(4))
	f.Add("invalid token ", "...", "eyJhbGciOiJIUzI1NiJ9.c2ln", 401, uint8(5))
	f.Add("invalid token ", "...", "eyJhbGciOiJIUzI1NiJ9.c2ln", 401, uint8(6))
	f.Add("invalid token ", "...", "eyJhbGciOiJIUzI1NiJ9.c2ln", 401, uint8(7))
	f.Add("invalid token ", "...", "eyJhbGciOiJIUzI1NiJ9.c2ln", 401, uint8(8))
	f.Add("invalid token ", "...", "eyJhbGciOiJIUzI1NiJ9.c2ln", 401, uint8(9))
	f.Add("invalid token ", "...", "eyJhbGciOiJIUzI1NiJ9.c2ln", 401, uint8(10))
	// A secret may hold the characters that a header may hold.
	unfit := regexp.MustCompile(`[^A-Za-z0-9._~+/=-]`)
	f.Fuzz(func(t *testing.T, before, after, secret string, status int, dress uint8) {
		// A shorter secret protects nothing. The end keeps it from being a word
		// of our own messages.
		secret = unfit.ReplaceAllString(secret, "") + "Zq7JhbYivx0lUwBo"
		if status %= 400; status < 0 {
			status = -status
		}
		status += 200
		wrapped := ""
		for i := 0; i < len(secret); i += 76 {
			wrapped += secret[i:min(i+76, len(secret))] + "\r\n "
		}
		dresses := []string{
			secret, url.QueryEscape(secret), html.EscapeString(secret), jsonEscape(secret),
			strings.ReplaceAll(secret, "/", `\/`),
			secret[:len(secret)-4], secret[4:], strings.ToUpper(secret), wrapped,
			strings.NewReplacer(".", "&#46;", "/", "&#x2F;").Replace(secret),
			strings.NewReplacer("=", "=3D", ".", "=2E").Replace(secret),
		}
		dressed := dresses[int(dress)%len(dresses)]
		var log bytes.Buffer
		cfg := upload.Config{
			BaseURL: "https://api.example", Retry: upload.Retry{Attempts: 1},
			Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			HTTPClient: &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: status, Request: req, Body: io.NopCloser(strings.NewReader(before + dressed + after)),
					Header: http.Header{"X-Trace-Id": {dressed}, "Content-Type": {dressed},
						"Location": {"https://other.example/?" + dressed}},
				}, nil
			})},
		}
		authorize := func(req *http.Request) error {
			req.Header.Set("Authorization", "Bearer "+secret)
			req.Header.Set("X-Key", secret)
			return nil
		}
		doer := newDoer(t, wire.API{TraceHeader: "X-Trace-Id", Secret: []string{"X-Key"},
			Authorize: authorize}, cfg)
		_, api := doer.Call(t.Context(), "op", json.Unmarshaler((*refuse)(nil)).UnmarshalJSON,
			func(ctx context.Context) (*http.Response, error) {
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, doer.BaseURL, strings.NewReader("x"))
				if err != nil {
					return nil, err
				}
				return doer.Do(req)
			})
		if api == nil {
			t.Fatal("an answer that is no JSON is a success")
		}
		store := sendTo(t, doer.Presigned(), "PUT", "https://store.example/x?sig="+url.QueryEscape(secret),
			wire.Raw(upload.Bytes("a", []byte("b"))))
		for _, err := range []error{api, store} {
			if err == nil { // a store's 2xx is a success
				continue
			}
			f, ok := err.(*upload.Error)
			if !ok || f.Status != status {
				t.Fatalf("got %v, want an *upload.Error of the status %d", err, status)
			}
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("more than a line: %q", err)
			}
			for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", f),
				f.Message, f.Code, f.TraceID, log.String()} {
				if shows(text, "Zq7JhbYivx0lUwBo") {
					t.Fatalf("the secret %q is told: %s", secret, text)
				}
			}
		}
	})
}

// shows reports whether text holds eight characters of secret in a row, without
// regard to case and blanks.
func shows(text, secret string) bool {
	text, secret = strings.ToLower(strings.Join(strings.Fields(text), "")), strings.ToLower(secret)
	for i := range len(secret) - 7 {
		if strings.Contains(text, secret[i:i+8]) {
			return true
		}
	}
	return false
}

// refuse is an answer's reader whose error repeats the text that it reads.
type refuse struct{}

func (*refuse) UnmarshalJSON(body []byte) error { return fmt.Errorf("cannot read %s", body) }

func jsonEscape(s string) string {
	b, _ := json.Marshal(s)
	return strings.Trim(string(b), `"`)
}

// A presigned URL is sent byte for byte as it was given, or not at all. The
// error about a refused URL stops before the query.
func FuzzPresignedURL(f *testing.F) {
	for _, seed := range []string{
		"https://attachment.api.24sevenoffice.com/upload/abc123?signature=xyz", "https://h/a%2Fb%20c?x=%2f+&y=~",
		"https://h/a b?x=1", "https://h/x?a=b c",
		"https://u:p@h/x?q", "https://h/x?q#f", "https://h/x?q#", "https://h/x?", "https://h?x", "HTTPS://h/x",
		"https://h:443/x?q", "https://[::1]:8080/x?q", "https://h/영?수=증",
		"http://h/x?q", "ftp://h/x?q", "//h/x?q", "https:x?q", "https://h/x?a=1&a=2;b", "https://h//x/../y?q",
		"https://h/%zz", "https://h/x?%zz", "https://h/x?q\r\nX-Injected: 1", "https://h\u0085h/x?q",
		"https://%80", "http://%C2%85/x?q", "https://%C3%A9.example/x?q", "https://[fe80::1%25eth0]/x?q",
		"https://h%2Ex/x?q",
	} {
		f.Add(seed)
	}
	var sent *http.Request
	cfg := upload.Config{BaseURL: "https://api.example", Retry: upload.Retry{Attempts: 1},
		HTTPClient: &http.Client{Transport: answers(func(req *http.Request) (*http.Response, error) {
			sent = req
			return &http.Response{StatusCode: 200, Request: req, Header: http.Header{}, Body: http.NoBody}, nil
		})}}
	doer := newDoer(f, wire.API{}, cfg)
	step := doer.Presigned()
	f.Fuzz(func(t *testing.T, raw string) {
		sent = nil
		err := sendTo(t, step, "PUT", raw, wire.Raw(upload.Bytes("a", []byte("b"))))
		if err != nil {
			if sent != nil {
				t.Fatalf("%q was sent and refused: %v", raw, err)
			}
			if strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Fatalf("more than a line: %q", err)
			}
			head, query, _ := strings.Cut(raw, "?")
			if len(query) > 8 && !strings.Contains(head, query) && strings.Contains(err.Error(), query) {
				t.Fatalf("the query of %q is told: %v", raw, err)
			}
			return
		}
		// The request sends the host in a header, and the rest in its first
		// line.
		scheme, rest, _ := strings.Cut(raw, "://")
		if scheme != "https" || sent.URL.Scheme != "https" {
			t.Fatalf("%q was sent by %q", raw, sent.URL.Scheme)
		}
		host, target := rest, ""
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			host, target = rest[:i], rest[i:]
		}
		if !strings.HasPrefix(target, "/") {
			target = "/" + target
		}
		if got := sent.URL.RequestURI(); got != target || sent.URL.Host != host ||
			strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Fatalf("%q went out as %q to %q", raw, got, sent.URL.Host)
		}
	})
}
