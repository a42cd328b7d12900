package twentyfourseven_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/putpost/putpost/wrappers/internal/standintest"
	"github.com/putpost/putpost/wrappers/twentyfourseven"
	"github.com/putpost/putpost/wrappers/upload"
)

const officeSecret = "s3cr3t of mine+/=?&"

// tokens returns a token source of o.
func (o *office) tokens(ctx context.Context, hc *http.Client) oauth2.TokenSource {
	return twentyfourseven.ClientCredentials{
		ClientID: "client-id", ClientSecret: officeSecret, Organization: "org-1", TokenURL: o.base + "/oauth/token",
	}.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, hc))
}

// own returns a client of o, on a socket, with o's tokens.
func (o *office) own(t *testing.T) *twentyfourseven.Client {
	hc := o.serve(t)
	return o.client(t, o.tokens(t.Context(), hc), hc)
}

// bubbled is own inside a synctest bubble.
func (o *office) bubbled(t *testing.T) *twentyfourseven.Client {
	hc := o.bubble()
	return o.client(t, o.tokens(t.Context(), hc), hc)
}

// small is a source that any attempt can read.
var small = upload.Bytes("a.txt", []byte("content"))

func TestTokenRequestIsWhatTheProviderDocuments(t *testing.T) {
	o := newOffice()
	if _, err := o.own(t).Upload(t.Context(), small); err != nil {
		t.Fatal(err)
	}
	requests := o.took("token")
	if len(requests) != 1 {
		t.Fatalf("%d token requests", len(requests))
	}
	r := requests[0]
	if r.method != "POST" || r.uri != "/oauth/token" || r.contentType != "application/x-www-form-urlencoded" ||
		r.length != int64(len(r.body)) || r.chunked {
		t.Errorf("%s %s, %q, %d bytes, chunked: %t", r.method, r.uri, r.contentType, r.length, r.chunked)
	}
	form, err := url.ParseQuery(r.body)
	must(t, err)
	want := url.Values{
		"grant_type":         {"client_credentials"},
		"client_id":          {"client-id"},
		"client_secret":      {officeSecret},
		"audience":           {"https://api.24sevenoffice.com"},
		"login_organization": {"org-1"},
	}
	if !reflect.DeepEqual(form, want) {
		t.Errorf("the form is %v, want %v", form, want)
	}
	if r.authorization != "" {
		t.Error("the credentials stand in a header, and belong into the body")
	}
	if got := o.took("fileUpload")[0].authorization; got != "Bearer token-1" {
		t.Errorf("the API got %q", got)
	}
}

// together uploads a hundred files at once, and returns what became of each.
func together(t *testing.T, client *twentyfourseven.Client) []error {
	errs := make([]error, 100)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = client.Upload(t.Context(), small) })
	}
	all.Wait()
	return errs
}

// refuse refuses the first token, each time after a wait.
func (o *office) refuse(wait func(requests int) time.Duration) {
	accept := o.fileUpload
	o.fileUpload = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-1" {
			time.Sleep(wait(o.count("fileUpload")))
			says(http.StatusUnauthorized, "")(w, r)
			return
		}
		accept(w, r)
	}
}

// Wire holds how one fetch serves many callers. The refusals come together or
// one after the other. A late one is about the old token, so the new one stays.
func TestHundredRefusalsCostOneFetchMore(t *testing.T) {
	for when, wait := range map[string]func(requests int) time.Duration{
		"at once":             func(int) time.Duration { return time.Minute }, // until all have sent it
		"one after the other": func(n int) time.Duration { return time.Duration(n) * 100 * time.Millisecond },
	} {
		t.Run(when, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice()
				o.refuse(wait)
				client := o.bubbled(t)
				must(t, errors.Join(together(t, client)...))
				if tokens, posts := o.count("token"), o.count("fileUpload"); tokens != 2 || posts != 200 {
					t.Errorf("%d fetches and %d requests, want 2 and 200", tokens, posts)
				}
			})
		})
	}
}

// roundTrip makes a function a transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTokenIsRenewedTenSecondsBeforeItEnds(t *testing.T) {
	const never = time.Duration(0)
	for expiresIn, life := range map[string]time.Duration{
		`60`:        50 * time.Second,
		`"60"`:      50 * time.Second, // some servers quote it
		`60.9`:      50 * time.Second,
		`""`:        never,
		`"soon"`:    never,
		`0`:         never,
		`-1`:        never,
		`null`:      never,
		`1e300`:     never, // within the years that a test can wait
		`123456789`: 123456779 * time.Second,
	} {
		t.Run(expiresIn, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice()
				o.token = func(w http.ResponseWriter, r *http.Request) {
					fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":%s}`, o.count("token"), expiresIn)
				}
				tokens := o.tokens(t.Context(), o.bubble())
				get := func(want string) {
					t.Helper()
					if token, err := tokens.Token(); err != nil || token.AccessToken != want {
						t.Errorf("%v, %v, want %s", token, err, want)
					}
				}
				get("token-1")
				if life == never {
					time.Sleep(5 * 365 * 24 * time.Hour)
					get("token-1")
					return
				}
				time.Sleep(life - 20*time.Millisecond)
				get("token-1")
				time.Sleep(40 * time.Millisecond)
				get("token-2")
			})
		})
	}
}

// A token that expires at once serves only the request that it was fetched for.
func TestTokenOfNoLengthIsUsedOnce(t *testing.T) {
	o := newOffice()
	o.token = func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"access_token":"token-%d","expires_in":1}`, o.count("token"))
	}
	client := o.own(t)
	for i := range 3 {
		if _, err := client.Upload(t.Context(), small); err != nil {
			t.Fatal(err)
		}
		if got, want := o.took("fileUpload")[i].authorization, fmt.Sprintf("Bearer token-%d", i+1); got != want {
			t.Errorf("upload %d went out with %q, want %q", i+1, got, want)
		}
	}
}

func TestTokenTypeStandsBeforeTheToken(t *testing.T) {
	for answer, want := range map[string]string{
		`{"access_token":"t"}`:                       "Bearer t",
		`{"access_token":"t","token_type":""}`:       "Bearer t",
		`{"access_token":"t","token_type":null}`:     "Bearer t",
		"\xef\xbb\xbf" + `{"Access_Token":"t"}`:      "Bearer t",
		`{"access_token":"t","token_type":"bearer"}`: "Bearer t",
		`{"access_token":"t","token_type":"DPoP"}`:   "DPoP t",
	} {
		o := newOffice()
		o.token = says(200, answer)
		if _, err := o.own(t).Upload(t.Context(), small); err != nil {
			t.Errorf("%s: %v", answer, err)
		} else if got := o.took("fileUpload")[0].authorization; got != want {
			t.Errorf("%s: %q, want %q", answer, got, want)
		}
	}
}

func TestAnswersOfTheTokenServer(t *testing.T) {
	const page = "<html>internal: " + officeSecret + "</html>"
	for _, tc := range []struct {
		what     string
		status   int
		body     string
		kind     error
		code     string
		message  string
		attempts int
	}{
		{"refused", 401, `{"error":"invalid_client","error_description":"no such client"}`, upload.ErrUnauthorized,
			"invalid_client", "no such client", 1},
		{"forbidden", 403, `{"error":"access_denied","error_description":"not for this organization"}`,
			upload.ErrUnauthorized, "access_denied", "not for this organization", 1},
		{"refused as RFC 6749 has it", 400, `{"error":"invalid_client"}`, upload.ErrUnauthorized, "invalid_client",
			"", 1},
		{"not allowed to", 400, `{"error":"unauthorized_client"}`, upload.ErrUnauthorized, "unauthorized_client", "",
			1},
		{"a wrong request", 400, `{"error":"invalid_request","error_description":"bad audience"}`, upload.ErrInvalid,
			"invalid_request", "bad audience", 1},
		{"nothing there", 404, page, upload.ErrNotFound, "", "the token server gives no reason", 1},
		{"denied under a success", 200, `{"error":"access_denied"}`, upload.ErrUnauthorized, "access_denied", "", 1},
		{"a token of two lines", 200, `{"access_token":"a\r\nb"}`, upload.ErrUnavailable, "", "", 1},
		{"refused in a JSON of its own", 401, `{"detail":"` + officeSecret + `"}`, upload.ErrUnauthorized, "",
			"the token server gives no reason", 1},
		{"out of order", 502, page, upload.ErrUnavailable, "", "the token server gives no reason", 4},
		{"nested and in capitals, under a success", 200,
			`{"error":{"code":"INVALID_CLIENT","message":"no such client"}}`,
			upload.ErrUnauthorized, "invalid_client", "no such client", 1},
		{"refused by its grant", 400, `{"error":"invalid_grant"}`, upload.ErrUnauthorized, "invalid_grant", "", 1},
		{"a wrong request under a success", 200, `{"error":"invalid_scope"}`, upload.ErrInvalid, "invalid_scope", "",
			1},
		{"out of order under a success", 200, `{"error":"server_error"}`, upload.ErrUnavailable, "server_error", "", 1},
		{"a page for a token", 200, page, upload.ErrUnavailable, "", "", 1},
		{"nothing for a token", 200, "", upload.ErrUnavailable, "", "", 1},
		{"no token", 200, `{"token_type":"Bearer","internal":"` + officeSecret + `"}`, upload.ErrUnavailable, "", "",
			1},
		{"a number for a token", 200, `{"access_token":12345678}`, upload.ErrUnavailable, "", "", 1},
		{"a list", 200, `["` + officeSecret + `"]`, upload.ErrUnavailable, "", "", 1},
	} {
		t.Run(tc.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice()
				o.token = says(tc.status, tc.body)
				_, err := o.bubbled(t).Upload(t.Context(), small)
				f := failure(t, err)
				if !errors.Is(f, tc.kind) || f.Status != tc.status || f.Code != tc.code || f.Message != tc.message ||
					f.Attempts != tc.attempts || f.Op != "token" {
					t.Errorf("got %+v\nwant %+v", f, tc)
				}
				if text := fmt.Sprintf("%v %+v %#v", f, f, f); strings.Contains(text, "internal") ||
					strings.Contains(text, officeSecret) {
					t.Errorf("%s shows the body", text)
				}
				if n := o.count("token"); n != tc.attempts {
					t.Errorf("asked %d times, want %d", n, tc.attempts)
				}
			})
		})
	}
}

// Wire holds what the end of a life ends.
func TestContextOfTheSourceIsItsLife(t *testing.T) {
	o := newOffice()
	life, end := context.WithCancel(t.Context())
	hc := o.serve(t)
	client := o.client(t, o.tokens(life, hc), hc)
	end()
	_, err := client.Upload(t.Context(), small)
	if f := failure(t, err); !errors.Is(f, context.Canceled) || f.Op != "token" || o.count("token") != 0 {
		t.Errorf("%v after %d fetches, want context.Canceled after none", f, o.count("token"))
	}
}

func TestCredentialsThatCannotBeUsedSayWhatIsWrong(t *testing.T) {
	whole := twentyfourseven.ClientCredentials{ClientID: "client-id", ClientSecret: officeSecret,
		Organization: "org-1", TokenURL: "http://127.0.0.1:1"}
	for _, tc := range []struct {
		says string
		edit func(*twentyfourseven.ClientCredentials)
	}{
		{"ClientID", func(c *twentyfourseven.ClientCredentials) { c.ClientID = "" }},
		{"ClientSecret", func(c *twentyfourseven.ClientCredentials) { c.ClientSecret = "" }},
		{"Organization", func(c *twentyfourseven.ClientCredentials) { c.Organization = "" }},
		{"https://", func(c *twentyfourseven.ClientCredentials) { c.TokenURL = "login.24sevenoffice.com/oauth/token" }},
		{"user info", func(c *twentyfourseven.ClientCredentials) { c.TokenURL = "https://me:pass-word@host/token" }},
	} {
		cred := whole
		tc.edit(&cred)
		o := newOffice()
		_, err := o.client(t, cred.TokenSource(t.Context()), o.serve(t)).Upload(t.Context(), small)
		f := failure(t, err)
		if !errors.Is(f, upload.ErrInvalid) || f.Op != "token" || !strings.Contains(f.Error(), tc.says) {
			t.Errorf("%v, want upload.ErrInvalid that says %q", f, tc.says)
		}
		if strings.Contains(f.Error(), officeSecret) || strings.Contains(f.Error(), "pass-word") {
			t.Errorf("%v shows a secret", f)
		}
		if n := len(o.took("fileUpload")); n != 0 {
			t.Errorf("%s: the API was called without a token", tc.says)
		}
	}
}

// An address is used exactly as given: any other may be another resource.
func TestTokenURLIsUsedAsItIsGivenAndZeroMeansTheProviders(t *testing.T) {
	for given, want := range map[string]string{
		"":                                     "https://login.24sevenoffice.com/oauth/token",
		"https://host/oauth/token":             "https://host/oauth/token",
		"https://host:8443/oauth/v2.0//token/": "https://host:8443/oauth/v2.0//token/",
	} {
		asked := ""
		hc := standintest.InProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.String()
			io.WriteString(w, `{"access_token":"t"}`)
		}))
		tokens := twentyfourseven.ClientCredentials{ClientID: "c", ClientSecret: "s", Organization: "o",
			TokenURL: given}.
			TokenSource(context.WithValue(t.Context(), oauth2.HTTPClient, hc))
		if _, err := tokens.Token(); err != nil || asked != want {
			t.Errorf("asked %s (%v), want %s", asked, err, want)
		}
	}
}

// given is a foreign token source. It returns its tokens in turn, and then
// always the last one.
type given struct {
	mu     sync.Mutex
	tokens []string
	fail   error // beside an empty token
	asked  int
}

func (g *given) Token() (*oauth2.Token, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	token := g.tokens[0]
	if len(g.tokens) > 1 {
		g.tokens = g.tokens[1:]
	}
	if token == "" {
		return nil, g.fail
	}
	return &oauth2.Token{AccessToken: token}, nil
}

// A stream can be sent once, and the first step leaves it unread.
func TestAfterARefusalTheTokenIsAskedForOnceMore(t *testing.T) {
	for _, tc := range []struct {
		what     string
		tokens   []string
		accepted string
		sent     []string // tokens that the API saw
	}{
		{"taken", []string{"a"}, "a", []string{"a"}},
		{"the same again", []string{"a"}, "none", []string{"a"}},
		{"another one", []string{"a", "b"}, "b", []string{"a", "b"}},
		{"another one, refused too", []string{"a", "b", "c"}, "none", []string{"a", "b"}},
	} {
		src := upload.Reader("a.txt", strings.NewReader("content"), 7)
		t.Run(tc.what, func(t *testing.T) {
			o := newOffice()
			accept := o.fileUpload
			o.fileUpload = func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "Bearer "+tc.accepted {
					says(http.StatusUnauthorized, "")(w, r)
					return
				}
				accept(w, r)
			}
			source := &given{tokens: tc.tokens}
			_, err := o.client(t, source, o.serve(t)).Upload(t.Context(), src)
			if want := map[bool]int{true: 1, false: 2}[tc.accepted == "a"]; source.asked != want {
				t.Errorf("the source was asked %d times, want %d", source.asked, want)
			}
			var sent []string
			for _, r := range o.took("fileUpload") {
				sent = append(sent, strings.TrimPrefix(r.authorization, "Bearer "))
			}
			if !reflect.DeepEqual(sent, tc.sent) {
				t.Errorf("the API saw the tokens %q, want %q", sent, tc.sent)
			}
			if tc.accepted == "none" {
				f := failure(t, err)
				if !errors.Is(f, upload.ErrUnauthorized) || errors.Is(f, upload.ErrNotReplayable) ||
					f.Status != 401 || f.Attempts != len(tc.sent) || f.Op != "fileUpload" ||
					f.TraceID != "trace-1" {
					t.Errorf("%+v, want the 401", f)
				}
				return
			}
			must(t, err)
			if got := o.took("presigned"); len(got) != 1 || got[0].body != "content" {
				t.Errorf("what arrived is %v", got)
			}
		})
	}
}

// With Attempts 1 nothing is sent twice, but a refused token must not stay in
// use.
func TestRefusedTokenIsDroppedAlsoWhereNothingIsRepeated(t *testing.T) {
	o := newOffice()
	o.refuse(func(int) time.Duration { return 0 })
	hc := o.serve(t)
	client := o.client(t, o.tokens(t.Context(), hc), hc, func(cfg *upload.Config) { cfg.Retry.Attempts = 1 })
	_, err := client.Upload(t.Context(), small)
	if f := failure(t, err); !errors.Is(f, upload.ErrUnauthorized) || f.Attempts != 1 || o.count("fileUpload") != 1 {
		t.Errorf("%+v after %d requests, want the 401 after one", f, o.count("fileUpload"))
	}
	if _, err := client.Upload(t.Context(), small); err != nil {
		t.Errorf("the next upload: %v", err)
	}
}

func TestForeignSourceThatFails(t *testing.T) {
	for _, tc := range []struct {
		what string
		err  error
		kind error
		says string
	}{
		{"in words", errors.New("the vault is sealed"), upload.ErrUnavailable, "the vault is sealed"},
		{"in silence", nil, upload.ErrInvalid, "no token"},
		{
			"with an address", &url.Error{Op: "Post", URL: "https://vault.test/token?key=query-secret",
				Err: errors.New("connection refused")},
			upload.ErrUnavailable, "connection refused",
		},
		{
			"with an address inside", fmt.Errorf("vault: %w",
				&url.Error{Op: "Post", URL: "https://me:user-secret@vault.test/token?key=query-secret",
					Err: errors.New("connection refused")}),
			upload.ErrUnavailable, "connection refused",
		},
		{
			"with a body", &oauth2.RetrieveError{Response: &http.Response{StatusCode: 401},
				Body: []byte("body-secret"), ErrorCode: "invalid_client", ErrorDescription: "who is that"},
			upload.ErrUnauthorized, "who is that",
		},
		{
			"with a body inside", fmt.Errorf("vault: %w",
				&oauth2.RetrieveError{Response: &http.Response{StatusCode: 503}, Body: []byte("body-secret")}),
			upload.ErrUnavailable, "503",
		},
		{"by a time limit of its own", fmt.Errorf("vault: %w", context.DeadlineExceeded), upload.ErrUnavailable,
			"vault"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			o := newOffice()
			source := &given{tokens: []string{""}, fail: tc.err}
			_, err := o.client(t, source, o.serve(t)).Upload(t.Context(), small)
			f := failure(t, err)
			text := fmt.Sprintf("%v %+v %#v", f, f, f)
			if !errors.Is(f, tc.kind) || f.Op != "token" || f.Provider != "twentyfourseven" ||
				!strings.Contains(text, tc.says) {
				t.Errorf("%+v, want %v that says %q", f, tc.kind, tc.says)
			}
			if strings.Contains(text, "secret") {
				t.Errorf("%s shows a secret", text)
			}
			if _, found := errors.AsType[*oauth2.RetrieveError](err); found {
				t.Error("the chain holds an oauth2.RetrieveError, which prints the body")
			}
			if _, found := errors.AsType[*url.Error](err); found {
				t.Error("the chain holds a url.Error, which prints the address")
			}
			if n := o.count("fileUpload"); n != 0 {
				t.Errorf("the API was called %d times without a token", n)
			}
		})
	}
}

func TestForeignSourceThatEndsWithItsContext(t *testing.T) {
	o := newOffice()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := o.client(t, &given{tokens: []string{""}, fail: ctx.Err()}, o.serve(t)).Upload(ctx, small)
	if f := failure(t, err); !errors.Is(f, context.Canceled) || errors.Is(f, upload.ErrUnavailable) {
		t.Errorf("%v, want context.Canceled and no kind", f)
	}
}

func TestTokenThatNoHeaderCanCarryIsNotSent(t *testing.T) {
	for _, token := range []string{"a b", "a\r\nX-Injected: 1", "a\tb", "a\x00b", "a\x7fb", "한", " "} {
		o := newOffice()
		_, err := o.client(t, &given{tokens: []string{token}}, o.serve(t)).Upload(t.Context(), small)
		if f := failure(t, err); !errors.Is(f, upload.ErrInvalid) || f.Op != "token" ||
			strings.Contains(f.Error(), token) && token != " " {
			t.Errorf("%q: %v, want upload.ErrInvalid", token, f)
		}
		if n := o.count("fileUpload"); n != 0 {
			t.Errorf("%q: the API was called", token)
		}
	}
}

// The token call uses the client's settings, and no settings of the source's
// context.
func TestTokenCallGoesByTheClientsConfig(t *testing.T) {
	o := newOffice()
	hc := o.serve(t)
	o.token = says(503, "")
	var log bytes.Buffer
	var via int
	client, err := twentyfourseven.New(
		twentyfourseven.ClientCredentials{ClientID: "client-id", ClientSecret: officeSecret, Organization: "org-1",
			TokenURL: o.base + "/oauth/token"}.TokenSource(t.Context()),
		upload.Config{
			BaseURL:   o.base + "/v1",
			UserAgent: "invoices/2",
			Header:    http.Header{"X-Department": {"invoices"}},
			Retry:     upload.Retry{Attempts: 1},
			Logger:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				via++
				if r.UserAgent() != "invoices/2" || r.Header.Get("X-Department") != "" {
					t.Errorf("the token call has the headers %v", r.Header)
				}
				return hc.Transport.RoundTrip(r)
			})},
		})
	must(t, err)
	_, err = client.Upload(t.Context(), small)
	if f := failure(t, err); f.Op != upload.OpToken || f.Attempts != 1 || o.count("token") != 1 || via != 1 {
		t.Errorf("%v after %d calls, %d by the client's transport; want one", f, o.count("token"), via)
	}
	if !strings.Contains(log.String(), "op=token") {
		t.Errorf("the log says nothing of the token call: %s", &log)
	}
}

// Two clients share the tokens of one source, each with its own settings.
func TestClientsOfOneSourceShareItsToken(t *testing.T) {
	o := newOffice()
	hc := o.serve(t)
	tokens := o.tokens(t.Context(), hc)
	for range 2 {
		if _, err := o.client(t, tokens, hc).Upload(t.Context(), small); err != nil {
			t.Fatal(err)
		}
	}
	if n := o.count("token"); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}
