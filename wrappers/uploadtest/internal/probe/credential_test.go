package probe

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/putpost/putpost/wrappers/uploadtest/internal/faulty"
	"github.com/putpost/putpost/wrappers/uploadtest/internal/lab"
)

func TestACredentialIsSpoiledInItsOwnWay(t *testing.T) {
	basicOf := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ what, scheme, token, want string }{
		{"a wrong", "Bearer ", "abcdefgh", "Bearer ab9defgh"},
		{"a wrong", "", "99", "98"},
		{"a wrong", "", "", "x"},
		{"a longer", "Bearer ", "abc", "Bearer abcx"},
		{"a shorter", "Bearer ", "abc", "Bearer ab"},
		{"half of the", "", "abcdefghi", "abcdef"},
		{"the letters of the other case in the", "Key ", "abC", "Key ABC"},
		{"the letters of the other case in the", "Key ", "ABC1", "Key abc1"},
		{"another scheme in the", "Key ", "abc", "Basic abc"},
		{"no scheme in the", "Key ", "abc", "abc"},
		{"only the scheme of the", "Key ", "abc", "Key "},
		{"another user in the", "Basic ", basicOf("anna:secret"), "Basic " + basicOf("xanna:secret")},
		{"another password in the", "basic ", basicOf("anna:secret"), "basic " + basicOf("anna:xsecret")},
		{"no password in the", "Basic ", basicOf("anna:secret"), "Basic " + basicOf("anna:")},
		{"no password in the", "Bearer ", basicOf("anna:secret"), ""},
		{"no password in the", "Basic ", basicOf("anna"), ""},
		{"a longer", "Basic ", basicOf("anna:secret"), "Basic " + basicOf("anna:secretx")},
		{"a shorter", "Basic ", basicOf("anna:secret"), "Basic " + basicOf("anna:secre")},
		{"another end of the password in the", "Basic ", basicOf("anna:secret"), "Basic " + basicOf("anna:secre~")},
		{"another end of the password in the", "Bearer ", "anna:secret", ""},
		{"the letters of the other case in the", "Basic ", basicOf("anna:secret"), "Basic " + basicOf("anna:SECRET")},
		{"no scheme in the", "Basic ", basicOf("anna:secret"), basicOf("anna:secret")},
		{"only the scheme of the", "Basic ", basicOf("anna:secret"), "Basic "},
		{"a longer", "Basic ", "?anna:secret", "Basic ?anna:secretx"},
	} {
		i := slices.IndexFunc(spoiled, func(s spoiling) bool { return s.what == c.what })
		if i < 0 {
			t.Fatalf("no credentials are spoiled as %q", c.what)
		}
		if is := spoiledBy(c.scheme+c.token, spoiled[i].make); is != c.want {
			t.Errorf("%s %s%s became %q, want %q", c.what, c.scheme, c.token, is, c.want)
		}
	}
}

// Credentials of another request are of use only if nothing else about them
// differs, such as their time.
func TestCredentialsAreExchangedWhereTheyDiffer(t *testing.T) {
	made := 0
	for what, c := range map[string]struct {
		authorize func(*http.Request)
		differ    bool
		asked     string
	}{
		"a key":       {func(r *http.Request) { r.Header.Set("Key", "k") }, false, ""},
		"a signature": {func(r *http.Request) { r.Header.Set("Key", r.URL.Path) }, true, "[/b]"},
		"a signature beside a key": {func(r *http.Request) {
			r.Header.Set("Key", r.URL.Path)
			r.Header.Set("Other", "k")
			r.Header.Set("Thing", "k")
		}, true, "[/b]"},
		"a number that is used once": {func(r *http.Request) { made++; r.Header.Set("Key", fmt.Sprint(made)) },
			false, ""},
		"a number now and then": {func(r *http.Request) {
			made++
			r.Header.Set("Key", fmt.Sprint(r.URL.Path,
				made/7))
		}, true,
			"[/b]"},
	} {
		var asked []string
		p := newProber(t, "http://a.example", []byte(idSpec), Facts{Timeout: time.Minute})
		p.authorize = c.authorize
		p.transport = faulty.TripFunc(func(r *http.Request) (*http.Response, error) {
			asked = append(asked, r.URL.Path)
			return came(r, http.StatusOK, "", ""), nil
		})
		req, differ := p.exchanged(func() *http.Request { return p.request(http.MethodPut, "/a", "a/b", nil) },
			func() *http.Request { return p.request(http.MethodGet, "/b", "", nil) })
		if differ != c.differ || differ && (fmt.Sprint(asked) != c.asked || req.Header.Get("Key")[:2] != "/b" ||
			req.URL.Path != "/a" ||
			req.Header.Get("Content-Type") != "a/b") {
			t.Errorf("%s: differs %t, and asked for %v with %q", what, differ, asked, req.Header)
		}
		asked = nil // what is no GET may do something
		_, _ = p.exchanged(func() *http.Request { return p.request(http.MethodPut, "/a", "a/b", nil) },
			func() *http.Request { return p.request(http.MethodDelete, "/b", "", nil) })
		if len(asked) > 0 {
			t.Errorf("%s: asked for %v", what, asked)
		}
	}
}

// A spec may say that a 400 is for wrong credentials, too.
func TestCredentialsAreRefusedAsTheSpecSays(t *testing.T) {
	const spec = `
openapi: 3.0.3
info: {title: Lock, version: '1'}
security: [{key: []}]
components: {securitySchemes: {key: {type: apiKey, in: header, name: Key}}}
paths: {/files: {post: {operationId: add, requestBody: {content: {application/octet-stream: {example: x,
  schema: {type: string, format: binary}}}}, responses: {'201': {description: Made.}, '401': {description: No.},
  '400': {description: WHY}}}}}
`
	for why, want := range map[string]string{
		"The request is wrong, or authentication failed.": "",
		"The signature is not right.":                     "",
		"The request is wrong.":                           "400 to a request with no credentials, want 401 or 403",
	} {
		lab.Blames(t, want, func(tb testing.TB) {
			p, ops := specProber(tb, strings.Replace(spec, "WHY", fmt.Sprintf("%q", why), 1))
			p.authorize = faulty.Header("Key", "k")
			p.transport, _ = answered(http.StatusBadRequest)
			p.dial = func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
			p.needsCredentials(ops["add"])
		})
	}
}
